"""Which job runs when, as a real client of GitLab's syntax sees the component."""

from __future__ import annotations

import pytest

from tests.gitlab.pipelines import BRANCH_PUSH, MERGE_REQUEST, SLIPWAY, VERSION, Project

pytestmark = pytest.mark.slow

INCLUDE = f"""
include:
  - project: platform/slipway
    ref: {VERSION}
    file: ci/component/template.yml
    inputs:
      module: {SLIPWAY}
      version: {VERSION}
"""
VERIFY = {"verify": "test"}
STAGING = {**VERIFY, "staging": "deploy", "staging-rollback": "deploy"}
PRODUCTION = {**VERIFY, "production": "deploy", "production-rollback": "deploy"}


def push(branch: str, **more: str) -> dict[str, str]:
    """The variables of a branch's pipeline."""
    return {**BRANCH_PUSH, "CI_COMMIT_BRANCH": branch, **more}


OPEN = {"CI_OPEN_MERGE_REQUESTS": "team/mindfulspace!7"}
TAG = {**BRANCH_PUSH, "CI_COMMIT_TAG": "v1.2.0"}
NIGHTLY = {"CI_PIPELINE_SOURCE": "schedule"}


@pytest.fixture(scope="module")
def included(project: Project) -> Project:
    """The project with the component as it is included by default."""
    project.configure(INCLUDE)
    return project


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        pytest.param(push("feature/rain"), VERIFY, id="a branch"),
        pytest.param(MERGE_REQUEST, VERIFY, id="a merge request"),
        pytest.param(push("feature/rain", **OPEN), {}, id="a branch with a merge request"),
        pytest.param(push("main"), STAGING, id="main"),
        pytest.param(push("main", **OPEN), STAGING, id="main with a merge request from it"),
        pytest.param(TAG, PRODUCTION, id="a tag"),
        pytest.param(push("hotfix/login"), VERIFY, id="a hotfix"),
        pytest.param({**push("main"), **NIGHTLY}, VERIFY, id="main by a schedule"),
        pytest.param({**TAG, **NIGHTLY}, VERIFY, id="a tag by a schedule"),
        pytest.param(push("main-2"), VERIFY, id="a branch whose name begins like main"),
    ],
)
def test_what_runs_when(
    included: Project, variables: dict[str, str], expected: dict[str, str]
) -> None:
    """Everything is verified once; only main reaches staging, only a tag production."""
    assert included.jobs(variables) == expected


def test_other_branches_can_deploy_but_never_a_hotfix_or_a_merge_request(
    project: Project,
) -> None:
    """However wide the conditions are that a project gives."""
    project.configure(
        f"{INCLUDE}      staging-if: $CI_COMMIT_SHA\n      production-if: $CI_COMMIT_SHA\n"
    )
    deploying = {"staging", "staging-rollback", "production", "production-rollback"}
    assert deploying < project.jobs(push("develop")).keys()
    assert project.jobs(push("hotfix/login")) == VERIFY
    assert project.jobs(MERGE_REQUEST) == VERIFY
    assert project.jobs({**push("develop"), **NIGHTLY}) == VERIFY

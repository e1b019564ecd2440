"""The jobs at work: run by a real client of GitLab's syntax, in the example as a user's own project."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci.lab.secure_registry import SecureRegistry, token_registry
from tests.e2e.example import Monorepo, drydock
from tests.gitlab.pipelines import BRANCH_PUSH, MERGE_REQUEST, VERSION, Project, Ran, git

pytestmark = [pytest.mark.engine, pytest.mark.slow]

PROJECT = "team/mindfulspace"
TEST = "packages/shared/src/summary.test.ts"


@pytest.fixture(scope="module")
def begun(project: Project, slipway: Path) -> Project:
    """The project after `init`, which wrote its pipeline; on drydock."""
    arguments = ("init", "--slipway", "platform/slipway", "--ref", VERSION, "--output", ".")
    drydock("-m", str(slipway), "call", *arguments, cwd=project.path)
    written = (project.path / ".gitlab-ci.yml").read_text()
    # The client's own folder, as its users have it.
    with (project.path / ".gitignore").open("a") as ignored:
        ignored.write(".gitlab-ci-local/\n")
    git(project.path, "add", "--all")
    chosen = "engine: drydock", "staging: publish", "production: publish"
    project.configure(written + "".join(f"      {line}\n" for line in chosen))
    return project


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureRegistry]:
    """The project's registry behind a token service, as GitLab's is."""
    folder = tmp_path_factory.mktemp("registry")
    with token_registry(folder, project=PROJECT) as (registry, _service):
        yield registry


@pytest.fixture(scope="module")
def predefined(registry: SecureRegistry) -> dict[str, str]:
    """What GitLab tells its jobs of the project's registry."""
    return {
        "CI_REGISTRY_IMAGE": f"{registry.address}/{PROJECT}",
        "CI_REGISTRY_USER": registry.user,
        "CI_REGISTRY_PASSWORD": registry.password,
    }


def artifact(project: Project, job: str, name: str) -> Path:
    """A file that GitLab would keep of a job."""
    return project.path / ".gitlab-ci-local/artifacts" / job / ".slipway" / name


def published(project: Project, job: str, ran: Ran) -> dict[str, dict[str, object]]:
    """The images of the release that a job has kept."""
    assert ran.code == 0, ran.output[-6000:]
    release = json.loads(artifact(project, job, "release/release.json").read_text())
    assert release["revision"] == git(project.path, "rev-parse", "HEAD")
    return dict(release["images"])


def test_a_failing_test_fails_the_job_and_is_in_gitlabs_report(
    begun: Project, predefined: dict[str, str]
) -> None:
    """The report is kept although the job failed."""
    Monorepo(begun.path).edit(TEST, "minutes: 35", "minutes: 36")
    ran = begun.run(variables={**MERGE_REQUEST, **predefined})
    git(begun.path, "checkout", "--quiet", TEST)
    assert ran.code
    assert "minutes" in ran.output
    report = ET.parse(artifact(begun, "verify", "reports/junit.xml"))  # noqa: S314 - our own
    assert len(report.findall(".//testcase/failure")) == 1


def test_a_tag_publishes_for_production_what_staging_has(
    begun: Project, predefined: dict[str, str], registry: SecureRegistry
) -> None:
    """By the Git tag: the very digests, but for the front end, which has production's API in its files."""
    on_main = {**BRANCH_PUSH, **predefined, "CI_COMMIT_BRANCH": "main"}
    staging = published(begun, "staging", begun.run("staging", variables=on_main))
    git(begun.path, "tag", "v1.2.0")
    tagged = {**BRANCH_PUSH, **predefined, "CI_COMMIT_TAG": "v1.2.0"}
    production = published(begun, "production", begun.run("production", variables=tagged))
    commit = git(begun.path, "rev-parse", "HEAD")
    for name in ("api", "migrator"):
        assert production[name]["digest"] == staging[name]["digest"]
        assert production[name]["tags"] == ["v1.2.0", commit, "prod"]
    assert production["frontend"]["digest"] != staging["frontend"]["digest"]
    assert production["frontend"]["tags"] == ["v1.2.0", f"{commit}-prod", "prod"]
    assert {commit, "staging", "v1.2.0", "prod"} <= set(registry.tags(f"{PROJECT}/frontend"))
    report = artifact(begun, "production", "release/report.txt").read_text()
    assert report.count("reused, published") == 2
    assert "frontend is built for prod alone, with NEXT_PUBLIC_API_URL=https://" in report

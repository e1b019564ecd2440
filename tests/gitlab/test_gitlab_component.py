"""The component: what its jobs are, how it can be included, which inputs it takes."""

from __future__ import annotations

import functools
import http.server
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gitlab.pipelines import BRANCH_PUSH, MERGE_REQUEST, ROOT, SLIPWAY, VERSION, Project, git

pytestmark = pytest.mark.slow

TEMPLATE = ROOT / "ci/component/template.yml"
DOCS = ROOT / "docs/gitlab.md"
ENVIRONMENTS = (("staging", "staging"), ("production", "prod"))
ROLLBACKS = {"staging-rollback", "production-rollback"}
JOBS = {"verify", "staging", "production"} | ROLLBACKS
ON_MAIN = {"verify": "test", "staging": "deploy", "staging-rollback": "deploy"}
MAIN = {**BRANCH_PUSH, "CI_COMMIT_BRANCH": "main"}
REQUIRED = f"{{module: '{SLIPWAY}', version: {VERSION}}}"


@pytest.fixture(scope="module")
def inputs() -> dict[str, dict[str, Any]]:
    """The inputs as the component declares them."""
    header = next(yaml.safe_load_all(TEMPLATE.read_text()))
    return dict(header["spec"]["inputs"])


@pytest.fixture(scope="module")
def component_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A component project as GitLab's catalog wants it: the template below `templates/`."""
    folder = tmp_path_factory.mktemp("catalog")
    (folder / "templates").mkdir()
    shutil.copy(TEMPLATE, folder / "templates/slipway.yml")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "release")
    git(folder, "tag", "1.0.0")
    return folder


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    """Address of a web server with this repository's component."""
    handler = functools.partial(_Quiet, directory=TEMPLATE.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Tell nothing of requests."""


@pytest.fixture(scope="module")
def defined(project: Project) -> dict[str, Any]:
    """The jobs as they are by default."""
    project.configure(
        f"include: [{{project: platform/slipway, ref: {VERSION}, "
        f"file: ci/component/template.yml, inputs: {REQUIRED}}}]\n"
    )
    return project.definition()


def test_jobs_call_functions_and_nothing_else(defined: dict[str, Any]) -> None:
    """Each line of a script is a function of slipway."""
    assert {name for name, job in defined.items() if "script" in job} == JOBS
    for name in JOBS:
        assert all(line.startswith("slipway ") for line in defined[name]["script"])


def test_a_report_is_kept_however_a_job_ends(defined: dict[str, Any]) -> None:
    """GitLab shows the tests of a verify that failed, and release.json is kept."""
    verify = defined["verify"]["artifacts"]
    assert verify["when"] == "always"
    assert verify["reports"]["junit"].startswith(verify["paths"][0])
    for name in ("staging", "production"):
        assert defined[name]["artifacts"] == {"when": "always", "paths": [".slipway/release/"]}


def test_an_environment_is_changed_by_one_job_at_a_time(defined: dict[str, Any]) -> None:
    """Each has a group of its own, is named as slipway names it, and is not cut off by a newer pipeline."""
    for name, environment in ENVIRONMENTS:
        for job in (defined[name], defined[f"{name}-rollback"]):
            assert job["resource_group"] == job["environment"]["name"] == environment
            assert job["environment"]["url"] == f"${name.upper()}_URL"
            assert job["environment"]["deployment_tier"] == name
            assert job["interruptible"] is False
            assert all(f'--env "{environment}"' in line for line in job["script"])
    assert defined["verify"]["interruptible"] is True


def test_gitlab_counts_what_is_a_deployment(defined: dict[str, Any]) -> None:
    """A deploy is one; a rollback brings back another commit than its pipeline's."""
    for name, _ in ENVIRONMENTS:
        assert defined[name]["environment"]["action"] == "start"
        assert "slipway deploy " in defined[name]["script"][-1]
        assert defined[f"{name}-rollback"]["environment"]["action"] == "access"


def test_a_rollback_waits_for_a_person_and_for_nothing_else(defined: dict[str, Any]) -> None:
    """One that nobody starts fails no pipeline, and holds up no group."""
    for name in ROLLBACKS:
        job = defined[name]
        assert job["needs"] == []
        assert (job["rules"][-1]["when"], job["rules"][-1]["allow_failure"]) == ("manual", True)
        assert [line.split()[:2] for line in job["script"]] == [["slipway", "rollback"]]


def test_an_environment_without_a_server_is_published_for(project: Project) -> None:
    """Each by itself; nothing to deploy, nothing to roll back."""
    project.configure(
        f"include: [{{project: platform/slipway, ref: {VERSION}, file: ci/component/template.yml, "
        f"inputs: {{module: '{SLIPWAY}', version: {VERSION}, staging: publish}}}}]\n"
    )
    defined = project.definition()
    assert defined["staging"]["environment"]["action"] == "prepare"
    assert [line.split()[1] for line in defined["staging"]["script"]] == ["release", "publish"]
    assert defined["production"]["environment"]["action"] == "start"
    assert project.jobs(MAIN) == {"verify": "test", "staging": "deploy"}
    tagged = project.jobs({**BRANCH_PUSH, "CI_COMMIT_TAG": "v1"})
    assert tagged.keys() == {"verify", "production", "production-rollback"}


def test_only_a_runners_own_failures_are_tried_again(defined: dict[str, Any]) -> None:
    """A failed test is told at once."""
    for name in JOBS:
        assert defined[name]["retry"]["max"] == 1
        assert "script_failure" not in defined[name]["retry"]["when"]


def test_every_input_is_described_and_has_a_row_in_the_docs(
    inputs: dict[str, dict[str, Any]],
) -> None:
    """With the default that it has; required is what only the project can know."""
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*?) \|", DOCS.read_text(), re.MULTILINE))
    for name, declared in inputs.items():
        assert declared["description"].endswith(".")
        assert rows[name] == _shown(declared)
    assert {name for name, declared in inputs.items() if "default" not in declared} == {
        "module",
        "version",
    }


def _shown(declared: dict[str, Any]) -> str:
    """An input's default, as the docs write it."""
    if "default" not in declared:
        return "required"
    default = declared["default"]
    text = f"[{', '.join(default)}]" if isinstance(default, list) else default
    return f"`{text}`" if default else "none"


def test_inputs_reach_the_jobs(project: Project) -> None:
    """Names, runners, image, addresses, limits and the engine are the project's to choose."""
    project.configure(
        f"""
include:
  - project: platform/slipway
    ref: {VERSION}
    file: ci/component/template.yml
    inputs:
      engine: drydock
      module: /opt/slipway
      version: main
      arguments: --npmrc env://NPMRC
      folder: apps
      image: registry.test/job:1
      services: ["docker:29-dind"]
      tags: [big, linux]
      job-prefix: "site:"
      verify-stage: build
      deploy-stage: test
      production-url: https://mindfulspace.example
      timeout: 2 hours
      script-timeout: 110m
"""
    )
    assert project.jobs(MAIN) == {
        "site:verify": "build",
        "site:staging": "test",
        "site:staging-rollback": "test",
    }
    job = project.definition()["site:production"]
    assert job["image"]["name"] == "registry.test/job:1"
    assert [service["name"] for service in job["services"]] == ["docker:29-dind"]
    assert job["tags"] == ["big", "linux"]
    assert job["environment"]["url"] == "https://mindfulspace.example"
    assert job["timeout"] == "2 hours"
    assert job["variables"]["RUNNER_SCRIPT_TIMEOUT"] == "110m"
    prepared = "\n".join(job["before_script"])
    assert 'drydock -m "$SLIPWAY/module" call --npmrc env://NPMRC "$@"' in prepared
    assert 'cd "apps"' in prepared
    assert '"/opt/slipway" "main"' in prepared


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param("{version: v1}", "`module`", id="no module"),
        pytest.param(
            f"{{module: '{SLIPWAY}', version: v1, engine: kaniko}}", "`kaniko`", id="engine"
        ),
        pytest.param(f"{{module: '{SLIPWAY}', version: v1, tags: big}}", "`tags`", id="no list"),
    ],
)
def test_a_wrong_input_is_refused_before_anything_runs(
    project: Project, given: str, said: str
) -> None:
    """GitLab names it where the pipeline would have been."""
    project.configure(
        f"include: [{{project: platform/slipway, ref: {VERSION}, "
        f"file: ci/component/template.yml, inputs: {given}}}]\n"
    )
    assert said in project.refusal()


def test_this_repository_tests_itself_and_publishes_its_example(
    client: list[str], slipway: Path
) -> None:
    """With the component that it gives to others."""
    own = Project(slipway, client)
    checks = {"tests": "test", "verify": "test"}
    assert own.jobs({**BRANCH_PUSH, "CI_COMMIT_BRANCH": "feature"}) == checks
    assert own.jobs(MERGE_REQUEST) == checks
    assert own.jobs(MAIN) == {**checks, "staging": "deploy"}
    assert own.jobs({**BRANCH_PUSH, "CI_COMMIT_TAG": "v1"}) == {**checks, "production": "deploy"}


def test_it_can_be_included_from_a_web_address(project: Project, web: str) -> None:
    """Where the projects cannot see each other."""
    project.configure(f"include: [{{remote: '{web}/template.yml', inputs: {REQUIRED}}}]\n")
    assert project.jobs(MAIN) == ON_MAIN


def test_it_can_be_included_from_the_catalog(project: Project, component_project: Path) -> None:
    """From a project whose `templates/` holds it."""
    catalog = Project(
        project.path,
        project.client,
        {"https://gitlab.example/platform/pipelines.git": component_project},
    )
    address = "gitlab.example/platform/pipelines/slipway@1.0.0"
    catalog.configure(f"include: [{{component: {address}, inputs: {REQUIRED}}}]\n")
    assert catalog.jobs(MAIN) == ON_MAIN

"""The component's jobs deploy to a real server and roll it back: run by a real client of GitLab's syntax."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.engines import empty_engine
from tests.e2e.example import drydock
from tests.e2e.site import API, URL, WEB, Site, example_site, public_names
from tests.e2e.tiny import push
from tests.gitlab.pipelines import BRANCH_PUSH, SLIPWAY, VERSION, Project, git

pytestmark = [pytest.mark.engine, pytest.mark.slow]

JOB = "https://gitlab.example/team/mindfulspace/-/jobs/42"
MAIN = {**BRANCH_PUSH, "CI_COMMIT_BRANCH": "main", "CI_JOB_URL": JOB, "GITLAB_USER_LOGIN": "ann"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The example, and an empty server for it."""
    with example_site(tmp_path_factory.mktemp("gitlab"), "gitlab", drain=1) as made:
        yield made


@pytest.fixture(scope="module")
def deploying(site: Site, client: list[str], slipway: Path) -> Project:
    """The example as `init` made it a project of GitLab's, with its server and its variables."""
    for name in ("slipway.toml", ".env"):
        (site.path / name).unlink()
    arguments = ("init", "--slipway", "platform/slipway", "--ref", VERSION, "--output", ".")
    drydock("-m", str(slipway), "call", *arguments, cwd=site.path)
    site.configure()
    # The client's own folder, and what its users keep there instead of in GitLab's settings.
    with (site.path / ".gitignore").open("a") as ignored:
        ignored.write(".gitlab-ci-local*\n")
    variables = {
        "CI_REGISTRY_IMAGE": f"{site.registry}/e2e/gitlab",
        "CI_REGISTRY_USER": site.login.user,
        "CI_REGISTRY_PASSWORD": site.registry_password,
        "SSH_PRIVATE_KEY": site.server.key.read_text(),
        "API_ENV": f"DATABASE_URL={URL}\n",
    }
    (site.path / ".gitlab-ci-local-variables.yml").write_text(yaml.safe_dump(variables))
    git(site.path, "add", "--all")
    # The public names lead to the server, as DNS would have it.
    made = Project(site.path, site.behind_its_names(*client), {SLIPWAY: slipway})
    made.configure((site.path / ".gitlab-ci.yml").read_text() + "      engine: drydock\n")
    return made


async def test_a_push_to_main_deploys_to_staging(deploying: Project, site: Site) -> None:
    """Verified first; the site answers, the audit log has the job, the job's log has its stages and no secret."""
    ran = deploying.run(variables=MAIN)
    assert ran.code == 0, ran.output[-6000:]
    assert await site.status(f"{API}/health") == (200, "mindfulspace--staging--api--1")
    assert (await site.status(f"{WEB}/healthz"))[0] == 200
    kept = deploying.path / ".gitlab-ci-local/artifacts"
    release = json.loads((kept / "staging/.slipway/release/release.json").read_text())
    assert release["revision"] == git(deploying.path, "rev-parse", "HEAD")
    assert (kept / "verify/.slipway/reports/junit.xml").exists()
    entry = json.loads(site.server.ssh("cat slipway/mindfulspace--staging/audit.jsonl"))
    assert (entry["who"], entry["job"], entry["result"]) == ("ann", JOB, "done")
    for stage in ("preflight", "migrations", "start api", "start frontend"):
        assert stage in ran.output
    for secret in ("sentinel", site.registry_password, site.server.key.read_text().splitlines()[1]):
        assert secret not in ran.output


def images(project: Project) -> dict[str, str]:
    """Image → digest of the release that the job kept."""
    kept = project.path / ".gitlab-ci-local/artifacts/staging/.slipway/release/release.json"
    return {name: one["digest"] for name, one in json.loads(kept.read_text())["images"].items()}


def test_a_job_that_is_retried_on_an_empty_runner_deploys_the_same_release(
    deploying: Project, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it is built again; a variable that was changed meanwhile is brought to the server."""
    before = images(deploying)
    variables = deploying.path / ".gitlab-ci-local-variables.yml"
    changed = yaml.safe_load(variables.read_text())
    changed["API_ENV"] += "LOG_LEVEL=debug\n"
    variables.write_text(yaml.safe_dump(changed))
    with empty_engine(monkeypatch):
        ran = deploying.run("staging", variables=MAIN)
    assert ran.code == 0, ran.output[-6000:]
    assert images(deploying) == before
    report = deploying.path / ".gitlab-ci-local/artifacts/staging/.slipway/release/report.txt"
    assert report.read_text().count("reused, published") == len(before)
    assert "Steps:" not in report.read_text()
    assert "the registry has every image: nothing is built" in ran.output
    level = "docker exec mindfulspace--staging--api--2 node -p 'process.env.LOG_LEVEL'"
    assert site.server.ssh(level).strip() == "debug"
    running = site.server.ssh("docker inspect --format '{{.Config.Image}}' $(docker ps --quiet)")
    assert before["api"] in running
    assert before["frontend"] in running


async def test_the_rollback_job_brings_the_release_before_back(
    deploying: Project, site: Site
) -> None:
    """A person starts it; nothing is built for it."""
    with public_names(site.server.address):
        tiny = await asyncio.to_thread(push, site, 1)
        await site.deployment(tiny.target("newer")).deploy(lambda _: None)
    assert (await site.status(f"{API}/health"))[1] == "mindfulspace--staging--api--3"
    ran = deploying.run("staging-rollback", variables=MAIN)
    assert ran.code == 0, ran.output[-6000:]
    assert await site.status(f"{API}/sessions") == (200, "mindfulspace--staging--api--4")

"""`deploy` on a real Debian 13 server: behind Traefik, under load, and when things go wrong."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci.loadtest.cutover import ONE_HOST, TWO_HOSTS, Cutover, Run
from ci.loadtest.summary import figures, handover
from tests.e2e.site import API, URL, WEB, Site, example_site, public_names

pytestmark = pytest.mark.engine
# Requests a second of each of eight streams, as `ci/load` has it.
RATE = 10


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The example, and an empty server for it."""
    with example_site(tmp_path_factory.mktemp("deploy"), "e2e-deploy") as made:
        yield made


def served(run: Run) -> None:
    """Every request was answered, by the old release or by the new one, at the rate that it was to have."""
    assert not [sample for sample in run.samples if sample.failed]
    for found in figures([run.samples]):
        assert found.rate > 0.9 * RATE, found
    for samples, release in zip(run.by_app().values(), run.releases.values(), strict=True):
        first, last = handover(samples, release)
        assert samples[0].at < first
        assert samples[-1].at > last


async def test_the_first_deploy_ends_with_the_public_addresses_answering(site: Site) -> None:
    """Migrated, seeded, over TLS; on the server nothing that others can read."""
    report = site.deployed()
    assert "mindfulspace-staging runs" in report
    assert await site.status(f"{WEB}/healthz") == (200, "mindfulspace-staging-frontend-1")
    assert await site.status(f"{API}/sessions") == (200, "mindfulspace-staging-api-1")
    assert not site.server.ssh("find slipway -type f -perm /077 ! -name lock").split()
    manifest = json.loads(site.server.ssh("cat slipway/*/releases/*/release.json"))
    assert set(manifest["images"]) == {"frontend", "api", "migrator"}
    assert '"who": "tester"' in site.server.ssh("cat slipway/mindfulspace-staging/audit.jsonl")
    assert not site.server.ssh("ls -A slipway/mindfulspace-staging | grep .docker || true").strip()
    environment = site.server.ssh(
        "docker exec mindfulspace-staging-api-1-api-1 node -p 'process.env.DATABASE_URL'"
    )
    assert environment.strip() == URL


async def test_a_second_deploy_under_load_fails_no_request(site: Site, tmp_path: Path) -> None:
    """GET and POST, kept connections and new ones, requests of 2 s; the old release has gone after it."""
    with public_names(site.server.address):
        served(await Cutover.at(site, TWO_HOSTS, RATE, tmp_path).run(1))
    assert await site.status(f"{API}/health") == (200, "mindfulspace-staging-api-2")
    running = site.server.ssh("docker ps --format '{{.Names}}'")
    assert "mindfulspace-staging-api-1-" not in running


async def test_a_release_that_is_never_healthy_is_removed_and_the_old_one_serves(
    site: Site,
) -> None:
    """With the last it printed; the exit code is not 0."""
    site.configure(health="/no-such-path")
    try:
        done = site.call("deploy")
    finally:
        site.configure()
    assert done.returncode == 1
    assert "start api until it is healthy failed" in done.stderr
    assert "Nest application successfully started" in done.stderr
    assert await site.status(f"{API}/health") == (200, "mindfulspace-staging-api-2")
    left = site.server.ssh("docker ps --all --format '{{.Names}}'")
    assert "mindfulspace-staging-api-3-" not in left


async def test_a_key_that_is_not_pinned_is_refused(site: Site, tmp_path: Path) -> None:
    """Both fingerprints are shown; nothing was sent."""
    generate = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")]
    subprocess.run(generate, check=True)
    algorithm, key, *_ = (tmp_path / "other.pub").read_text().split()
    site.configure([f"{site.server.address} {algorithm} {key}"])
    try:
        done = site.call("plan")
    finally:
        site.configure()
    assert done.returncode == 1
    assert done.stderr.count("SHA256:") == 2
    assert "not pinned" in done.stderr


async def test_front_end_and_api_on_one_host_fail_no_request_either(
    site: Site, tmp_path: Path
) -> None:
    """The API is below a path of the front end's host; a newer front end does not take it."""
    cutover = Cutover.at(site, ONE_HOST, RATE, tmp_path)
    with public_names(site.server.address):
        await cutover.first()
        served(await cutover.run(1))

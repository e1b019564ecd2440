"""`deploy` on a real Debian 13 server: behind Traefik, under load, and when things go wrong."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ci.loadtest.cutover import ONE_HOST, TWO_HOSTS, Cutover, Run
from ci.loadtest.summary import figures, handover
from drydock import paths
from tests.e2e.site import API, URL, WEB, Site, example_site, public_names

pytestmark = pytest.mark.engine
# Requests a second of each of ten streams, as `ci/load` has it.
RATE = 10


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The example, and an empty server for it."""
    with example_site(tmp_path_factory.mktemp("deploy"), "e2e-deploy") as made:
        yield made


@dataclass(frozen=True)
class First:
    """The first deploy.

    Attributes:
        report: What it said at the end.
        output: All that it said.
        commands: The command lines on the server, again and again while it deployed.
    """

    report: str
    output: str
    commands: list[str]


@pytest.fixture(scope="module")
def first(site: Site) -> First:
    """The first deploy, and what everybody on the server could see of it."""
    commands: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            script = "cat /proc/[0-9]*/cmdline 2>/dev/null || true"
            commands.append(site.server.root("sh", "-c", script))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        done = site.call("deploy")
    finally:
        over.set()
        watcher.join()
    assert done.returncode == 0, done.stderr[-4000:]
    return First(done.stdout, done.stdout + done.stderr, commands)


def served(run: Run) -> None:
    """Every request was answered, by the old release or by the new one, at the rate that it was to have."""
    assert not [sample for sample in run.samples if sample.failed]
    for found in figures([run.samples]):
        assert found.rate > RATE / 2, found
    for samples, release in zip(run.by_app().values(), run.releases.values(), strict=True):
        first, last = handover(samples, release)
        assert samples[0].at < first
        assert samples[-1].at > last


async def test_the_first_deploy_ends_with_the_public_addresses_answering(
    site: Site, first: First
) -> None:
    """Migrated, seeded, over TLS; on the server nothing that others can read."""
    assert "mindfulspace--staging runs" in first.report
    assert await site.status(f"{WEB}/healthz") == (200, "mindfulspace--staging--frontend--1")
    assert await site.status(f"{API}/sessions") == (200, "mindfulspace--staging--api--1")
    assert not site.server.ssh("find slipway -type f -perm /077 ! -name lock").split()
    manifest = json.loads(site.server.ssh("cat slipway/*/releases/*/release.json"))
    assert set(manifest["images"]) == {"frontend", "api", "migrator"}
    assert '"who": "tester"' in site.server.ssh("cat slipway/mindfulspace--staging/audit.jsonl")
    assert not site.server.ssh("ls -A slipway/mindfulspace--staging | grep .docker || true").strip()
    environment = site.server.ssh(
        "docker exec mindfulspace--staging--api--1 node -p 'process.env.DATABASE_URL'"
    )
    assert environment.strip() == URL


async def test_no_secret_is_where_others_could_read_it(site: Site, first: First) -> None:
    """Not on a command line while it deployed, in a log, an image, or a file but the env files of its owner."""
    secrets = ["sentinel", site.registry_password, site.server.key.read_text().splitlines()[1]]
    images = "docker images --quiet | sort -u"
    inspected = site.server.ssh(f"docker image inspect $({images})")
    history = site.server.ssh(f"for one in $({images}); do docker history --no-trunc $one; done")
    files = site.server.ssh("find slipway -type f ! -name '*.env' -exec cat {} +")
    engine = "".join(log.read_text(errors="replace") for log in paths.state().rglob("*.log"))
    assert any("docker\0login" in commands for commands in first.commands)
    assert engine
    # Prisma's command line hands its engine the address as an argument, for the seconds that it migrates.
    commands = [re.sub(r"--datasource\0\{.*?\}\0", "", text) for text in first.commands]
    for place in (*commands, first.output, inspected, history, files, engine):
        for secret in secrets:
            at = place.find(secret)
            assert at < 0, place[max(0, at - 300) : at].replace("\0", " ")
    modes = site.server.ssh("grep -rl sentinel slipway | xargs stat -c %a").split()
    assert set(modes) == {"600"}


def test_a_deploy_of_what_serves_says_so_and_changes_nothing(site: Site, first: First) -> None:
    """Nothing is verified, built or replaced; that somebody asked is in the audit log."""
    assert "Done in" in first.report
    before = site.server.ssh("docker ps --quiet --no-trunc")
    done = site.call("deploy")
    assert done.returncode == 0, done.stderr[-4000:]
    assert "mindfulspace--staging runs" in done.stdout
    assert "already (number 1)" in done.stdout
    assert "verify" not in done.stdout + done.stderr.replace("--verify", "")
    assert site.server.ssh("docker ps --quiet --no-trunc") == before
    audit = site.server.ssh("cat slipway/mindfulspace--staging/audit.jsonl").splitlines()
    assert [json.loads(line)["result"] for line in audit] == ["done", "ran already"]


async def test_a_second_deploy_under_load_fails_no_request(site: Site, tmp_path: Path) -> None:
    """GET and POST, kept connections and new ones, requests of 2 s; the old release has gone after it."""
    with public_names(site.server.address):
        served(await Cutover.at(site, TWO_HOSTS, RATE, tmp_path).run(1))
    assert await site.status(f"{API}/health") == (200, "mindfulspace--staging--api--2")
    running = site.server.ssh("docker ps --format '{{.Names}}'")
    assert "mindfulspace--staging--api--1" not in running


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
    assert "start api until it is healthy failed on the server (not done in time)" in done.stderr
    assert "Nest application successfully started" in done.stderr
    assert re.search(
        r"health checks of api:\n  +starting\n +\d\d:\d\d:\d\d exit code 1", done.stderr
    )
    assert "rolled back" in done.stderr
    assert await site.status(f"{API}/health") == (200, "mindfulspace--staging--api--2")
    left = site.server.ssh("docker ps --all --format '{{.Names}}'")
    assert "mindfulspace--staging--api--3" not in left


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

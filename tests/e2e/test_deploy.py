"""`deploy` on a real Debian 13 server: behind Traefik, under load, and when things go wrong."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.site import API, URL, WEB, Site, example_site

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The example, and an empty server for it."""
    with example_site(tmp_path_factory.mktemp("deploy"), "e2e-deploy") as made:
        yield made


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


async def test_a_second_deploy_under_load_fails_no_request(site: Site) -> None:
    """GET and POST, kept connections and new ones, for as long as the deploy lasts."""
    done = Counter[str]()
    over = asyncio.Event()

    async def one(client: httpx.AsyncClient, method: str, url: str, body: object) -> None:
        try:
            answer = await site.ask(client, method, url, body)
            done["ok" if answer.is_success else f"{method} {url} {answer.status_code}"] += 1
        except httpx.HTTPError as error:
            done[f"{method} {url} {error!r}"] += 1

    async def users(method: str, url: str, body: object = None, *, keep: bool = True) -> None:
        async with site.client(keep=keep) as client, asyncio.TaskGroup() as group:
            while not over.is_set():
                group.create_task(one(client, method, url, body))
                await asyncio.sleep(0.04)

    async def deploy() -> None:
        try:
            await asyncio.to_thread(site.deployed)
        finally:
            over.set()

    session = {"title": "Under load", "minutes": 3, "mood": "calm"}
    async with asyncio.TaskGroup() as group:
        group.create_task(users("GET", f"{API}/health"))
        group.create_task(users("GET", f"{API}/sessions", keep=False))
        group.create_task(users("POST", f"{API}/sessions", session))
        group.create_task(users("GET", f"{WEB}/healthz"))
        group.create_task(deploy())
    assert set(done) == {"ok"}, done
    assert done["ok"] > 100
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

"""`deploy` on a real Debian 13 server: behind Traefik, under load, and when things go wrong."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ci.lab import settings
from ci.lab.server import Server
from ci.lab.servers import fresh_servers
from tests.e2e.example import ROOT, copy_example

pytestmark = pytest.mark.engine

DRYDOCK = Path(sys.executable).parent / "drydock"
WEB, API = "https://staging.mindfulspace.example", "https://api.staging.mindfulspace.example"
PASSWORD = "sentinel p@ss$word"
URL = "postgresql://app:sentinel%20p%40ss%24word@db:5432/mindful"
CONFIG = """
[environments.staging]
api_url = "{api}"
url = "{web}"
ca = "ca.pem"
seed = true

[environments.staging.server]
host = "{host}"
known_hosts = [{keys}]

[apps.frontend]
path = "apps/frontend-next"
health = "/healthz"
drain = 3

[apps.api]
path = "apps/api-nest"
health = "{health}"
drain = 3
start = 20
"""


@dataclass(frozen=True)
class Site:
    """A user's repository, and the server that it is deployed to."""

    path: Path
    server: Server
    ca: Path
    registry_password: str

    def configure(self, keys: list[str], health: str = "/health") -> None:
        """Write slipway.toml with the server's pinned keys, and the path that tells the API's health."""
        shown = ", ".join(f'"{key}"' for key in keys)
        text = CONFIG.format(api=API, web=WEB, host=self.server.address, keys=shown, health=health)
        (self.path / "slipway.toml").write_text('name = "mindfulspace"\n' + text)

    def pinned(self) -> list[str]:
        """The server's own keys."""
        return self.server.known_hosts.read_text().splitlines()

    def command(self, *arguments: str) -> list[str]:
        """A call of slipway where the public names lead to the server, as DNS would."""
        bound = 'mount --bind "$0" /etc/hosts && exec "$@"'
        hosts = str(self.path.parent / "hosts")
        call = [str(DRYDOCK), "--progress", "plain", "-m", str(ROOT), "call", *arguments]
        return ["unshare", "--mount", "sh", "-c", bound, hosts, *call]

    def environment(self) -> dict[str, str]:
        """What .env refers to."""
        return {
            **os.environ,
            "SSH_KEY": self.server.key.read_text(),
            "API_ENV": f"DATABASE_URL={URL}\n",
            "REGISTRY_PASSWORD": self.registry_password,
        }

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call a function to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.path,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def deployed(self) -> str:
        """Deploy, and expect it to work."""
        done = self.call("deploy")
        assert done.returncode == 0, done.stdout + done.stderr[-4000:]
        assert "sentinel" not in done.stdout + done.stderr
        return done.stdout

    def client(self, *, keep: bool = True) -> httpx.AsyncClient:
        """A user's browser: the site's names lead to the server."""
        context = ssl.create_default_context(cafile=str(self.ca))
        limits = httpx.Limits(max_keepalive_connections=20 if keep else 0)
        return httpx.AsyncClient(verify=context, limits=limits, timeout=20, trust_env=False)

    async def ask(
        self, client: httpx.AsyncClient, method: str, url: str, body: object = None
    ) -> httpx.Response:
        """One request of a user."""
        name = httpx.URL(url).host
        return await client.request(
            method,
            url.replace(name, self.server.address),
            headers={"Host": name},
            json=body,
            extensions={"sni_hostname": name},
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The example, and an empty server for it."""
    lab = settings.load()
    folder = tmp_path_factory.mktemp("deploy")
    with fresh_servers("e2e-deploy") as (server,):
        password = (lab.home / "secure-registry" / "password").read_text().strip()
        repo = copy_example(folder / "mindfulspace")
        made = Site(repo.path, server, lab.authority / "ca.crt", password)
        (repo.path / "ca.pem").write_text(made.ca.read_text())
        names = f"{httpx.URL(WEB).host} {httpx.URL(API).host}"
        (folder / "hosts").write_text(f"127.0.0.1 localhost\n{server.address} {names}\n")
        (repo.path / ".env").write_text(
            "SLIPWAY_SSHKEY=env://SSH_KEY\nSLIPWAY_APIENV=env://API_ENV\n"
            f"SLIPWAY_REGISTRY={server.bridge.gateway}:{lab.secure_port}/e2e/deploy\n"
            "SLIPWAY_REGISTRYUSER=ci\nSLIPWAY_REGISTRYPASSWORD=env://REGISTRY_PASSWORD\n"
            "SLIPWAY_ACTOR=tester\n"
        )
        made.configure(made.pinned())
        yield made


async def status(site: Site, url: str) -> tuple[int, str]:
    """The status of an address, and the release that answered."""
    async with site.client() as client:
        answer = await site.ask(client, "GET", url)
        return answer.status_code, answer.headers.get("X-Slipway-Release", "")


async def test_the_first_deploy_ends_with_the_public_addresses_answering(site: Site) -> None:
    """Migrated, seeded, over TLS; on the server nothing that others can read."""
    report = site.deployed()
    assert "mindfulspace-staging runs" in report
    assert await status(site, f"{WEB}/healthz") == (200, "mindfulspace-staging-frontend-1")
    assert await status(site, f"{API}/sessions") == (200, "mindfulspace-staging-api-1")
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
    assert await status(site, f"{API}/health") == (200, "mindfulspace-staging-api-2")
    running = site.server.ssh("docker ps --format '{{.Names}}'")
    assert "mindfulspace-staging-api-1-" not in running


async def test_a_release_that_is_never_healthy_is_removed_and_the_old_one_serves(
    site: Site,
) -> None:
    """With the last it printed; the exit code is not 0."""
    site.configure(site.pinned(), health="/no-such-path")
    try:
        done = site.call("deploy")
    finally:
        site.configure(site.pinned())
    assert done.returncode == 1
    assert "start api until it is healthy failed" in done.stderr
    assert "Nest application successfully started" in done.stderr
    assert await status(site, f"{API}/health") == (200, "mindfulspace-staging-api-2")
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
        site.configure(site.pinned())
    assert done.returncode == 1
    assert done.stderr.count("SHA256:") == 2
    assert "not pinned" in done.stderr

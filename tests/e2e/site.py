"""The example on a real server of its own, deployed by `drydock call` or within this process."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from ci.lab import settings
from ci.lab.server import Server
from ci.lab.servers import fresh_servers
from slipway import configfile, detect, survey
from slipway.project import Project
from slipway.server import aim, names, owner
from slipway.server.deploy import Deployment
from slipway.server.operator import Operator
from slipway.server.routing import Router
from slipway.server.ssh import Address
from slipway.server.target import Login, Target
from tests.e2e.example import ORIGIN, ROOT, copy_example

DRYDOCK = Path(sys.executable).parent / "drydock"
WEB, API = "https://staging.mindfulspace.example", "https://api.staging.mindfulspace.example"
PROD_WEB, PROD_API = "https://mindfulspace.example", "https://api.mindfulspace.example"
HOSTS = tuple(str(httpx.URL(url).host) for url in (WEB, API, PROD_WEB, PROD_API))
DOMAIN = "mindfulspace.example"
PASSWORD = "sentinel p@ss$word"
URL = "postgresql://app:sentinel%20p%40ss%24word@db:5432/mindful"
USER = "ci"
ENVIRONMENT = """
[environments.{name}]
api_url = "{api}"
url = "{web}"
ca = "ca.pem"
seed = {seed}

[environments.{name}.server]
host = "{host}"
known_hosts = [{keys}]
"""
APPS = """
[apps.frontend]
path = "apps/frontend-next"
health = "/healthz"
drain = {drain}

[apps.api]
path = "apps/api-nest"
health = "{health}"
drain = {drain}
start = 20
"""


@dataclass(frozen=True)
class Published:
    """A release of the example in the lab's registry.

    Attributes:
        manifest: release.json.
        images: Image → its reference by digest.
        sizes: Reference → compressed bytes.
    """

    manifest: str
    images: dict[str, str]
    sizes: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Relayed(Operator):
    """Someone whose SSH may go by another address than the proxy that they ask.

    Attributes:
        via: The server's own address.
    """

    via: str

    @property
    def router(self) -> Router:
        """Asks the server itself."""
        return Router(self.via, self.ca)


# By environment; the registry keeps its images from one server to the next.
_PUBLISHED: dict[str, Published] = {}


@dataclass(frozen=True)
class Site:
    """A user's repository, and the server that it is deployed to.

    Attributes:
        path: The repository.
        server: The server.
        registry_password: The password of the lab's registry.
        drain: Seconds that requests in flight get.
        addresses: Environment → the addresses of front end and API.
    """

    path: Path
    server: Server
    registry_password: str
    drain: float = 3
    addresses: dict[str, tuple[str, str]] = field(
        default_factory=lambda: {"staging": (WEB, API), "prod": (PROD_WEB, PROD_API)}
    )

    def configure(self, keys: Sequence[str] = (), health: str = "/health") -> None:
        """Write slipway.toml.

        Args:
            keys: The pinned keys; the server's own by default.
            health: The path that tells the API's health.
        """
        shown = ", ".join(f'"{key}"' for key in keys or self.pinned())
        tables = [
            ENVIRONMENT.format(
                name=name,
                web=web,
                api=api,
                seed=str(name == "staging").lower(),
                host=self.server.address,
                keys=shown,
            )
            for name, (web, api) in self.addresses.items()
        ]
        text = "".join(tables) + APPS.format(health=health, drain=self.drain)
        (self.path / "slipway.toml").write_text('name = "mindfulspace"\n' + text)

    def pinned(self) -> list[str]:
        """The server's own keys."""
        return self.server.known_hosts.read_text().splitlines()

    @property
    def registry(self) -> str:
        """The host of the lab's registry with a login, as the server and the daemon know it."""
        return f"{self.server.bridge.gateway}:{self.server.config.secure_port}"

    @property
    def login(self) -> Login:
        """Who pulls."""
        return Login(self.registry, USER, self.registry_password)

    def behind_its_names(self, *command: str) -> list[str]:
        """A command for which the public names lead to the server, as DNS would have it."""
        bound = 'mount --bind "$0" /etc/hosts && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", bound, str(self.path.parent / "hosts"), *command]

    def command(self, *arguments: str) -> list[str]:
        """A call of slipway, with the public names."""
        call = [str(DRYDOCK), "--progress", "plain", "-m", str(ROOT), "call", *arguments]
        return self.behind_its_names(*call)

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

    def called(self, *arguments: str) -> str:
        """Call a function, and expect it to work; what it printed, without a secret."""
        done = self.call(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr[-4000:]
        assert "sentinel" not in done.stdout + done.stderr
        return done.stdout

    def deployed(self) -> str:
        """Deploy, and expect it to work."""
        return self.called("deploy")

    def published(self, environment: str = "staging") -> Published:
        """The example's release, published once for all tests; `environment` names it."""
        if environment not in _PUBLISHED:
            text = self.called("publish", "--env", environment, "--force")
            file = json.loads(text.partition("release.json:\n")[2])
            images = {
                name: f"{image['repository']}@{image['digest']}"
                for name, image in file["images"].items()
            }
            sizes = {images[name]: image["size"] for name, image in file["images"].items()}
            _PUBLISHED[environment] = Published(json.dumps(file), images, sizes)
        return _PUBLISHED[environment]

    def project(self) -> Project:
        """What slipway tells of the repository."""
        names = frozenset(
            path.relative_to(self.path).as_posix()
            for path in self.path.rglob("*")
            if path.is_file() and ".git" not in path.parts
        )
        texts = survey.Files(self.path, names).texts(
            name for name in names if name.endswith((".json", ".yaml", ".prisma", ".ts"))
        )
        repo = survey.monorepo(names, texts)
        text = (self.path / "slipway.toml").read_text()
        config = configfile.load(
            text, where="slipway.toml", packages=repo.packages, files=repo.files
        )
        return detect.project(repo, config)

    def target(
        self, identifier: str = "first", environment: str = "staging", **changes: Any
    ) -> Target:
        """The example's release as `deploy` aims it.

        Args:
            identifier: Its name.
            environment: The environment's name.
            changes: Fields of the target that differ.
        """
        made, project = self.published(environment), self.project()
        aimed = aim.target(
            project,
            environment,
            made.images,
            aim.Secrets(api_env=f"DATABASE_URL={URL}\n"),
            identifier=identifier,
            manifest=made.manifest,
            login=self.login,
        )
        return replace(aimed, **changes)

    def operator(
        self, environment: str = "staging", *, who: str = "tester", port: int = 0
    ) -> Operator:
        """Who acts on the server.

        Args:
            environment: The environment's name.
            who: The person.
            port: One on this machine that leads to the server's SSH; by default it is asked itself.
        """
        host, ssh = ("127.0.0.1", port) if port else (self.server.address, self.server.port)
        key = " ".join(self.pinned()[0].split()[1:])
        known = f"[{host}]:{ssh} {key}" if port else f"{host} {key}"
        return Relayed(
            via=self.server.address,
            site=names.Site("mindfulspace", environment),
            address=Address(host, ssh, self.server.user, (known,)),
            key=self.server.key.read_text(),
            who=who,
            ca=self.server.ca.read_text(),
            repository=owner.repository(ORIGIN),
        )

    def deployment(
        self, target: Target, operator: Operator | None = None, **sizes: int
    ) -> Deployment:
        """The deploy of a target by this process, where `public_names` has to be in force.

        Args:
            target: The release.
            operator: Who deploys it.
            sizes: Image → compressed bytes, as far as preflight is to know.
        """
        return Deployment(operator or self.operator(target.site.environment), target, sizes)

    def client(self, *, keep: bool = True) -> httpx.AsyncClient:
        """A user's browser."""
        context = ssl.create_default_context(cafile=str(self.server.ca))
        limits = httpx.Limits(max_keepalive_connections=20 if keep else 0)
        return httpx.AsyncClient(verify=context, limits=limits, timeout=20, trust_env=False)

    async def ask(
        self, client: httpx.AsyncClient, method: str, url: str, body: object = None
    ) -> httpx.Response:
        """One request of a user, for whom the site's names lead to the server."""
        name = httpx.URL(url).host
        return await client.request(
            method,
            url.replace(name, self.server.address),
            headers={"Host": name},
            json=body,
            extensions={"sni_hostname": name},
        )

    async def status(self, url: str) -> tuple[int, str]:
        """The status of an address, and the release that answered."""
        async with self.client() as client:
            answer = await self.ask(client, "GET", url)
            return answer.status_code, answer.headers.get(names.HEADER, "")


@contextmanager
def example_site(
    folder: Path, name: str, drain: float = 3, kind: type[Server] = Server
) -> Iterator[Site]:
    """The example, configured for an empty server of that name; removed at the end.

    Args:
        folder: Where the repository is made.
        name: The server's name.
        drain: Seconds that requests in flight get.
        kind: `BareServer` for one that nobody has set up.
    """
    lab = settings.load()
    with fresh_servers(name, kind=kind) as (server,):
        password = (lab.home / "secure-registry" / "password").read_text().strip()
        site = Site(copy_example(folder / "mindfulspace").path, server, password, drain)
        (site.path / "ca.pem").write_text(server.ca.read_text())
        (folder / "hosts").write_text(f"127.0.0.1 localhost\n{server.address} {' '.join(HOSTS)}\n")
        (site.path / ".env").write_text(
            "SLIPWAY_SSHKEY=env://SSH_KEY\nSLIPWAY_APIENV=env://API_ENV\n"
            f"SLIPWAY_REGISTRY={site.registry}/e2e/deploy\n"
            f"SLIPWAY_REGISTRYUSER={USER}\nSLIPWAY_REGISTRYPASSWORD=env://REGISTRY_PASSWORD\n"
            "SLIPWAY_ACTOR=tester\n"
        )
        site.configure()
        yield site


@contextmanager
def public_names(address: str) -> Iterator[None]:
    """Within this process all names of the domain lead to an address, as DNS would have it."""
    genuine = socket.getaddrinfo

    def led(host: Any, *arguments: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        led_there = str(name).endswith(DOMAIN)
        return genuine(address if led_there else host, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", led)
        yield

"""The user's repository: the example, configured for the lab's server."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ci.lab.server import Server

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "mindfulspace"
NOT_CLONED = shutil.ignore_patterns("node_modules", ".next", "dist", "generated", "*.tsbuildinfo")
# Environment → the host names of front end and API.
SITES = {
    "staging": ("staging.mindfulspace.example", "api.staging.mindfulspace.example"),
    "prod": ("mindfulspace.example", "api.mindfulspace.example"),
}
PAGE = "apps/frontend-next/app/page.tsx"
FIRST, SECOND = (
    "A gentle record of your meditation.",
    "A second, gentler record of your meditation.",
)
ENVIRONMENT = """
[environments.{name}]
url = "https://{web}"
api_url = "https://{api}"
ca = "ca.pem"
seed = {seed}

[environments.{name}.server]
host = "{host}"
known_hosts = ["{key}"]
"""
APPS = """
[apps.frontend]
path = "apps/frontend-next"
health = "/healthz"
drain = 3

[apps.api]
path = "apps/api-nest"
health = "/health"
drain = 3
"""
# References alone, to files that only their owner can read.
SECRETS = """\
SLIPWAY_SSHKEY=file://{server.key}
SLIPWAY_APIENV=file://{api_env}
SLIPWAY_REGISTRY={server.bridge.gateway}:{server.config.secure_port}/rehearsal/{round}
SLIPWAY_REGISTRYUSER=ci
SLIPWAY_REGISTRYPASSWORD=file://{server.config.home}/secure-registry/password
SLIPWAY_ACTOR=rehearsal
"""


@dataclass(frozen=True)
class Clone:
    """The example in a Git repository of its own.

    Attributes:
        folder: Holds the repository and what its `.env` refers to.
        server: What both environments are deployed to.
    """

    folder: Path
    server: Server

    @property
    def path(self) -> Path:
        """The repository."""
        return self.folder / "mindfulspace"

    @property
    def hosts(self) -> Path:
        """This machine's /etc/hosts, with the site's names at the server's address."""
        return self.folder / "hosts"

    def make(self) -> None:
        """Copy the example, configure it for the server, and commit that; an older one goes."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(EXAMPLE, self.path, ignore=NOT_CLONED)
        names = " ".join(name for site in SITES.values() for name in site)
        known = Path("/etc/hosts").read_text()
        self.hosts.write_text(f"{known}\n{self.server.address} {names}\n")
        self._configure()
        self._git("init", "--quiet", "--initial-branch", "main")
        self._commit("the example, with a server")

    def edit(self) -> None:
        """Change what the front page says, and commit that."""
        page = self.path / PAGE
        page.write_text(page.read_text().replace(FIRST, SECOND))
        self._commit("feat: say it better")

    def tag(self, name: str) -> None:
        """Give the last commit a tag."""
        self._git("tag", name)

    def _configure(self) -> None:
        api_env = self.folder / "api.env"
        api_env.touch(mode=0o600)
        api_env.write_text("DATABASE_URL=postgresql://app:rehearsal@db:5432/mindfulspace\n")
        # Of each rehearsal its own: a release's tag never moves, and each has a v1.0.0.
        text = SECRETS.format(server=self.server, api_env=api_env, round=int(time.time()))
        (self.path / ".env").write_text(text)
        (self.path / "ca.pem").write_text(self.server.ca.read_text())
        (self.path / "slipway.toml").write_text(self._configuration())

    def _configuration(self) -> str:
        """slipway.toml: one server for both environments; production refuses to seed."""
        tables = [
            ENVIRONMENT.format(
                name=name,
                web=web,
                api=api,
                seed=str(name == "staging").lower(),
                host=self.server.address,
                key=self.server.known_hosts.read_text().strip(),
            )
            for name, (web, api) in SITES.items()
        ]
        return 'name = "mindfulspace"\n' + "".join(tables) + APPS

    def _commit(self, message: str) -> None:
        identity = ("-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@example.invalid")
        self._git("add", "--all")
        self._git(*identity, "commit", "--quiet", "--message", message)

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.path, check=True)

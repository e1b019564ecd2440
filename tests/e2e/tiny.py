"""A tiny app and a tiny migrator as real images, for tests where the app itself does not matter."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagger
import pytest

from drydock import daemon
from drydock.buildkit import BuildKit
from drydock.engine import Engine
from drydock.progress import Progress
from drydock.session import Session
from drydock.workspace import find_workspace
from slipway.server import names
from slipway.server.target import AppRelease, Database, Migration, Routing, Target
from tests.e2e.site import API, PASSWORD, URL, WEB, Site

# It serves 0.3 s after its start. As PID 1 without a handler it ignores SIGTERM.
SERVER = """
const http = require('node:http');
http.createServer((request, response) => {
  const url = new URL(request.url, 'http://here');
  const seconds = Number(url.searchParams.get('seconds') ?? 0);
  if (url.pathname === '/health') response.statusCode = Number(process.env.HEALTH ?? 200);
  request.resume();
  setTimeout(() => response.end(process.env.BODY ?? 'ok'), seconds * 1000);
}).listen(Number(process.env.PORT), () => console.log('tiny listens'));
process.on('SIGTERM', () => process.exit(0));
"""
# Does what its environment says: lasts, and ends.
MIGRATOR = """
setTimeout(() => process.exit(Number(process.env.CODE ?? 0)), Number(process.env.SECONDS ?? 0) * 1000);
process.on('SIGTERM', () => process.exit(143));
"""
BASE = "node:22-bookworm-slim"


@dataclass(frozen=True)
class Tiny:
    """The tiny images in the lab's registry, and targets made of them.

    Attributes:
        site: The server's site.
        apps: The app in several versions, each an image of its own.
        migrator: The migrator.
    """

    site: Site
    apps: tuple[str, ...]
    migrator: str

    def target(self, identifier: str, version: int = 0, **changes: Any) -> Target:
        """A release of two apps and a migrator, for staging.

        Args:
            identifier: Its name.
            version: Which of the images.
            changes: `health` and `body` of the API; fields of the migration: `code`, `lasts`, `within`;
                `database_env`, `api_env`, `login`.
        """
        env = {"DATABASE_URL": URL, **changes.get("api_env", {})}
        if "health" in changes:
            env["HEALTH"] = str(changes["health"])
        migrating = {"CODE": str(changes.get("code", 0)), "SECONDS": str(changes.get("lasts", 0))}
        image, drain = self.apps[version], self.site.drain
        api = AppRelease(
            "api",
            image,
            3001,
            Routing(str(API).removeprefix("https://")),
            "/health",
            1,
            env=env,
            internal=True,
            drain=drain,
            start=15,
        )
        web = AppRelease(
            "frontend",
            image,
            3000,
            Routing(str(WEB).removeprefix("https://")),
            "/health",
            1,
            internal=True,
            drain=drain,
            start=15,
        )
        user, name = "app", "mindful"
        database = {"POSTGRES_USER": user, "POSTGRES_PASSWORD": PASSWORD, "POSTGRES_DB": name}
        return Target(
            names.Site("mindfulspace", "staging"),
            identifier,
            (api, web),
            database=Database("postgres:17", "db", changes.get("database_env", database)),
            migration=Migration(
                changes.get("migrator", self.migrator),
                {**env, **migrating},
                seconds=changes.get("within", 60),
            ),
            login=changes.get("login", self.site.login),
        )


def push(site: Site, versions: int) -> Tiny:
    """Push the tiny images to the lab's registry, which serves as long as the site's server runs.

    Args:
        site: The site.
        versions: How many versions of the app.
    """
    return asyncio.run(_push(site, versions))


async def _push(site: Site, versions: int) -> Tiny:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        engine = Engine(BuildKit(Progress(), lambda: daemon.ensure().address), Path(name))
        session = Session(engine, find_workspace(Path(name)))
        async with session.serve():
            for variable, value in session.environment().items():
                patch.setenv(variable, value)
            patch.setenv("OTEL_SDK_DISABLED", "true")
            async with dagger.connection():
                apps = [
                    await _image(site, f"app-{version}", SERVER, str(version))
                    for version in range(versions)
                ]
                migrator = await _image(site, "migrator", MIGRATOR, "")
        await engine.close()
    return Tiny(site, tuple(apps), migrator)


async def _image(site: Site, name: str, program: str, version: str) -> str:
    """Push one image; its reference by digest, without the tag."""
    address = f"{site.registry}/e2e/tiny/{name}"
    secret = dagger.dag.set_secret("registry-password", site.registry_password)
    made = dagger.dag.container().from_(BASE).with_new_file("/app.js", program)
    made = made.with_new_file("/version", version).with_user("node")
    made = made.with_entrypoint(["node", "/app.js"]).with_default_args([])
    pushed = await made.with_registry_auth(site.registry, site.login.user, secret).publish(
        f"{address}:1"
    )
    return f"{address}@{pushed.rpartition('@')[2]}"

"""A tiny app and a tiny migrator as real images, for tests where the app itself does not matter."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, replace
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

# It answers when it has all of a request. As PID 1 without a handler it ignores SIGTERM.
SERVER = """
const http = require('node:http');
http.createServer((request, response) => {
  const url = new URL(request.url, 'http://here');
  const seconds = Number(url.searchParams.get('seconds') ?? 0);
  if (url.pathname === '/health') response.statusCode = Number(process.env.HEALTH ?? 200);
  request.resume();
  request.on('end', () => setTimeout(() => response.end(process.env.BODY ?? 'ok'), seconds * 1000));
}).listen(Number(process.env.PORT), () => console.log('tiny listens'));
process.on('SIGTERM', () => process.exit(0));
"""
# Does what its environment says: lasts, and ends.
MIGRATOR = """
setTimeout(() => process.exit(Number(process.env.CODE ?? 0)), Number(process.env.SECONDS ?? 0) * 1000);
process.on('SIGTERM', () => process.exit(143));
"""
# Writes a row of its own through the address in its environment: what it did is read back from the database.
RECORDER = """
sleep "${SECONDS_BEFORE:-0}"
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 "$DATABASE_URL" \\
  --command "create table if not exists visit (site text, release text)" \\
  --command "insert into visit values ('$SITE', '$RELEASE')"
"""
BASE = "node:22-bookworm-slim"
POSTGRES = "postgres:17"
DATABASE_ENV = {"POSTGRES_USER": "app", "POSTGRES_PASSWORD": PASSWORD, "POSTGRES_DB": "mindful"}


@dataclass(frozen=True)
class Tiny:
    """The tiny images in the lab's registry, and targets made of them.

    Attributes:
        site: The server's site.
        apps: The app in several versions, each an image of its own.
        migrator: The migrator.
        recorder: A migrator that writes a row.
    """

    site: Site
    apps: tuple[str, ...]
    migrator: str
    recorder: str

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
        return Target(
            names.Site("mindfulspace", "staging"),
            identifier,
            (api, web),
            database=Database(POSTGRES, "db", changes.get("database_env", DATABASE_ENV)),
            migration=Migration(
                changes.get("migrator", self.migrator),
                {**env, **migrating},
                seconds=changes.get("within", 60),
            ),
            login=changes.get("login", self.site.login),
        )

    def recorded(self, site: names.Site, identifier: str, version: int = 0) -> Target:
        """A release for any site, at addresses of its own, whose migrator writes which site and release it is.

        Args:
            site: The site.
            identifier: The release's name.
            version: Which of the images.
        """
        target = self.target(identifier, version)
        assert target.database
        assert target.migration
        apps = [
            replace(app, routing=Routing(f"{site.name}-{app.name}.mindfulspace.example"))
            for app in target.apps
        ]
        record = {"DATABASE_URL": URL, "SITE": site.name, "RELEASE": identifier}
        return replace(
            target,
            site=site,
            apps=tuple(apps),
            migration=replace(target.migration, image=self.recorder, env=record),
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
                recorder = await _pushed(
                    site,
                    "recorder",
                    dagger.dag.container()
                    .from_(POSTGRES)
                    .with_entrypoint(["sh", "-euc", RECORDER, "recorder"]),
                )
        await engine.close()
    return Tiny(site, tuple(apps), migrator, recorder)


async def _image(site: Site, name: str, program: str, version: str) -> str:
    """Push an image of a program; its reference by digest, without the tag."""
    made = dagger.dag.container().from_(BASE).with_new_file("/app.js", program)
    made = made.with_new_file("/version", version).with_user("node")
    made = made.with_entrypoint(["node", "/app.js"]).with_default_args([])
    return await _pushed(site, name, made)


async def _pushed(site: Site, name: str, image: dagger.Container) -> str:
    """Push an image; its reference by digest, without the tag."""
    address = f"{site.registry}/e2e/tiny/{name}"
    secret = dagger.dag.set_secret("registry-password", site.registry_password)
    pushed = await image.with_registry_auth(site.registry, site.login.user, secret).publish(
        f"{address}:1"
    )
    return f"{address}@{pushed.rpartition('@')[2]}"

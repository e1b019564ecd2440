"""The same commit on another machine, on another day: the same images."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import dagger
import pytest
import yaml

from drydock import daemon, paths
from drydock.buildkit import BuildKit
from drydock.engine import Engine
from drydock.progress import Progress
from drydock.session import Session
from drydock.workspace import find_workspace
from slipway.checkout import surveyed
from slipway.images import Images
from slipway.install import Installation
from slipway.layout import SCRIPTS
from slipway.monorepo import Workshop
from slipway.report import parse_steps
from slipway.reproduction import compared
from slipway.runtime import Made, Runtime
from tests.e2e.example import EXAMPLE, NOT_COPIED, commit

pytestmark = [pytest.mark.engine, pytest.mark.slow]

API = "apps/api-nest/src/main.ts"
PAGE = "apps/frontend-next/app/page.tsx"
NODE = "node:22-bookworm-slim"


@asynccontextmanager
async def session_in(checkout: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The SDK's client in a checkout, with the daemon of the environment as its engine."""
    engine = Engine(BuildKit(Progress(), lambda: daemon.ensure().address), checkout)
    session = Session(engine, find_workspace(checkout))
    async with session.serve():
        for name, value in session.environment().items():
            patch.setenv(name, value)
        patch.setenv("OTEL_SDK_DISABLED", "true")
        async with dagger.connection():
            yield
    await engine.close()


@asynccontextmanager
async def machine() -> AsyncIterator[pytest.MonkeyPatch]:
    """A machine of its own: a daemon with nothing in it, and no cache of drydock's either."""
    # A short path: sockets have room for about a hundred characters.
    root, config, programs = (
        tempfile.mkdtemp(prefix="drydock-"),
        paths.config(),
        paths.data() / "bin",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{os.environ['PATH']}:{programs}")
        patch.setenv("DRYDOCK_CONFIG", str(config))
        patch.delenv("BUILDKIT_HOST", raising=False)
        for name in ("STATE", "DATA", "CACHE"):
            patch.setenv(f"XDG_{name}_HOME", f"{root}/{name.lower()}")
        try:
            yield patch
        finally:
            daemon.down()
            shutil.rmtree(root)


@dataclass(frozen=True)
class Build:
    """What one build made.

    Attributes:
        digests: Of each image, by its name.
        images: The images.
        begun: When each step began, in seconds since 1970.
    """

    digests: dict[str, str]
    images: dict[str, Made]
    begun: dict[str, float]


async def build(host: str, *names: str, key: dagger.Secret | None = None, fresh: str = "") -> Build:
    """Build some images (default: all) of the checkout that the session stands in, and push them.

    Args:
        host: The registry.
        names: The images.
        key: The key of the front ends.
        fresh: As `Installation` has it.
    """
    ws = dagger.dag.current_workspace()
    survey = await surveyed(ws, "slipway.toml", None)
    workshop = Workshop(Installation(ws, survey, fresh=fresh), {}, key)
    made = await Images(await Runtime.prepared(workshop, {"label": "value"})).all()
    images = {image.name: image for image in made if image.name in names or not names}
    digests: dict[str, str] = {}
    begun: dict[str, float] = {}
    for name, image in images.items():
        pushed = await image.container.publish(f"{host}/e2e/reproduce/{name}:1")
        digests[name] = pushed.rpartition("@")[2]
        for container in image.built:
            log = await container.file(f"{SCRIPTS}/steps.tsv").contents()
            begun |= {step.name: step.begun for step in parse_steps(log)}
    return Build(digests, images, begun)


def edited(checkout: Path, name: str) -> None:
    """Change a source in a way that reaches the image."""
    file = checkout / name
    file.write_text(f"{file.read_text()}\nconsole.log('{uuid.uuid4().hex}');\n")


# What only checks need: half of what would have to be downloaded.
CHECKS = ("eslint", "jest", "supertest", "testing", "vitest")


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """The example without its front end and without what only checks need, committed."""
    folder = tmp_path / "shop"
    shutil.copytree(EXAMPLE, folder, ignore=NOT_COPIED)
    shutil.rmtree(folder / "apps/frontend-next")
    lock = yaml.safe_load((folder / "pnpm-lock.yaml").read_text())
    del lock["importers"]["apps/frontend-next"]
    for path, importer in lock["importers"].items():
        manifest = folder / path / "package.json"
        package = json.loads(manifest.read_text())
        for name in list(package.get("devDependencies", ())):
            if any(word in name for word in CHECKS):
                del package["devDependencies"][name], importer["devDependencies"][name]
        manifest.write_text(json.dumps(package))
    (folder / "pnpm-lock.yaml").write_text(yaml.safe_dump(lock))
    commit(folder)
    return folder


def cloned(checkout: Path, folder: Path) -> Path:
    """The same commit on another machine: in another folder, later, by someone with another umask."""
    folder.parent.mkdir(parents=True)
    command = ["git", "clone", "--quiet", str(checkout), str(folder)]
    subprocess.run(command, check=True, umask=0o077)
    assert (folder / API).stat().st_mode & 0o777 == 0o600
    return folder


async def test_two_machines_make_the_same_images(
    service: Path, tmp_path: Path, registry_host: str
) -> None:
    """Each with an empty daemon of its own; on the second something else was built before, so its caches are warm."""
    async with machine() as patch, session_in(service, patch):
        first = await build(registry_host)
    other = cloned(service, tmp_path / "some where/else/repo")
    async with machine() as patch:
        original = (other / API).read_text()
        edited(other, API)
        async with session_in(other, patch):
            before = await build(registry_host)
        (other / API).write_text(original)
        since = time.time()
        async with session_in(other, patch):
            second = await build(registry_host)
    assert before.digests["api"] != first.digests["api"]
    assert second.digests == first.digests
    assert list(first.digests) == ["api", "migrator"]
    # An edit of the API is none of Prisma's files.
    assert before.digests["migrator"] == first.digests["migrator"]
    assert second.begun["prisma generate"] < since < second.begun["api: build"]


async def test_a_front_end_is_the_same_once_its_key_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry_host: str
) -> None:
    """Built anew without a step or a cache of an earlier build; with another key, its keys alone are others."""
    checkout = tmp_path / "shop"
    shutil.copytree(EXAMPLE, checkout, ignore=NOT_COPIED)
    commit(checkout)
    edited(checkout, PAGE)
    async with session_in(checkout, monkeypatch):
        key = secret()
        await build(registry_host, "frontend", key=key)
        edited(checkout, PAGE)
    since = time.time()
    async with session_in(checkout, monkeypatch):
        warm = await build(registry_host, "frontend", key=key)
        cold = await build(registry_host, "frontend", key=key, fresh=uuid.uuid4().hex)
        other = await build(registry_host, "frontend", key=secret())
        assert cold.digests == warm.digests
        assert cold.begun["dependencies"] > since
        image, again = warm.images["frontend"].container, cold.images["frontend"].container
        assert (await compared("frontend", image, again, NODE)).same
        found = await compared("frontend", image, other.images["frontend"].container, NODE)
    assert found.config == ()
    assert {one.path.rpartition("/.next/")[2] for one in found.files} == {
        "prerender-manifest.json",
        "server/preview-props.json",
        "server/server-reference-manifest.js",
        "server/server-reference-manifest.json",
    }


def secret() -> dagger.Secret:
    """A new key of a front end."""
    key = base64.b64encode(os.urandom(32)).decode()
    return dagger.dag.set_secret(f"key-{uuid.uuid4().hex}", key)

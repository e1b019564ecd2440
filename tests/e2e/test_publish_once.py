"""One digest for a commit, whatever an engine has forgotten in between."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from drydock import paths
from tests.e2e.engines import empty_engine
from tests.e2e.example import Monorepo, commit
from tests.slipway.checkouts import FILES
from tests.slipway.registries import Front

pytestmark = pytest.mark.engine

# Never the same twice: whatever is built again is another image.
DOCKERFILE = "FROM node:22-bookworm-slim\nCOPY text /text\nRUN date +%s%N > /when\n"


@pytest.fixture
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A registry of this test's own."""
    with Front(tmp_path_factory.mktemp("registry")).running() as front:
        yield front


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Monorepo]:
    """Two apps with Dockerfiles, and an engine that has nothing yet."""
    folder = tmp_path / "repo"
    files = {name: DOCKERFILE if name.endswith("Dockerfile") else t for name, t in FILES.items()}
    for name, text in {**files, "text": "first"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    commit(folder)
    with empty_engine(monkeypatch):
        yield Monorepo(folder)


def published(repo: Monorepo, registry: Front) -> dict[str, str]:
    """Publish: image → digest as release.json tells it, which is that of every tag in the registry."""
    output = repo.call("--registry", f"{registry.host}/team", "publish").stdout
    images = json.loads(output.partition("release.json:\n")[2])["images"]
    for name, image in images.items():
        held = {registry.digest(f"team/{name}", tag) for tag in image["tags"]}
        assert held == {image["digest"]}, name
    return {name: image["digest"] for name, image in images.items()}


def forget() -> None:
    """Have the engine drop all that it has built and fetched."""
    address = f"unix://{paths.state() / 'run/buildkitd.sock'}"
    buildctl = paths.binary("buildctl")
    subprocess.run([buildctl, "--addr", address, "prune", "--all"], check=True, capture_output=True)


def test_what_is_told_is_what_the_registry_has_and_stays_so(
    repo: Monorepo, registry: Front
) -> None:
    """Built, forgotten, and pushed; forgotten, and published again."""
    repo.call("build")
    forget()
    first = published(repo, registry)
    forget()
    assert published(repo, registry) == first
    # As in the next line of a job: slipway itself, and what it exported, are in the tree.
    for name in ("module/tsconfig.json", "module/.git/index", "release/report.txt"):
        (repo.path / ".slipway" / name).parent.mkdir(parents=True, exist_ok=True)
        (repo.path / ".slipway" / name).write_text("{}")
    assert published(repo, registry) == first
    repo.edit("text", "first", "second")
    subprocess.run(["git", "add", "--all"], cwd=repo.path, check=True)
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    command = ["git", *identity, "commit", "--quiet", "--message", "second"]
    subprocess.run(command, cwd=repo.path, check=True)
    second = published(repo, registry)
    assert not set(second.values()) & set(first.values())

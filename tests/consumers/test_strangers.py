"""What people try first in repositories that do not fit: one clear message each, at once."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.consumers.repos import FIXTURES
from tests.e2e.example import NOT_COPIED, Monorepo

pytestmark = [pytest.mark.engine, pytest.mark.slow]


def other_manager(repo: Path) -> None:
    """A yarn repo."""
    for name in ("pnpm-lock.yaml", "pnpm-workspace.yaml"):
        (repo / name).unlink()
    (repo / "yarn.lock").write_text("# yarn lockfile v1\n")


def no_lockfile(repo: Path) -> None:
    """Somebody ignores lockfiles."""
    (repo / "pnpm-lock.yaml").unlink()


def further_down(repo: Path) -> None:
    """The workspace is one folder of several."""
    inside = repo / "site"
    inside.mkdir()
    for entry in [entry for entry in repo.iterdir() if entry != inside]:
        entry.rename(inside / entry.name)


def nothing(repo: Path) -> None:
    """No JavaScript at all."""
    shutil.rmtree(repo)
    repo.mkdir()


def no_app(repo: Path) -> None:
    """Libraries alone."""
    manifest = repo / "sites/handbook/package.json"
    manifest.write_text(manifest.read_text().replace('"next": "catalog:",', ""))


def new_app(repo: Path) -> None:
    """A second site, not installed yet."""
    shutil.copytree(repo / "sites/handbook", repo / "sites/blog")


def new_dependency(repo: Path) -> None:
    """A dependency, not installed yet."""
    manifest = repo / "libs/prose/package.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"typescript"', '"clsx": "2.1.1",\n    "typescript"'))


def broken_manifest(repo: Path) -> None:
    """A comma too many."""
    (repo / "libs/prose/package.json").write_text('{"name": "@lumen/prose",}')


def failing_dockerfile(repo: Path) -> None:
    """An app that is built by a Dockerfile, which fails."""
    (repo / "Dockerfile").write_text(
        "FROM debian:bookworm-slim AS final\nRUN echo compiling && echo no such header >&2 && false\n"
    )
    (repo / "slipway.toml").write_text('[apps.native]\ndockerfile = "Dockerfile"\n')


def wrong_stage(repo: Path) -> None:
    """A stage that the Dockerfile has not."""
    failing_dockerfile(repo)
    with (repo / "slipway.toml").open("a") as config:
        config.write('target = "finale"\n')


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_manager, ["yarn.lock: slipway builds pnpm workspaces", "`pnpm import`"]),
        (no_lockfile, ["no pnpm-lock.yaml at its root: run `pnpm install`"]),
        (further_down, ["no pnpm-lock.yaml here or in any folder above; run it in site"]),
        (nothing, ["no pnpm-workspace.yaml or pnpm-lock.yaml here or in any folder above"]),
        (no_app, ["no app found", "libs/prose, sites/handbook", "[apps.<name>] path"]),
        (new_app, ["sites/blog/package.json: in the workspace, but not in pnpm-lock.yaml"]),
        (
            new_dependency,
            ["dependencies failed", "clsx@2.1.1", "Run `pnpm install` and commit pnpm-lock.yaml"],
        ),
        (
            failing_dockerfile,
            ["RUN echo compiling", "failed (exit code 1)", "compiling\nno such header"],
        ),
        (wrong_stage, ["apps.native.target", 'in Dockerfile; did you mean "final"?']),
        (broken_manifest, ["libs/prose/package.json: not valid JSON", "(line 1, column"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_does_not_fit_is_told(
    tmp_path: Path, change: Callable[[Path], None], words: list[str]
) -> None:
    """With the file, and what to do; no traceback, and nothing on standard output."""
    repo = shutil.copytree(FIXTURES / "lumen", tmp_path / "repo", ignore=NOT_COPIED)
    change(repo)
    done = Monorepo(repo).call("--progress", "quiet", "build", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: SlipwayFailure: ")
    for word in words:
        assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) < 16

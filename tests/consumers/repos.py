"""The fixtures as other people's repositories: Git clones that know nothing of slipway."""

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagger

from tests.e2e.example import NOT_COPIED, Monorepo, commit

Images = dict[str, dagger.Container]
FIXTURES = Path(__file__).parent


def clone(name: str, folder: Path, *, config: bool = True) -> Monorepo:
    """A clone of a fixture, with or without its slipway.toml; outside this repository."""
    origin = folder / "origin"
    shutil.copytree(FIXTURES / name, origin, ignore=NOT_COPIED)
    if not config:
        (origin / "slipway.toml").unlink()
    commit(origin)
    made = folder / name
    subprocess.run(["git", "clone", "--quiet", str(origin), str(made)], check=True)
    return Monorepo(made)


@contextmanager
def exported(repo: Monorepo, dag: dagger.Client, folder: Path) -> Iterator[Images]:
    """The images that `release export` writes, by name; the archives are large, and removed."""
    repo.call("release", "export", "export", "--path", str(folder))
    try:
        release = json.loads((folder / "release.json").read_text())
        yield {
            name: dag.container().import_(dag.host().file(str(folder / image["tarball"])))
            for name, image in release["images"].items()
        }
    finally:
        shutil.rmtree(folder)


def detected(report: str) -> list[list[str]]:
    """The rows of the report's block on what was detected: what, value, reason."""
    block = report.partition("No slipway.toml; detected:\n")[2].partition("\n\n")[0]
    return [line.split(maxsplit=2) for line in block.splitlines()]


def built(report: str) -> list[str]:
    """The names of the images in a report, in its order."""
    block = report.partition("IMAGE ")[2].partition("\n\n")[0]
    return [line.split()[0] for line in block.splitlines()[1:]]


def verified(report: str) -> list[list[str]]:
    """The rows of the table of `verify`: app, step, result."""
    rows = report.partition("APP ")[2].splitlines()[1:]
    return [line.split()[:3] for line in rows]


def get(url: str) -> str:
    """The body of an answer with status 200."""
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert answer.status == 200
        return str(answer.read().decode())


def post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    """The JSON answer to a JSON body."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return dict(json.loads(answer.read()))

"""The example as a user's own repository, and its release, built once and pushed to a registry."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "mindfulspace"
IMAGES = ("frontend", "api", "migrator")
NOT_COPIED = shutil.ignore_patterns("node_modules", ".next", "dist", "generated", "*.tsbuildinfo")


def drydock(
    *arguments: str, cwd: Path, check: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run drydock as a user types it; its standard error is shown when it fails."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "drydock"), *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    if check and done.returncode:
        pytest.fail(
            f"drydock {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr[-6000:]}"
        )
    return done


# With a token in it, as a job of GitLab has it.
ORIGIN = "https://ci-token:sentinel-token@gitlab.example/team/mindfulspace.git"


@dataclass(frozen=True)
class Monorepo:
    """A copy of the example in a Git repository of its own; slipway is used from another folder with `-m`."""

    path: Path

    def call(
        self, *arguments: str, check: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """`drydock call` of slipway in this repository."""
        return drydock(
            "-m", str(ROOT), "call", *arguments, cwd=self.path, check=check, **environment
        )

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text of a file."""
        file = self.path / name
        text = file.read_text()
        assert old in text, f"{name} has no {old!r}"
        file.write_text(text.replace(old, new))


@dataclass(frozen=True)
class Pushed:
    """The images of one release in a registry, by name."""

    references: dict[str, str]
    host: str
    manifests: dict[str, dict[str, Any]] = field(default_factory=dict)
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: list[tuple[str, ...]] = field(default_factory=list)
    """For the summary: image, digest, compressed size, seconds, what the registry had already."""


def commit(folder: Path) -> None:
    """Make a folder a Git repository with everything in one commit."""
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    for arguments in (
        ["init", "--quiet", "--initial-branch", "main"],
        ["add", "--all"],
        [*identity, "commit", "--quiet", "--message", "test"],
        [
            "remote",
            "add",
            "origin",
            ORIGIN,
        ],
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True)


def copy_example(folder: Path) -> Monorepo:
    """The example, copied and committed."""
    shutil.copytree(EXAMPLE, folder, ignore=NOT_COPIED)
    commit(folder)
    return Monorepo(folder)


def publish(repo: Monorepo, host: str, tag: str) -> Pushed:
    """Push the images of a release, and read back what the registry has."""
    pushed = Pushed({}, host)
    for name in IMAGES:
        address, before, began = (
            f"{host}/e2e/{name}:{tag}",
            layers(host, name, tag),
            time.monotonic(),
        )
        reference = repo.call(
            "release", "--env", "staging", name, "publish", "--address", address
        ).stdout.strip()
        pushed.references[name] = reference
        pushed.manifests[name] = registry_json(
            host, f"e2e/{name}/manifests/{reference.split('@')[1]}"
        )
        digest = pushed.manifests[name]["config"]["digest"]
        pushed.configs[name] = registry_json(host, f"e2e/{name}/blobs/{digest}")
        found = pushed.manifests[name]["layers"]
        size = sum(layer["size"] for layer in found) / 1e6
        cached = f"{sum(layer['digest'] in before for layer in found)} of {len(found)} layers"
        seconds = f"{time.monotonic() - began:.1f}"
        pushed.rows.append((name, reference.partition("@")[2], f"{size:.1f} MB", seconds, cached))
    return pushed


def layers(host: str, name: str, tag: str) -> set[str]:
    """Digests of the layers that an earlier run has pushed."""
    try:
        manifest = registry_json(host, f"e2e/{name}/manifests/{tag}")
    except urllib.error.HTTPError as error:
        error.close()
        return set()
    return {layer["digest"] for layer in manifest["layers"]}


def registry_json(host: str, path: str) -> dict[str, Any]:
    """A document of a registry."""
    request = urllib.request.Request(f"http://{host}/v2/{path}")
    request.add_header("Accept", "application/vnd.oci.image.manifest.v1+json")
    with urllib.request.urlopen(request) as answer:
        return dict(json.loads(answer.read()))

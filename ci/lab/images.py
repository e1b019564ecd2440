"""The base images: what each is made of, and the key that says whether it is up to date.

A key is the digest of everything an image follows from: its recipe's files, the modules that
carry the recipe out, its pins, what the machine lends to it, and the key of the image below it.
The key is a label of the image, so the registry itself knows what it holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import debian, node_image, syft_image, traefik_image
from .job import Job
from .oci import Layer, Layout
from .settings import IMAGES

if TYPE_CHECKING:
    from .machine import Machine

LABEL = "dev.slipway.lab.key"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PGBIN = "/usr/lib/postgresql/17/bin"
WORK = "/tmp"  # noqa: S108  in the image
SERVER = "lab/server:trixie"
BARE = "lab/bare:trixie"
SERVER_PACKAGES = [
    *("ca-certificates", "curl", "docker-cli", "docker-compose", "docker.io", "iproute2"),
    *("iptables", "nftables", "openssh-server", "procps", "systemd-standalone-sysusers", "tini"),
]
BARE_PACKAGES = [
    *("ca-certificates", "dbus", "iproute2", "libpam-systemd", "openssh-server", "procps", "sudo"),
    "systemd-sysv",
]

AddLayers = Callable[[Layout, Job], list[Layer]]


@dataclass(frozen=True)
class Image:
    """A base image under the name that Docker Hub has it by.

    Attributes:
        name: repository and tag, ``debian:trixie-slim``.
        recipes: the folders below ``images/`` with its files.
        modules: the modules of this package that shape its content.
        pins: the versions it is made of.
        config: its execution parameters (OCI image config); machine settings are added to ``Env``.
        add_layers: makes its layers in a layout: (layout, job).
        base: the image whose layers lie below, or None.
        on_demand: whether it is left out unless it is asked for by its name.
    """

    name: str
    recipes: tuple[str, ...]
    modules: tuple[str, ...]
    pins: Mapping[str, str]
    config: Mapping[str, Any]
    add_layers: AddLayers
    base: Image | None = field(default=None)
    on_demand: bool = False

    @property
    def repository(self) -> str:
        """Where a mirror of Docker Hub keeps it, ``library/debian:trixie-slim``."""
        return self.name if "/" in self.name else f"library/{self.name}"

    def key(self, lent: Machine) -> str:
        """The digest of all that the image follows from, in hexadecimal."""
        digest = hashlib.sha256(lent.fingerprint().encode())
        facts = [self.name, self.pins, self.config, self.base and self.base.key(lent)]
        digest.update(json.dumps(facts, sort_keys=True).encode())
        files = [Path(__file__).with_name(f"{module}.py") for module in self.modules]
        files += [path for recipe in self.recipes for path in recipe_files(IMAGES / recipe)]
        for path in files:
            # What is no recipe's file is a module; the file's place counts, not the checkout's.
            name = path.relative_to(IMAGES) if IMAGES in path.parents else Path(path.name)
            content = path.read_bytes()
            digest.update(f"{name.as_posix()}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()

    def full_config(self, lent: Machine) -> dict[str, Any]:
        """The config with the machine's variables and the key's label."""
        env = [f"{name}={value}" for name, value in lent.environment().items()]
        return {
            **self.config,
            "Env": [*self.config["Env"], *env],
            "Labels": {LABEL: self.key(lent)},
        }


def recipe_files(folder: Path) -> list[Path]:
    """The files of a recipe in a fixed order, without what a developer's npm left there."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path for path in files if "node_modules" not in path.parts)


def catalogue() -> dict[str, Image]:
    """All images by name, each after its base."""
    bookworm = _debian("bookworm")
    # The longest first: they decide how long it all takes.
    images = [_postgres(), bookworm, _node(bookworm), _debian("trixie"), _syft()]
    images += [_traefik(), _server(), _bare()]
    return {image.name: image for image in images}


def _debian(suite: str) -> Image:
    """A release of Debian without documentation, with certificates and OpenSSL."""
    return Image(
        name=f"debian:{suite}-slim",
        recipes=("debian",),
        modules=("debian", "machine", "oci"),
        pins={"suite": suite, "epoch": str(debian.EPOCH)},
        config={"Env": [f"PATH={PATH}"], "Cmd": ["bash"]},
        add_layers=_bootstrap(suite, ["ca-certificates", "openssl"], "debian"),
    )


def _node(base: Image) -> Image:
    """Node.js as the official image has it, with pnpm and Prisma's schema engine."""
    return Image(
        name="node:22-bookworm-slim",
        recipes=("node",),
        modules=("node_image", "oci"),
        pins=node_image.PINS,
        config={
            "Env": [
                f"PATH={PATH}",
                f"NODE_VERSION={node_image.PINS['node']}",
                f"PRISMA_SCHEMA_ENGINE_BINARY=/{node_image.ENGINE}/schema-engine.mjs",
            ],
            "Entrypoint": ["docker-entrypoint.sh"],
            "Cmd": ["node"],
        },
        add_layers=node_image.add_layers,
        base=base,
    )


def _postgres() -> Image:
    """PostgreSQL 17 from Debian 13's packages, without the just-in-time compiler."""
    return Image(
        name="postgres:17",
        recipes=("debian", "postgres"),
        modules=("debian", "machine", "oci"),
        pins={"suite": "trixie", "epoch": str(debian.EPOCH)},
        config={
            "Env": [
                f"PATH={PGBIN}:{PATH}",
                "LANG=C.UTF-8",
                "PG_MAJOR=17",
                "PGDATA=/var/lib/postgresql/data",
            ],
            "Entrypoint": ["docker-entrypoint.sh"],
            "Cmd": ["postgres"],
            "ExposedPorts": {"5432/tcp": {}},
            "Volumes": {"/var/lib/postgresql/data": {}},
            "StopSignal": "SIGINT",
        },
        add_layers=_bootstrap("trixie", ["ca-certificates", "postgresql-17"], "debian", "postgres"),
    )


def _syft() -> Image:
    """The tool that lists what is in an image; nothing but its static program."""
    return Image(
        name="anchore/syft:v1.18.1",
        recipes=("syft",),
        modules=("syft_image", "oci"),
        pins={},
        config={"Env": [f"PATH={PATH}"], "Entrypoint": ["/syft"], "WorkingDir": WORK},
        add_layers=syft_image.add_layers,
    )


def _traefik() -> Image:
    """The proxy of a server; nothing but its static program."""
    return Image(
        name="traefik:v3",
        recipes=("traefik",),
        modules=("traefik_image", "oci"),
        pins={"version": traefik_image.VERSION},
        config={
            "Env": [f"PATH={PATH}"],
            "Entrypoint": ["/usr/local/bin/traefik"],
            "ExposedPorts": {"80/tcp": {}},
        },
        add_layers=traefik_image.add_layers,
        on_demand=True,
    )


def _server() -> Image:
    """A Debian 13 server with SSH and Docker: the disk of a machine, not an image to run."""
    return Image(
        name=SERVER,
        recipes=("debian", "server"),
        modules=("debian", "machine", "oci"),
        pins={"suite": "trixie", "epoch": str(debian.EPOCH)},
        config={"Env": [f"PATH={PATH}"]},
        add_layers=_bootstrap("trixie", SERVER_PACKAGES, "debian", "server"),
        on_demand=True,
    )


def _bare() -> Image:
    """A Debian 13 server as a hoster hands it over: systemd, SSH, and nothing that serves."""
    return Image(
        name=BARE,
        recipes=("debian", "bare"),
        modules=("debian", "machine", "oci"),
        pins={"suite": "trixie", "epoch": str(debian.EPOCH)},
        config={"Env": [f"PATH={PATH}"]},
        add_layers=_bootstrap("trixie", BARE_PACKAGES, "debian", "bare"),
        on_demand=True,
    )


def _bootstrap(suite: str, packages: list[str], *recipes: str) -> AddLayers:
    """What makes the one layer of an image from Debian packages."""

    def add_layers(layout: Layout, job: Job) -> list[Layer]:
        folders = [IMAGES / recipe for recipe in recipes]
        with debian.bootstrap(suite, packages, folders, job) as tar:
            return [layout.add_layer(tar)]

    return add_layers

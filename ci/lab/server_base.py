"""What the servers need of the lab: images, a disk to lie on, a key, registries within their reach."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from . import build, images, machine, registry, secure_registry
from .bridge import Bridge
from .oci import Layout
from .run import logged, output, require
from .settings import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .settings import Settings


def prepare(config: Settings, image: str, running: Sequence[str]) -> None:
    """Make and start what is missing.

    Args:
        config: the lab's folder and ports.
        image: what the servers' disks lie on.
        running: the names of the servers that run on one of that name.

    Raises:
        LabError: an image could not be made, or has changed below a server that runs.
    """
    mirror = registry.Registry(config)
    mirror.start()
    make_images(mirror, config, image)
    _unpack_root(mirror, config, image, running)
    key = config.servers / "key"
    if not key.exists():
        output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "slipway lab", "-f", str(key))
    bridge = Bridge(config.network)
    bridge.ensure()
    registry.Registry(config, bridge.gateway).start()
    secure_registry.of_lab(config, bridge.gateway).start()


def leave(config: Settings) -> None:
    """Stop what no server is left for; the images stay."""
    bridge = Bridge(config.network)
    registry.Registry(config, bridge.gateway).stop()
    secure_registry.of_lab(config, bridge.gateway).stop()
    bridge.remove()


def make_images(mirror: registry.Registry, config: Settings, disk: str) -> None:
    """A server's disk, and what runs on every server.

    Raises:
        LabError: one could not be made.
    """
    lent = machine.survey()
    catalogue = images.catalogue()
    wanted = [catalogue[name] for name in (disk, "traefik:v3", "postgres:17")]
    stale = [image for image in wanted if not build.is_ready(image, lent, mirror)]
    if stale:
        require("mmdebstrap", "skopeo")
        print(f"  building {', '.join(image.name for image in stale)}", flush=True)
        failures = build.build_all(stale, lent, mirror, config)
        if failures:
            raise LabError("\n".join(failures))


def _unpack_root(
    mirror: registry.Registry, config: Settings, image: str, running: Sequence[str]
) -> None:
    """The server's disk as a folder, once for each version of its image."""
    repository, root = images.catalogue()[image].repository, config.server_root(image)
    key = mirror.label(repository, images.LABEL) or ""
    mark = root / ".slipway-lab-key"
    if mark.exists() and mark.read_text() == key:
        return
    if running:
        raise LabError(
            f"{image} has changed, and {', '.join(running)} run on the old one. "
            "Run: ci/lab/server down, and then up again"
        )
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    with TemporaryDirectory(dir=config.servers) as scratch:
        _extract(mirror, repository, root, Path(scratch), config)
    mark.write_text(key)


def _extract(
    mirror: registry.Registry, repository: str, root: Path, scratch: Path, config: Settings
) -> None:
    """Unpack an image's one layer."""
    log = config.logs / "server.log"
    layout = Layout(scratch / "layout")
    mirror.pull(repository, layout, log)
    (layer,) = layout.layers()
    blob = layout.blobs / layer.digest.removeprefix("sha256:")
    logged(["tar", "-xpzf", str(blob), "--numeric-owner", "-C", str(root)], log)

"""What an OCI image tarball says of the image: digest and sizes. Reads headers and small blobs only."""

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Tarball:
    """An image as its manifest describes it.

    Attributes:
        digest: The manifest's digest.
        size: Compressed size in bytes, config included.
        layers: Compressed size of each layer, from below.
    """

    digest: str
    size: int
    layers: tuple[int, ...]


def read(file: Path) -> Tarball:
    """Read an image's tarball (OCI image layout).

    Args:
        file: The tarball.

    Returns:
        What its first image is.

    Raises:
        KeyError: It is no OCI image layout.
    """
    with tarfile.open(file, "r:") as archive:
        entries = {member.name.removeprefix("./"): member for member in archive}

        def content(name: str) -> Any:
            found = archive.extractfile(entries[name])
            return json.load(found) if found else {}

        descriptor = content("index.json")["manifests"][0]
        while "manifests" in (manifest := content(_blob(descriptor))):
            descriptor = _image(manifest["manifests"])
    layers = tuple(layer["size"] for layer in manifest["layers"])
    return Tarball(descriptor["digest"], sum(layers) + manifest["config"]["size"], layers)


def _blob(descriptor: dict[str, Any]) -> str:
    return f"blobs/{descriptor['digest'].replace(':', '/')}"


def _image(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    """The image of an index, which may hold attestations beside it."""
    known = (m for m in manifests if m.get("platform", {}).get("architecture") != "unknown")
    return next(known, manifests[0])

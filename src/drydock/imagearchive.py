"""Image archives, as `docker save` and BuildKit write them, unpacked to OCI layouts."""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drydock.errors import ApiError

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
NAME = "org.opencontainers.image.ref.name"


@dataclass(frozen=True)
class Found:
    """An image in a layout: the digest of its manifest, and its config."""

    digest: str
    config: dict[str, Any]


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive to a folder, which becomes an OCI layout.

    Raises:
        ApiError: If it is no image archive.
    """
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise ApiError(f"image archive import failed: {error}") from None
    if not (folder / "index.json").exists():
        _to_layout(folder)


def find(folder: Path, tag: str, platform: str) -> Found:
    """The image of a layout.

    Args:
        folder: The layout.
        tag: The name of the image; empty for the first one.
        platform: Which one of an image for several platforms.

    Raises:
        ApiError: If there is none.
    """
    for entry in _json(folder / "index.json").get("manifests", ()):
        if not tag or tag in _names(entry):
            return _find(folder, entry["digest"], platform)
    what = f'tag "{tag}"' if tag else "image"
    raise ApiError(f"image archive import failed: no {what} in the archive")


def digest(folder: Path) -> str:
    """Digest of the only image of a layout: of its manifest, or of its index."""
    (entry,) = _json(folder / "index.json")["manifests"]
    return str(entry["digest"])


def _find(folder: Path, digest: str, platform: str) -> Found:
    manifest = _json(_blob(folder, digest))
    if "manifests" not in manifest:
        return Found(digest, _json(_blob(folder, manifest["config"]["digest"])))
    for entry in manifest["manifests"]:
        given = entry.get("platform") or {}
        name = "/".join(given[key] for key in ("os", "architecture", "variant") if given.get(key))
        if name == platform:
            return _find(folder, entry["digest"], platform)
    raise ApiError(f"image archive import failed: no image for {platform} in the archive")


def _names(entry: dict[str, Any]) -> set[str]:
    annotations = entry.get("annotations") or {}
    full = annotations.get("io.containerd.image.name", "")
    return {annotations.get(NAME, ""), full, full.rpartition(":")[2]} - {""}


def _to_layout(folder: Path) -> None:
    """What `docker save` wrote before it wrote layouts: a list of images, each of layers by path."""
    if not (folder / "manifest.json").exists():
        raise ApiError("image archive import failed: neither index.json nor manifest.json in it")
    entries = []
    for image in _json(folder / "manifest.json"):
        layers = [_keep(folder, LAYER, (folder / name).read_bytes()) for name in image["Layers"]]
        config = _keep(folder, CONFIG, (folder / image["Config"]).read_bytes())
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        entry = _keep(folder, MANIFEST, json.dumps(manifest).encode())
        for name in image.get("RepoTags") or [""]:
            names = {NAME: name.rpartition(":")[2], "io.containerd.image.name": name}
            entries.append({**entry, "annotations": names})
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": entries}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def _keep(folder: Path, media_type: str, data: bytes) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    blob = _blob(folder, digest)
    blob.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(data)
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def _blob(folder: Path, digest: str) -> Path:
    algorithm, _, value = digest.partition(":")
    return folder / "blobs" / algorithm / value


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ApiError(f"image archive import failed: {path.name}: {error}") from None

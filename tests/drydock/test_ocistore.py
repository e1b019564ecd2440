"""The store of images' blobs, and archives put together from it."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import time
from typing import TYPE_CHECKING, Any

import pytest

from drydock import imagearchive
from drydock.ocistore import UNUSED, OciStore

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = {"os": "linux", "architecture": "amd64"}


@pytest.fixture
def store(tmp_path: Path) -> OciStore:
    """An empty store."""
    return OciStore(tmp_path / "blobs")


def put(store: OciStore, media_type: str, content: object) -> dict[str, Any]:
    """Write a blob as an export does; returns its descriptor."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    digest = hashlib.sha256(data).hexdigest()
    with store.opened() as layout:
        (layout / "blobs/sha256").mkdir(exist_ok=True)
        (layout / "blobs/sha256" / digest).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}


def image(store: OciStore, layer: bytes = b"layer") -> dict[str, Any]:
    """An image of one layer."""
    config = put(store, "application/vnd.oci.image.config.v1+json", CONFIG)
    layers = [put(store, "application/vnd.oci.image.layer.v1.tar+gzip", layer)]
    return put(store, MANIFEST, {"schemaVersion": 2, "config": config, "layers": layers})


def test_an_archive_holds_its_image_and_no_other(store: OciStore, tmp_path: Path) -> None:
    """It is an OCI layout by itself."""
    other, wanted = image(store, b"other"), image(store)
    store.pack(wanted, tmp_path / "image.tar")
    imagearchive.unpack(tmp_path / "image.tar", tmp_path / "unpacked")
    found = imagearchive.find(tmp_path / "unpacked", "", "linux/amd64")
    assert found.digest == wanted["digest"] != other["digest"]
    assert found.config == CONFIG
    assert len(list((tmp_path / "unpacked/blobs/sha256").iterdir())) == 3
    with tarfile.open(tmp_path / "image.tar") as archive:
        assert archive.getnames()[:2] == ["blobs", "blobs/sha256"]
    (listed,) = json.loads((tmp_path / "unpacked/manifest.json").read_text())
    assert all(
        (tmp_path / "unpacked" / name).exists() for name in [listed["Config"], *listed["Layers"]]
    )


def test_an_index_takes_its_images_along(store: OciStore, tmp_path: Path) -> None:
    """One archive for several platforms."""
    index = {"manifests": [image(store, b"one"), image(store, b"two")]}
    store.pack(put(store, INDEX, index), tmp_path / "image.tar")
    imagearchive.unpack(tmp_path / "image.tar", tmp_path / "unpacked")
    # Two layers, two manifests, the index, and a config that both images have.
    assert len(list((tmp_path / "unpacked/blobs/sha256").iterdir())) == 6


def test_what_no_image_needs_any_more_is_deleted(store: OciStore, tmp_path: Path) -> None:
    """What one needs stays, however old it is."""
    unused, used = image(store, b"unused"), image(store, b"used")
    blobs = list(store.folder.glob("blobs/*/*"))
    for blob in blobs:
        os.utime(blob, (0, time.time() - UNUSED - 60))
    store.pack(used, tmp_path / "image.tar")
    with store.opened():
        left = {f"sha256:{blob.name}" for blob in store.folder.glob("blobs/*/*")}
    assert used["digest"] in left
    assert unused["digest"] not in left
    assert len(left) == 3

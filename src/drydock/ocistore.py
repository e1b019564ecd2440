"""Blobs of images that were fetched from the daemon: what is there already is not sent again."""

from __future__ import annotations

import contextlib
import io
import json
import os
import tarfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from drydock import paths, temporary

INDEX = "application/vnd.oci.image.index.v1+json"
LAYOUT = {"imageLayoutVersion": "1.0.0"}
MANIFESTS = ("index.v1+json", "manifest.v1+json", "manifest.list.v2+json", "manifest.v2+json")
"""How the media types of what lists blobs end, OCI's and Docker's."""

UNUSED = 2 * 24 * 3600
"""Seconds after which a blob that no image needed is deleted."""


class OciStore:
    """An OCI image layout (image specification v1.1) that BuildKit exports to, one for all images."""

    def __init__(self, folder: Path) -> None:
        """Keep it in a folder, which is made when it is needed."""
        self.folder = folder

    @contextlib.contextmanager
    def opened(self) -> Iterator[Path]:
        """A layout with the blobs in it, for one export; what nobody used for a while is deleted."""
        blobs = paths.private(self.folder) / "blobs"
        blobs.mkdir(exist_ok=True)
        self._prune()
        # A folder for each: buildctl locks the list in it, and fails where another one writes.
        with temporary.folder_in(self.folder, ".export-") as layout:
            (layout / "blobs").symlink_to(blobs)
            yield layout

    def pack(self, image: Mapping[str, Any], archive: Path) -> None:
        """Write an image's archive.

        Args:
            image: The descriptor of its manifest, or of its index.
            archive: The file to write.

        Raises:
            FileNotFoundError: If a blob of it is not there.
        """
        with tarfile.open(archive, "w") as tar:
            digests = sorted(set(self._blobs(image)))
            # As BuildKit has them: some readers make no folder that is not an entry of its own.
            for name in ("blobs", *sorted({f"blobs/{d.partition(':')[0]}" for d in digests})):
                tar.addfile(_folder(name))
            for digest in digests:
                path = self._blob(digest)
                os.utime(path)
                with path.open("rb") as content:
                    tar.addfile(
                        _entry(f"blobs/{digest.replace(':', '/')}", path.stat().st_size), content
                    )
            for name, value in self._lists(image).items():
                text = json.dumps(value).encode()
                tar.addfile(_entry(name, len(text)), io.BytesIO(text))

    def _lists(self, image: Mapping[str, Any]) -> dict[str, Any]:
        """The files of an archive that say what is in it."""
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [image]}
        lists = {"index.json": index, "oci-layout": LAYOUT}
        manifest = json.loads(self._blob(image["digest"]).read_bytes())
        if "layers" in manifest:
            # What `docker load` reads, of any age; it knows no image for several platforms.
            config, *layers = (
                f"blobs/{part['digest'].replace(':', '/')}"
                for part in (manifest["config"], *manifest["layers"])
            )
            lists["manifest.json"] = [{"Config": config, "RepoTags": None, "Layers": layers}]
        return lists

    def _blobs(self, descriptor: Mapping[str, Any]) -> Iterator[str]:
        """Digests of all that a descriptor stands for."""
        yield descriptor["digest"]
        if descriptor["mediaType"].endswith(MANIFESTS):
            manifest = json.loads(self._blob(descriptor["digest"]).read_bytes())
            for part in (*manifest.get("manifests", ()), *manifest.get("layers", ())):
                yield from self._blobs(part)
            if "config" in manifest:
                yield manifest["config"]["digest"]

    def _blob(self, digest: str) -> Path:
        return self.folder / "blobs" / digest.replace(":", "/")

    def _prune(self) -> None:
        limit = time.time() - UNUSED
        for path in self.folder.glob("blobs/*/*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < limit:
                    path.unlink()


def _folder(name: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    return entry


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    return entry

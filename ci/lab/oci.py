"""Image layouts (OCI image-layout 1.0): layers from tar streams, byte for byte the same each time.

Format: https://github.com/opencontainers/image-spec (manifest.md, config.md, image-layout.md).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CHUNK = 1 << 20
# The registry is on this machine: a faster pull is worth more than a smaller layer.
LEVEL = 1


@dataclass(frozen=True)
class Layer:
    """A compressed layer in a layout.

    Attributes:
        digest: of the compressed blob, ``sha256:…``.
        diff_id: of the tar inside, ``sha256:…``.
        size: of the compressed blob, in bytes.
    """

    digest: str
    diff_id: str
    size: int


class Layout:
    """An image layout in a folder, with one image.

    Args:
        folder: where it is, or will be.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folders of a layout that is not there yet."""
        self.folder = folder
        self.blobs = folder / "blobs" / "sha256"
        self.blobs.mkdir(parents=True, exist_ok=True)

    def add_layer(self, tar: IO[bytes]) -> Layer:
        """Compress a tar stream into a blob.

        Args:
            tar: an uncompressed tar, read to its end.
        """
        part = self.blobs / "layer.part"
        diff_id = hashlib.sha256()
        # No name and no time in the header: equal content gives an equal digest.
        with part.open("wb") as out, gzip.GzipFile("", "wb", LEVEL, out, mtime=0) as packed:
            while chunk := tar.read(CHUNK):
                diff_id.update(chunk)
                packed.write(chunk)
        with part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = part.stat().st_size
        part.rename(self.blobs / digest)
        return Layer(f"sha256:{digest}", f"sha256:{diff_id.hexdigest()}", size)

    def layers(self) -> list[Layer]:
        """The layers of the image that the layout holds, lowest first."""
        index = json.loads((self.folder / "index.json").read_text(encoding="utf-8"))
        manifest = self._read(index["manifests"][0]["digest"])
        diff_ids = self._read(manifest["config"]["digest"])["rootfs"]["diff_ids"]
        return [
            Layer(blob["digest"], diff_id, blob["size"])
            for blob, diff_id in zip(manifest["layers"], diff_ids, strict=True)
        ]

    def open_layer(self, layer: Layer) -> gzip.GzipFile:
        """The uncompressed tar of a layer."""
        return gzip.GzipFile(self._blob(layer.digest))

    def finish(self, layers: Sequence[Layer], config: Mapping[str, Any], created: int) -> None:
        """Write config, manifest and index: the layout is then an image.

        Args:
            layers: lowest first.
            config: the image's execution parameters (``Env``, ``Cmd``, …).
            created: the image's time, in seconds since 1970.
        """
        image = {
            "architecture": "amd64",
            "os": "linux",
            "created": datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._add_json(CONFIG, image),
            "layers": [
                {"mediaType": LAYER, "digest": layer.digest, "size": layer.size} for layer in layers
            ],
        }
        index = {"schemaVersion": 2, "manifests": [self._add_json(MANIFEST, manifest)]}
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        (self.folder / "index.json").write_text(json.dumps(index))

    def _add_json(self, media_type: str, value: Any) -> dict[str, Any]:
        """Store a document; the descriptor that refers to it."""
        data = json.dumps(value, sort_keys=True).encode()
        digest = hashlib.sha256(data).hexdigest()
        (self.blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    def _read(self, digest: str) -> Any:
        """A stored document."""
        return json.loads(self._blob(digest).read_bytes())

    def _blob(self, digest: str) -> Path:
        """Where a blob is."""
        return self.blobs / digest.removeprefix("sha256:")


def tar_tree(root: Path, out: IO[bytes], owner: Callable[[str], int], epoch: int) -> None:
    """Write a folder's content as a tar that depends on names, modes and bytes only.

    Args:
        root: the folder; it is not an entry itself.
        out: where to write.
        owner: from a path below the root to the user and group id that own it.
        epoch: the time of every entry, in seconds since 1970.
    """

    def settle(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = owner(entry.name)
        entry.uname = entry.gname = ""
        entry.mtime = epoch
        # As `install` makes them, whatever the umask or the checkout's modes were.
        if not entry.issym():
            entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(root.iterdir()):
            tar.add(path, path.name, filter=settle)

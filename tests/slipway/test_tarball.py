"""Image tarballs."""

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

from slipway.tarball import read


def test_an_image_tarball_is_read(tmp_path: Path) -> None:
    """Digest and compressed sizes, through an index where there is one."""
    layer = gzip.compress(b"x" * 5000)
    blobs: dict[str, bytes] = {}

    def add(content: bytes) -> dict[str, str | int]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        blobs[f"blobs/{digest.replace(':', '/')}"] = content
        return {"digest": digest, "size": len(content)}

    config = add(b"{}")
    manifest = add(json.dumps({"config": config, "layers": [add(layer)]}).encode())
    index = add(json.dumps({"manifests": [manifest]}).encode())
    blobs["index.json"] = json.dumps({"manifests": [index]}).encode()
    file = tmp_path / "image.tar"
    with tarfile.open(file, "w") as tar:
        for name, content in blobs.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    found = read(file)
    assert found.digest == manifest["digest"]
    assert found.size == len(layer) + 2
    assert found.layers == (len(layer),)

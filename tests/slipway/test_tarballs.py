"""The scripts that read and write images' tarballs, and what is told of what they read."""

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import slipway
from slipway.registryimage import digest
from slipway.tarballs import Packed

SCRIPTS = Path(slipway.__file__).parent
LAYER = gzip.compress(b"x" * 5000)
CONFIG = {"os": "linux", "architecture": "amd64", "config": {"User": "1000:1000"}}
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


class Layout:
    """An OCI image layout in the making."""

    def __init__(self) -> None:
        """Without anything."""
        self.files: dict[str, bytes] = {}

    def add(self, content: bytes | Mapping[str, Any], media_type: str = "") -> dict[str, Any]:
        """Add a blob; returns its descriptor."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        name = hashlib.sha256(data).hexdigest()
        self.files[f"blobs/sha256/{name}"] = data
        return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(data)}

    def image(self, layer: bytes = LAYER) -> dict[str, Any]:
        """Add an image of one layer."""
        kind = "application/vnd.oci.image.layer.v1.tar+gzip"
        parts = {"config": self.add(CONFIG), "layers": [self.add(layer, kind)]}
        return self.add({"schemaVersion": 2, "mediaType": MANIFEST, **parts}, MANIFEST)

    def write(
        self, file: Path, *named: dict[str, Any], prefix: str = "", pax: bool = False
    ) -> None:
        """Write the tarball of it; `named` is what its list names."""
        files = {**self.files, "index.json": json.dumps({"manifests": named}).encode()}
        form = tarfile.PAX_FORMAT if pax else tarfile.USTAR_FORMAT
        with tarfile.open(file, "w", format=form) as tar:
            for name, content in files.items():
                entry = tarfile.TarInfo(prefix + name)
                entry.size = len(content)
                if pax:
                    entry.pax_headers = {"size": str(len(content)), "comment": "é"}
                tar.addfile(entry, io.BytesIO(content))


def run(script: str, *arguments: Path) -> None:
    command = ["node", str(SCRIPTS / script), *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, text=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "images"
    made.mkdir()
    return made


def told(tarballs: Path, logs: Path, folder: Path) -> dict[str, Any]:
    """What facts.mjs tells."""
    file = folder / "found.json"
    run("facts.mjs", tarballs, logs, file)
    return dict(json.loads(file.read_text()))


def documents(folder: Path) -> dict[str, Any]:
    """What is told of a folder's tarballs."""
    return dict(told(folder, folder / "none", folder.parent)["images"])


@pytest.mark.parametrize(
    "form", [{}, {"prefix": "./"}, {"pax": True}], ids=["plain", "below a dot", "extended headers"]
)
def test_manifest_and_config_of_each_tarball_are_told(folder: Path, form: Any) -> None:
    """As they are written in it, however the archive was made."""
    layout = Layout()
    layout.write(folder / "api.tar", layout.image(), **form)
    layout.write(folder / "web.tar", layout.image(b"another"), **form)
    found = documents(folder)
    assert set(found) == {"api", "web"}
    assert json.loads(found["api"]["config"]) == CONFIG
    assert json.loads(found["api"]["manifest"])["layers"][0]["size"] == len(LAYER)
    assert json.loads(found["web"]["manifest"])["layers"][0]["size"] == len(b"another")


def test_the_image_of_an_index_is_told_and_no_attestation(folder: Path) -> None:
    """BuildKit may list those beside the image, or before it."""
    layout = Layout()
    unknown = {"platform": {"os": "unknown", "architecture": "unknown"}}
    attestation = layout.image(b"an attestation") | unknown
    image = layout.image() | {"platform": {"os": "linux", "architecture": "amd64"}}
    listed = layout.add({"mediaType": INDEX, "manifests": [attestation, image]}, INDEX)
    layout.write(folder / "api.tar", listed)
    assert digest(documents(folder)["api"]["manifest"].encode()) == image["digest"]


def test_the_logs_of_steps_are_told(tmp_path: Path) -> None:
    """All of them; images need not be there."""
    logs = tmp_path / "logs"
    logs.mkdir()
    for name in ("0", "1"):
        (logs / name).write_text(f"1\t2\tstep {name}\n")
    found = told(tmp_path / "none", logs, tmp_path)
    assert found == {"images": {}, "logs": ["1\t2\tstep 0\n", "1\t2\tstep 1\n"]}


def test_a_file_that_is_no_image_tarball_is_refused_by_name(folder: Path) -> None:
    """With what it lacks."""
    with tarfile.open(folder / "other.tar", "w"):
        pass
    with pytest.raises(subprocess.CalledProcessError) as failed:
        documents(folder)
    assert "other.tar is no image tarball: it has no index.json" in failed.value.stderr


def test_a_tarball_is_packed_anew_with_other_documents(folder: Path, tmp_path: Path) -> None:
    """The layers are the same bytes, and the lists name the new manifest and config."""
    layout = Layout()
    old, new = folder / "old.tar", tmp_path / "new.tar"
    layout.write(old, layout.image(), pax=True)
    config = json.dumps({**CONFIG, "created": "1970-01-01T00:00:00Z"}).encode()
    manifest = json.loads(documents(folder)["old"]["manifest"])
    manifest["config"] = {"digest": digest(config), "size": len(config)}
    written = tmp_path / "documents"
    written.mkdir()
    (written / "manifest.json").write_text(json.dumps(manifest))
    (written / "config.json").write_bytes(config)
    run("pack.mjs", old, written, new)
    with tarfile.open(new) as tar:
        content = {m.name: tar.extractfile(m).read() for m in tar}  # type: ignore[union-attr]
    listed = json.loads(content["index.json"])["manifests"][0]
    assert json.loads(content["blobs/" + listed["digest"].replace(":", "/")]) == manifest
    docker = json.loads(content["manifest.json"])[0]
    assert (content[docker["Config"]], content[docker["Layers"][0]]) == (config, LAYER)
    (folder / "old.tar").unlink()
    new.rename(folder / "new.tar")
    assert json.loads(documents(folder)["new"]["config"])["created"] == "1970-01-01T00:00:00Z"


def packed(*sizes: int) -> Packed:
    """An image with layers of some sizes."""
    parts = [{"digest": "sha256:" + f"{size:064x}", "size": size} for size in (2, *sizes)]
    return Packed(json.dumps({"config": parts[0], "layers": parts[1:]}).encode(), b"{}")


def test_the_size_of_an_image_is_that_of_its_layers_and_its_config() -> None:
    """And its digest that of its manifest."""
    image = packed(10, 20)
    found = image.facts("api")
    assert (found.name, found.size, found.layers) == ("api", 32, (10, 20))
    assert found.digest == digest(image.manifest)


def test_layers_are_named_only_where_they_are_known() -> None:
    """A Dockerfile's layers are its own business."""
    image = packed(10, 20)
    assert image.facts("api", ("app",)).names == ("base", "app")
    assert image.facts("api", ("a", "b")).names == ()
    assert image.facts("api").names == ()

"""Images that a test puts into a registry by its API, without an engine."""

from __future__ import annotations

import hashlib
import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from ci.lab.secure_registry import SecureRegistry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest(data: bytes) -> str:
    """Of a document."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def described(data: bytes, kind: str, **more: Any) -> dict[str, Any]:
    """A document as a manifest names it."""
    return {"mediaType": kind, "digest": digest(data), "size": len(data), **more}


@dataclass(frozen=True)
class Image:
    """An image of a test.

    Attributes:
        labels: In its config.
        layers: No tarballs: no registry looks into them.
        kind: The media type of its manifest.
    """

    labels: dict[str, str] = field(default_factory=dict)
    layers: tuple[bytes, ...] = (b"one", b"and two")
    kind: str = MANIFEST

    @property
    def config(self) -> bytes:
        """The config's bytes."""
        made = {"architecture": "amd64", "os": "linux", "config": {"Labels": self.labels or None}}
        return json.dumps(made).encode()

    @property
    def manifest(self) -> bytes:
        """The manifest's bytes, spaced as no other program would."""
        layers = [described(layer, LAYER) for layer in self.layers]
        made = {
            "schemaVersion": 2,
            "mediaType": self.kind,
            "config": described(self.config, CONFIG),
        }
        return json.dumps({**made, "layers": layers}, indent=5).encode()

    @property
    def digest(self) -> str:
        """The manifest's digest."""
        return digest(self.manifest)


def index(*images: tuple[Image, str], kind: str = INDEX) -> bytes:
    """An index of images.

    Args:
        images: Each with its architecture.
        kind: The index's media type.
    """
    entries = [
        described(image.manifest, image.kind, platform={"os": "linux", "architecture": machine})
        for image, machine in images
    ]
    return json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries}).encode()


@dataclass(frozen=True)
class Store:
    """One repository of a registry, and the files that the registry keeps.

    Attributes:
        api: The base of the registry's API.
        name: The repository, without the host.
        folder: Where the registry keeps its images.
        ca: Who signs its certificate.
        authorization: The header of who pushes.
    """

    api: str
    name: str
    folder: Path
    ca: Path | None = None
    authorization: str = ""

    @classmethod
    def of(cls, registry: SecureRegistry, name: str = "team/one") -> Store:
        """A repository of a registry with TLS."""
        login = registry.login.authorization(name)
        return cls(f"https://{registry.address}", name, registry.images, registry.ca, login)

    @property
    def repository(self) -> str:
        """With the host, as in image addresses."""
        return f"{httpx.URL(self.api).netloc.decode()}/{self.name}"

    def push(self, image: Image, tag: str) -> str:
        """Push an image: its digest."""
        with self._client() as client:
            for data in (image.config, *image.layers):
                begun = client.post("blobs/uploads/").raise_for_status()
                end = httpx.URL(begun.headers["Location"]).copy_add_param("digest", digest(data))
                client.put(end, content=data).raise_for_status()
        return self.put(image.manifest, image.kind, tag)

    def put(self, manifest: bytes, kind: str, tag: str) -> str:
        """Put a manifest alone: its digest."""
        with self._client() as client:
            headers = {"Content-Type": kind}
            answer = client.put(f"manifests/{tag}", content=manifest, headers=headers)
        return str(answer.raise_for_status().headers["Docker-Content-Digest"])

    def held(self, tag: str) -> tuple[bytes, str]:
        """What a tag stands for: the bytes, and their media type."""
        accept = f"{MANIFEST}, {INDEX}, {DOCKER_MANIFEST}, {DOCKER_LIST}"
        with self._client() as client:
            answer = client.get(f"manifests/{tag}", headers={"Accept": accept}).raise_for_status()
        return answer.content, answer.headers["Content-Type"]

    def file(self, data: bytes) -> Path:
        """The file in which the registry keeps a document."""
        value = digest(data).removeprefix("sha256:")
        blobs = self.folder / "docker/registry/v2/blobs/sha256"
        return blobs / value[:2] / value / "data"

    def uploads(self) -> list[Path]:
        """What was begun and neither ended nor cancelled; of what was, an empty shell may be left."""
        repository = self.folder / "docker/registry/v2/repositories" / self.name
        return list(repository.glob("_uploads/*/startedat"))

    def _client(self) -> httpx.Client:
        return httpx.Client(
            verify=ssl.create_default_context(cafile=self.ca),
            trust_env=False,
            headers={"Authorization": self.authorization} if self.authorization else {},
            base_url=f"{self.api}/v2/{self.name}/",
        )


# One that says what it was made of.
IMAGE = Image({"made-of": "sources"})

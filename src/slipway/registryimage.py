"""An image as a registry holds it: what its manifest and its config say. Pure.

The formats are those of the OCI image spec (manifest.md, image-index.md, config.md) and, key for key the same, Docker's
image manifest v2, schema 2.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
# The algorithms that the image spec registers; a digest becomes part of an address.
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
# The distribution spec asks registries to take manifests of 4 MB; a config has no bound of its own.
MANIFEST_LIMIT = 4_000_000
CONFIG_LIMIT = 8_000_000


@dataclass(frozen=True)
class HeldImage:
    """An image as the registry holds it.

    Attributes:
        repository: Its repository, with the registry's host, as in image addresses.
        digest: The digest of the manifest's bytes.
        media_type: The manifest's media type: that of an image, or of an index of images.
        manifest: The manifest's bytes.
        size: Its compressed bytes, config included; of an index, those of its first image.
        layers: The compressed bytes of each layer.
        labels: The labels of its config.
    """

    repository: str
    digest: str
    media_type: str
    manifest: bytes
    size: int
    layers: tuple[int, ...]
    labels: Mapping[str, str]

    @property
    def address(self) -> str:
        """The image by its digest."""
        return f"{self.repository}@{self.digest}"


@dataclass(frozen=True)
class Descriptor:
    """What a manifest says of another document.

    Attributes:
        digest: Of its bytes.
        size: How many they are.
    """

    digest: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """The manifest of one image.

    Attributes:
        config: Its config.
        layers: Its layers.
    """

    config: Descriptor
    layers: tuple[Descriptor, ...]

    @property
    def size(self) -> int:
        """The compressed bytes of config and layers."""
        return self.config.size + sum(layer.size for layer in self.layers)


class MalformedError(ValueError):
    """A document is not what it should be; the text goes on after its name, as in `is no JSON`."""


def digest(data: bytes) -> str:
    """The digest of a document."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def is_digest(reference: str) -> bool:
    """Whether a reference is a digest, and no tag."""
    return bool(_DIGEST.fullmatch(reference))


def fits(expected: str, data: bytes) -> bool:
    """Whether a document has a digest."""
    algorithm, _, value = expected.partition(":")
    return is_digest(expected) and hashlib.new(algorithm, data).hexdigest() == value


def media_type(header: str, data: bytes) -> str:
    """The media type of a manifest or an index.

    Args:
        header: The Content-Type that it came with.
        data: Its bytes.

    Raises:
        MalformedError: It is neither.
    """
    sent = header.partition(";")[0].strip().lower()
    # What the document says of itself counts: proxies and object stores make up other headers.
    named = document(data).get("mediaType", sent)
    if named not in (*MANIFESTS, *INDEXES):
        raise MalformedError(f'is no image: its media type is "{str(named)[:100]}"')
    return str(named)


def first_image(index: bytes) -> Descriptor:
    """The first image of an index; what else it lists, such as attestations, is no image.

    Raises:
        MalformedError: It has none.
    """
    for entry in _list(document(index), "manifests"):
        if not isinstance(entry, dict) or entry.get("mediaType") not in MANIFESTS:
            continue
        platform = entry.get("platform")
        if not (isinstance(platform, dict) and platform.get("architecture") == "unknown"):
            return _descriptor(entry)
    raise MalformedError("is an index without any image")


def manifest(data: bytes) -> Manifest:
    """Read the manifest of one image.

    Raises:
        MalformedError: It is none.
    """
    found = document(data)
    layers = tuple(_descriptor(layer) for layer in _list(found, "layers"))
    return Manifest(_descriptor(found.get("config")), layers)


def labels(config: bytes) -> dict[str, str]:
    """The labels in an image's config.

    Raises:
        MalformedError: It is none.
    """
    settings = document(config).get("config")
    found = settings.get("Labels") if isinstance(settings, dict) else None
    if not isinstance(found, dict):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def document(data: bytes) -> dict[str, Any]:
    """A JSON object.

    Raises:
        MalformedError: It is none.
    """
    try:
        found = json.loads(data)
    # Of a document that is nested without end, too.
    except (ValueError, RecursionError):
        raise MalformedError("is no JSON") from None
    if not isinstance(found, dict):
        raise MalformedError("is no JSON object")
    return found


def _list(found: Mapping[str, Any], key: str) -> list[Any]:
    entries = found.get(key)
    if not isinstance(entries, list):
        raise MalformedError(f'has no list "{key}"')
    return entries


def _descriptor(found: Any) -> Descriptor:
    if isinstance(found, dict):
        name, size = found.get("digest"), found.get("size")
        if isinstance(name, str) and is_digest(name) and isinstance(size, int) and size >= 0:
            return Descriptor(name, size)
    raise MalformedError("names a part without its digest or size")

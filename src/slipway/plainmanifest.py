"""An image's manifest and config without what differs from one build to the next though the image is the same. Pure.

Engines write into a config when each layer was made, and by which command. Two builds of one commit never agree on
that, and on a Dagger engine neither do two exports of one build. What decides how the image runs stays as it is.
"""

import json
from typing import Any

from .registryimage import digest

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
# Layers are the same bytes under both names (OCI image spec, "Compatibility Matrix").
_LAYER_TYPES = {
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
}
# What an image is, of the keys of a config (OCI image spec, "Image JSON").
_KEPT = ("architecture", "os", "os.version", "os.features", "variant", "rootfs")
# A time that every build agrees on; without any, tools take the image for broken.
_CREATED = "1970-01-01T00:00:00Z"


def plain(manifest: bytes, config: bytes) -> tuple[bytes, bytes]:
    """A manifest and a config that are the same for the same layers and settings.

    Args:
        manifest: The manifest of one image.
        config: The config that it names.

    Returns:
        Both, as they are to be put in place of those.
    """
    told, layers = json.loads(config), json.loads(manifest)["layers"]
    made = {key: told[key] for key in _KEPT if key in told}
    made |= {"created": _CREATED, "config": _settings(told.get("config") or {})}
    written = _written(made)
    described = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": {"mediaType": CONFIG_TYPE, "digest": digest(written), "size": len(written)},
        "layers": [_layer(layer) for layer in layers],
    }
    return _written(described), written


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    """How a container is started; what is empty comes to the same as what is not there."""
    return {key: value for key, value in config.items() if value not in (None, "", [], {}, False)}


def _layer(layer: dict[str, Any]) -> dict[str, Any]:
    kind = layer["mediaType"]
    return {
        "mediaType": _LAYER_TYPES.get(kind, kind),
        "digest": layer["digest"],
        "size": layer["size"],
    }


def _written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

"""Images: names, configs, and the JSON that BuildKit's exporters take. Pure."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from drydock.errors import ApiError
from drydock.objects import Container, ImageConfig, Pairs

# What an exec gets when its image names none; BuildKit's own default (util/system, v0.34).
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

CREATED = "org.opencontainers.image.created"
"""The label that tells when an image was made (RFC 3339)."""
_NAME = re.compile(
    r"^(?:(?P<host>[a-zA-Z0-9.-]+(?::\d+)?|\[[0-9a-fA-F:]+\](?::\d+)?)/)?"
    r"(?P<path>[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?$"
)


def normalize(address: str, *, default_tag: bool = True) -> str:
    """An image address in full: `node` → `docker.io/library/node:latest`.

    The grammar is that of the distribution project's reference package.

    Args:
        address: As a user writes it.
        default_tag: Add `:latest` where there is neither tag nor digest.

    Raises:
        ApiError: If it is no image address.
    """
    host, path = "docker.io", address
    first, slash, rest = address.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        host, path = first, rest
    if host in ("docker.io", "index.docker.io"):
        host = "docker.io"
        path = path if "/" in path else f"library/{path}"
    match = _NAME.match(f"{host}/{path}")
    if not match:
        raise ApiError(f"failed to parse image address {address}: invalid reference format")
    if default_tag and not match["tag"] and not match["digest"]:
        path += ":latest"
    return f"{host}/{path}"


def parse_config(image: dict[str, Any]) -> ImageConfig:
    """The part of an image's config blob that says how it is run."""
    config = image.get("config") or {}
    extra = {name: config[name] for name in ("Healthcheck", "OnBuild", "Shell") if config.get(name)}
    return ImageConfig(
        env=tuple(_variable(entry) for entry in config.get("Env") or ()),
        entrypoint=_optional(config.get("Entrypoint")),
        cmd=_optional(config.get("Cmd")),
        user=config.get("User") or "",
        workdir=config.get("WorkingDir") or "",
        labels=tuple((config.get("Labels") or {}).items()),
        ports=tuple(config.get("ExposedPorts") or {}),
        volumes=tuple(config.get("Volumes") or {}),
        stop_signal=config.get("StopSignal") or "",
        extra=json.dumps(extra, sort_keys=True),
    )


def merge_config(old: ImageConfig, new: ImageConfig) -> ImageConfig:
    """The config after `from` on a container that has one: variables, labels and ports join, the rest is new."""
    return replace(
        new,
        env=_union(old.env, new.env),
        labels=_union(old.labels, new.labels),
        ports=tuple(dict.fromkeys((*old.ports, *new.ports))),
    )


def config_json(container: Container) -> str:
    """The image config of a container, for an exporter; layers and their history are BuildKit's to add."""
    config = container.config
    fields = {
        "Env": [f"{name}={value}" for name, value in config.env],
        "Entrypoint": list(config.entrypoint) if config.entrypoint is not None else None,
        "Cmd": list(config.cmd) if config.cmd is not None else None,
        "User": config.user,
        "WorkingDir": config.workdir,
        "Labels": dict(sorted(config.labels)),
        "ExposedPorts": {port: {} for port in config.ports},
        "Volumes": {volume: {} for volume in config.volumes},
        "StopSignal": config.stop_signal,
        **json.loads(config.extra),
    }
    system, _, rest = container.platform.partition("/")
    architecture, _, variant = rest.partition("/")
    image = {
        "architecture": architecture,
        "os": system,
        **({"variant": variant} if variant else {}),
        "config": {
            name: value for name, value in fields.items() if value not in (None, "", {}, [])
        },
        "rootfs": {"type": "layers", "diff_ids": []},
    }
    return json.dumps(image, sort_keys=True)


def created(container: Container) -> int:
    """When an image was made, in seconds since 1970: what its own label says, else 0.

    Without a time of its own BuildKit takes that of each layer's snapshot, so that the same files and the same config
    are another image on another machine, and again after the cache was emptied.
    """
    text = dict(container.config.labels).get(CREATED, "")
    with contextlib.suppress(ValueError):
        moment = datetime.fromisoformat(text)
        return max(0, int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()))
    return 0


def _variable(entry: str) -> tuple[str, str]:
    name, _, value = entry.partition("=")
    return name, value


def _optional(value: list[str] | None) -> tuple[str, ...] | None:
    return tuple(value) if value else None


def _union(old: Pairs, new: Pairs) -> Pairs:
    return tuple({**dict(old), **dict(new)}.items())

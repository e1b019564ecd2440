"""Paths in a container, as the client writes them."""

from __future__ import annotations

from drydock.execs import expand as expanded
from drydock.objects import Container


def container_path(container: Container, path: str, expand: bool) -> str:
    """Absolute path, keeping the trailing slash that makes it a directory."""
    text = expanded(container, path) if expand else path
    absolute = container.absolute(text)
    return (
        absolute + "/"
        if text.endswith("/") and text.startswith("/") and absolute != "/"
        else absolute
    )


def unmounted(container: Container, path: str) -> Container:
    """A copy without the mount that was last added at a path."""
    last = next((m for m in reversed(container.mounts) if m.dest == path), None)
    return container.changed(mounts=tuple(m for m in container.mounts if m is not last))

"""Fields of Query that begin a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drydock.engine import DEFAULT_PLATFORM
from drydock.errors import ApiError
from drydock.graph import MakeFile, Scratch
from drydock.objects import CacheVolume, Container, Directory, File
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.session import Session

API_VERSION = "v0.21.8"
ARCHITECTURES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armhf": "arm"}
NAME_LIMIT = 255
"""Bytes of a file's name (`NAME_MAX` of Linux)."""


@core.serves("Query", "version")
def version(_session: Session, _query: None) -> str:
    """The version of the API."""
    return API_VERSION


@core.serves("Query", "defaultPlatform")
def default_platform(_session: Session, _query: None) -> str:
    """The platform that containers get."""
    return DEFAULT_PLATFORM


@core.serves("Query", "node")
def node(session: Session, _query: None, *, id: str) -> Any:  # noqa: A002  # the API's name
    """Any object by its id."""
    return session.ids.get(id)


@core.serves("Query", "container")
def container(_session: Session, _query: None, *, platform: str | None = None) -> Container:
    """An empty container."""
    return Container(platform=checked_platform(platform))


def checked_platform(platform: str | None) -> str:
    """A platform by its usual name (`linux/aarch64` is `linux/arm64`); this machine's where none is given.

    Raises:
        ApiError: If it is none.
    """
    if not platform:
        return DEFAULT_PLATFORM
    system, *rest = platform.lower().split("/")
    architecture = ARCHITECTURES.get(rest[0], rest[0]) if rest else ""
    if (
        not architecture
        or len(rest) > 2
        or not all(part.isalnum() for part in (system, architecture, *rest[1:]))
    ):
        raise ApiError(f'"{platform}" is no platform, such as linux/amd64 or linux/arm/v7')
    variant = "" if (architecture, rest[-1]) == ("arm64", "v8") else "/".join(rest[1:])
    return "/".join(filter(None, (system, architecture, variant)))


@core.serves("Query", "directory")
def directory(_session: Session, _query: None) -> Directory:
    """An empty directory."""
    return Directory()


@core.serves("Query", "file")
def file(
    _session: Session, _query: None, *, name: str, contents: str, permissions: int = 0o644
) -> File:
    """A new file.

    Raises:
        ApiError: If its name holds a slash.
    """
    if "/" in name:
        raise ApiError(f'file name "{name}" must not contain a directory')
    return new_file(name, contents, permissions)


def new_file(name: str, contents: str, permissions: int) -> File:
    """A file that is made of its text.

    Raises:
        ApiError: If no file can have this name.
    """
    if len(name.encode()) > NAME_LIMIT:
        raise ApiError(f"File name length exceeds the maximum supported {NAME_LIMIT} characters")
    data = contents.encode(errors="surrogatepass")
    return File(MakeFile(Scratch(), f"/{name}", data, permissions or 0o644), f"/{name}")


@core.serves("Query", "cacheVolume")
def cache_volume(
    _session: Session,
    _query: None,
    *,
    key: str,
    source: Directory | None = None,
    sharing: str = "SHARED",
    owner: str = "",
) -> CacheVolume:
    """A cache volume by its key; with another beginning, sharing or owner it is another one."""
    return CacheVolume(f"drydock/{key}", source, sharing, owner)

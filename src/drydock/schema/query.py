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
    """An empty container.

    Raises:
        ApiError: If it is for another platform than this machine's.
    """
    return Container(platform=checked_platform(platform))


def checked_platform(platform: str | None) -> str:
    """The platform, when it can be built here.

    Raises:
        ApiError: If it cannot.
    """
    if platform and platform != DEFAULT_PLATFORM:
        raise ApiError(
            f"drydock builds for {DEFAULT_PLATFORM}, not for {platform}; run this on a Dagger engine"
        )
    return DEFAULT_PLATFORM


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
    return File(
        MakeFile(Scratch(), f"/{name}", contents.encode(), permissions or 0o644), f"/{name}"
    )


@core.serves("Query", "cacheVolume")
def cache_volume(_session: Session, _query: None, *, key: str) -> CacheVolume:
    """A cache volume by its key."""
    return CacheVolume(f"drydock/{key}")

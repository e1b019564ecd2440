"""Fields of Directory that ask what is in it, or write it out."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from drydock.errors import ApiError, MissingPathError
from drydock.graph import Fs
from drydock.objects import Directory, File, Stat
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.session import Session


@core.serves("Directory", "directory")
def directory(_session: Session, parent: Directory, *, path: str) -> Directory:
    """A directory in it."""
    return Directory(parent.fs, parent.join(path))


@core.serves("Directory", "file")
async def file(session: Session, parent: Directory, *, path: str) -> File:
    """A file in it, which must be there.

    Raises:
        ApiError: If it is not, or is a directory.
    """
    inside = parent.join(path)
    kind = await session.engine.reader.kind(parent.fs, inside)
    if kind is None:
        raise MissingPathError(path)
    if kind == "DIRECTORY":
        raise ApiError(f"path {path} is a directory, not a file")
    return File(parent.fs, inside)


@core.serves("Directory", "entries")
async def entries(session: Session, parent: Directory, *, path: str | None = None) -> list[str]:
    """Names in it, sorted; a directory's ends with a slash."""
    return await session.engine.reader.entries(
        Directory(parent.fs, parent.join(path)) if path else parent
    )


@core.serves("Directory", "glob")
async def glob(session: Session, parent: Directory, *, pattern: str) -> list[str]:
    """Paths in it that match a pattern, sorted; a directory's ends with a slash."""
    return await session.engine.reader.glob(parent, pattern)


@core.serves("Directory", "exists")
async def exists(
    session: Session,
    parent: Directory,
    *,
    path: str,
    expected_type: str | None = None,
    do_not_follow_symlinks: bool = False,
) -> bool:
    """Whether there is something at a path."""
    return await session.engine.reader.exists(
        parent.fs, parent.join(path), expected_type, follow=not do_not_follow_symlinks
    )


@core.serves("Directory", "digest")
async def digest(session: Session, parent: Directory) -> str:
    """Digest of its content: names, modes, owners and bytes, not times."""
    return await session.engine.trees.digest(parent.alone)


@core.serves("Directory", "name")
async def name(session: Session, parent: Directory) -> str:
    """The last part of its path, with a slash.

    Raises:
        MissingPathError: If it is not there.
    """
    if parent.path != "/" and await session.engine.reader.kind(parent.fs, parent.path) is None:
        raise MissingPathError(parent.path)
    return posixpath.basename(parent.path) + "/"


@core.serves("Directory", "sync")
async def sync(session: Session, parent: Directory) -> str:
    """Build it; returns its id."""
    await session.engine.sync(parent.alone)
    return session.ids.put(parent)


@core.serves("Directory", "export")
async def export(session: Session, parent: Directory, *, path: str, wipe: bool = False) -> str:
    """Write it to this machine, into what is there; with `wipe`, in place of it."""
    return await session.engine.exports.directory(parent, path, wipe=wipe)


@core.serves("Directory", "stat")
async def stat(
    session: Session, parent: Directory, *, path: str, do_not_follow_symlinks: bool = False
) -> Stat:
    """What is at a path."""
    follow = not do_not_follow_symlinks
    return await stat_as(session, parent.fs, parent.join(path), path, follow=follow)


async def stat_as(session: Session, fs: Fs, inside: str, path: str, *, follow: bool) -> Stat:
    """What is at `inside`; where there is nothing, the error names `path`, as it was asked for."""
    kind = await session.engine.reader.kind(fs, inside, follow=follow) if path else None
    if kind is None:
        raise MissingPathError(path)
    return await session.engine.reader.stat(fs, inside, follow=follow)


@core.serves("Directory", "findUp")
async def find_up(session: Session, parent: Directory, *, name: str, start: str) -> str | None:
    """Path of the nearest `name` in a folder of it or above; null when there is none."""
    if not name:
        raise ApiError("name cannot be empty")
    folder = posixpath.normpath(start or ".")
    if folder.startswith("../") or folder == "..":
        raise ApiError(f"cannot search outside parent: {folder}")
    while True:
        path = posixpath.normpath(posixpath.join(folder, name))
        if await session.engine.reader.kind(parent.fs, parent.join(path), follow=False):
            return path
        if folder in (".", "/"):
            return None
        folder = posixpath.dirname(folder) or "."


core.plain("Stat", "name", "fileType", "size", "permissions")

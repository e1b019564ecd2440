"""Fields of Directory."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from drydock.errors import ApiError
from drydock.graph import Copy, Diff, MakeDir, MakeFile, Remove, Scratch, Symlink
from drydock.objects import Directory, File
from drydock.schema.copying import copy_directory, copy_file, without_ignored
from drydock.schema.owners import resolve_owner
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.session import Session


@core.serves("Directory", "withDirectory")
async def with_directory(
    session: Session,
    parent: Directory,
    *,
    path: str,
    source: Directory,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    gitignore: bool = False,
    owner: str = "",
    permissions: int | None = None,
) -> Directory:
    """Another directory's content merged into a path."""
    owned = await resolve_owner(session, parent.fs, owner)
    if gitignore:
        source = await without_ignored(session, source)
    return parent.with_fs(
        copy_directory(parent.fs, parent.join(path), source, include, exclude, owned, permissions)
    )


@core.serves("Directory", "filter")
async def filter_(
    session: Session,
    parent: Directory,
    *,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    gitignore: bool = False,
) -> Directory:
    """What matches `include` and not `exclude`."""
    if gitignore:
        parent = await without_ignored(session, parent)
    return Directory(copy_directory(Scratch(), "/", parent, include, exclude, None))


@core.serves("Directory", "withFile")
async def with_file(
    session: Session,
    parent: Directory,
    *,
    path: str,
    source: File,
    permissions: int | None = None,
    owner: str = "",
) -> Directory:
    """A file at a path, or in it where that ends with a slash."""
    inside = parent.join(path)
    dest = inside.rstrip("/") + "/" if path.endswith("/") or path in ("", ".") else inside
    owned = await resolve_owner(session, parent.fs, owner)
    return parent.with_fs(copy_file(parent.fs, dest, source, permissions, owned))


@core.serves("Directory", "withFiles")
def with_files(
    _session: Session,
    parent: Directory,
    *,
    path: str,
    sources: list[File],
    permissions: int | None = None,
) -> Directory:
    """Files in a directory, by their own names."""
    fs = parent.fs
    for source in sources:
        fs = copy_file(
            fs, parent.join(posixpath.join(path, source.name)), source, permissions, None
        )
    return parent.with_fs(fs)


@core.serves("Directory", "withNewFile")
def with_new_file(
    _session: Session, parent: Directory, *, path: str, contents: str, permissions: int = 0o644
) -> Directory:
    """A new file."""
    return parent.with_fs(
        MakeFile(parent.fs, parent.join(path), contents.encode(), permissions or 0o644)
    )


@core.serves("Directory", "withNewDirectory")
def with_new_directory(
    _session: Session, parent: Directory, *, path: str, permissions: int = 0o644
) -> Directory:
    """A new directory."""
    if posixpath.normpath(path).startswith(".."):
        raise ApiError(f"cannot create directory outside parent: {path}")
    return parent.with_fs(MakeDir(parent.fs, parent.join(path), permissions or 0o755))


@core.serves("Directory", "withSymlink")
def with_symlink(_session: Session, parent: Directory, *, target: str, link_name: str) -> Directory:
    """A symbolic link."""
    return parent.with_fs(Symlink(parent.fs, parent.join(link_name), target))


@core.serves("Directory", "withoutDirectory", "withoutFile")
def without_path(_session: Session, parent: Directory, *, path: str) -> Directory:
    """Without what is at a path."""
    return parent.with_fs(Remove(parent.fs, parent.join(path), "*" in path))


@core.serves("Directory", "withoutFiles")
def without_files(_session: Session, parent: Directory, *, paths: list[str]) -> Directory:
    """Without what is at several paths."""
    fs = parent.fs
    for path in paths:
        fs = Remove(fs, parent.join(path), "*" in path)
    return parent.with_fs(fs)


@core.serves("Directory", "withTimestamps")
def with_timestamps(_session: Session, parent: Directory, *, timestamp: int) -> Directory:
    """Every entry with this time, in seconds since 1970."""
    return Directory(
        Copy(Scratch(), parent.fs, parent.path, "/", contents=True, timestamp=timestamp)
    )


@core.serves("Directory", "chown")
async def chown(session: Session, parent: Directory, *, path: str, owner: str) -> Directory:
    """A directory in it, and all below, with another owner."""
    owned = await resolve_owner(session, parent.fs, owner)
    inside = parent.join(path)
    return parent.with_fs(Copy(parent.fs, parent.fs, inside, inside, contents=True, owner=owned))


@core.serves("Directory", "withError")
def with_error(_session: Session, parent: Directory, *, err: str) -> Directory:
    """The same directory, or the error where one is given.

    Raises:
        ApiError: With this text, unless it is empty.
    """
    if err:
        raise ApiError(err)
    return parent


@core.serves("Directory", "diff")
def diff(_session: Session, parent: Directory, *, other: Directory) -> Directory:
    """What another directory has, and this one has not."""
    return Directory(Diff(parent.alone, other.alone))

"""Fields of Directory."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from drydock.errors import ApiError
from drydock.graph import Copy, Diff, Fs, MakeDir, MakeFile, Remove, Scratch, Symlink
from drydock.objects import Container, Directory, File, Secret
from drydock.schema.copying import copy_directory, copy_file, parse_owner
from drydock.schema.query import checked_platform
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.session import Session


def whole(directory: Directory) -> Fs:
    """The directory's content alone, as a file system."""
    return copy_directory(Scratch(), "/", directory, None, None, None)


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
    kind = await session.engine.kind(parent.fs, inside)
    if kind is None:
        raise ApiError(f"stat {path}: no such file or directory")
    if kind == "directory":
        raise ApiError(f"path {path} is a directory, not a file")
    return File(parent.fs, inside)


@core.serves("Directory", "entries")
async def entries(session: Session, parent: Directory, *, path: str | None = None) -> list[str]:
    """Names in it, sorted; a directory's ends with a slash."""
    return await session.engine.entries(Directory(parent.fs, parent.join(path)) if path else parent)


@core.serves("Directory", "glob")
async def glob(session: Session, parent: Directory, *, pattern: str) -> list[str]:
    """Paths in it that match a pattern, sorted; a directory's ends with a slash."""
    return await session.engine.glob(parent, pattern)


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
    return await session.engine.exists(
        parent.fs, parent.join(path), expected_type, follow=not do_not_follow_symlinks
    )


@core.serves("Directory", "digest")
async def digest(session: Session, parent: Directory) -> str:
    """Digest of its content: names, modes, owners and bytes, not times."""
    return await session.engine.digest(whole(parent))


@core.serves("Directory", "name")
def name(_session: Session, parent: Directory) -> str:
    """The last part of its path, with a slash."""
    return posixpath.basename(parent.path) + "/"


@core.serves("Directory", "sync")
async def sync(session: Session, parent: Directory) -> str:
    """Build it; returns its id."""
    await session.engine.sync(whole(parent))
    return session.ids.put(parent)


@core.serves("Directory", "export")
async def export(session: Session, parent: Directory, *, path: str, wipe: bool = False) -> str:
    """Write it to this machine, into what is there; with `wipe`, in place of it."""
    return await session.engine.export_directory(parent, path, wipe=wipe)


@core.serves("Directory", "withDirectory")
def with_directory(
    _session: Session,
    parent: Directory,
    *,
    path: str,
    source: Directory,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    owner: str = "",
    permissions: int | None = None,
) -> Directory:
    """Another directory's content merged into a path."""
    owned = parse_owner(owner, parent.fs)
    return parent.with_fs(
        copy_directory(parent.fs, parent.join(path), source, include, exclude, owned, permissions)
    )


@core.serves("Directory", "filter")
def filter_(
    _session: Session,
    parent: Directory,
    *,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
) -> Directory:
    """What matches `include` and not `exclude`."""
    return Directory(copy_directory(Scratch(), "/", parent, include, exclude, None))


@core.serves("Directory", "withFile")
def with_file(
    _session: Session,
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
    return parent.with_fs(
        copy_file(parent.fs, dest, source, permissions, parse_owner(owner, parent.fs))
    )


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
    return parent.with_fs(Remove(parent.fs, parent.join(path)))


@core.serves("Directory", "withoutFiles")
def without_files(_session: Session, parent: Directory, *, paths: list[str]) -> Directory:
    """Without what is at several paths."""
    fs = parent.fs
    for path in paths:
        fs = Remove(fs, parent.join(path))
    return parent.with_fs(fs)


@core.serves("Directory", "withTimestamps")
def with_timestamps(_session: Session, parent: Directory, *, timestamp: int) -> Directory:
    """Every entry with this time, in seconds since 1970."""
    return Directory(
        Copy(Scratch(), parent.fs, parent.path, "/", contents=True, timestamp=timestamp)
    )


@core.serves("Directory", "chown")
def chown(_session: Session, parent: Directory, *, path: str, owner: str) -> Directory:
    """A directory in it, and all below, with another owner."""
    owned, inside = parse_owner(owner, parent.fs), parent.join(path)
    return parent.with_fs(Copy(parent.fs, parent.fs, inside, inside, contents=True, owner=owned))


@core.serves("Directory", "diff")
def diff(_session: Session, parent: Directory, *, other: Directory) -> Directory:
    """What another directory has, and this one has not."""
    return Directory(Diff(whole(parent), whole(other)))


@core.serves("Directory", "dockerBuild")
async def docker_build(
    session: Session,
    parent: Directory,
    *,
    dockerfile: str = "Dockerfile",
    platform: str | None = None,
    build_args: list[dict[str, Any]] | None = None,
    target: str = "",
    secrets: list[Secret] | None = None,
    no_init: bool = False,  # noqa: ARG001  # as in withExec
) -> Container:
    """Build a Dockerfile in it."""
    options = {
        "filename": dockerfile,
        **{f"build-arg:{arg['name']}": arg["value"] for arg in build_args or ()},
    }
    if target:
        options["target"] = target
    if any(not secret.name for secret in secrets or ()):
        raise ApiError("secret has no name and cannot be referenced from Dockerfile secret id")
    return await session.engine.docker_build(
        parent, options, secrets or [], checked_platform(platform)
    )

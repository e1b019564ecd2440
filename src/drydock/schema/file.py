"""Fields of File."""

from __future__ import annotations

import hashlib
import posixpath
from typing import TYPE_CHECKING

from drydock.errors import ApiError
from drydock.graph import Copy, MakeFile, Scratch
from drydock.objects import File, Stat
from drydock.schema.copying import copy_file
from drydock.schema.owners import resolve_owner
from drydock.schema.registry import core
from drydock.search import replaced

if TYPE_CHECKING:
    from drydock.session import Session

CONTENTS_LIMIT = 128 << 20
"""Bytes, as on the Dagger engine (v0.21, core/file.go)."""


@core.serves("File", "contents")
async def contents(
    session: Session, file: File, *, offset_lines: int | None = None, limit_lines: int | None = None
) -> str:
    """Its text, or some lines of it."""
    data = await session.engine.reader.read(file, CONTENTS_LIMIT)
    if len(data) > CONTENTS_LIMIT:
        raise ApiError(f"file size {len(data)} exceeds limit {CONTENTS_LIMIT}")
    text = data.decode(errors="replace")
    if offset_lines is None and limit_lines is None:
        return text
    begin = offset_lines or 0
    lines = text.splitlines(keepends=True)[begin:]
    return "".join(lines if limit_lines is None else lines[:limit_lines])


@core.serves("File", "size")
async def size(session: Session, file: File) -> int:
    """Its size in bytes."""
    return (await session.engine.reader.stat(file.fs, file.path)).size


@core.serves("File", "name")
def name(_session: Session, file: File) -> str:
    """Its name."""
    return file.name


@core.serves("File", "stat")
async def stat(session: Session, file: File) -> Stat:
    """What kind of file it is."""
    return await session.engine.reader.stat(file.fs, file.path)


@core.serves("File", "withReplaced")
async def with_replaced(
    session: Session,
    file: File,
    *,
    search: str,
    replacement: str,
    all: bool = False,  # noqa: A002  # the API's name
    first_from: int | None = None,
) -> File:
    """The same file with one text in place of another.

    Raises:
        ApiError: If the text is not in it, or more than once where it is not told which one is meant.
    """
    data = await session.engine.reader.read(file)
    changed = replaced(data.decode(errors="surrogateescape"), search, replacement, all, first_from)
    mode = (await session.engine.reader.stat(file.fs, file.path)).permissions
    path = f"/{file.name}"
    made = MakeFile(Scratch(), path, changed.encode(errors="surrogateescape"), mode)
    return File(made, path)


def _alone(file: File) -> Copy:
    return Copy(Scratch(), file.fs, file.path, f"/{file.name}", contents=False)


@core.serves("File", "digest")
async def digest(session: Session, file: File, *, exclude_metadata: bool = False) -> str:
    """Digest of its name, mode, owner and bytes, or of its bytes alone."""
    if exclude_metadata:
        data = await session.engine.reader.read(file)
        # Twice, as on the Dagger engine (v0.21, core/file.go).
        return f"sha256:{hashlib.sha256(hashlib.sha256(data).digest()).hexdigest()}"
    return await session.engine.trees.digest(_alone(file))


@core.serves("File", "sync")
async def sync(session: Session, file: File) -> str:
    """Build it; returns its id."""
    await session.engine.sync(_alone(file))
    return session.ids.put(file)


@core.serves("File", "export")
async def export(
    session: Session, file: File, *, path: str, allow_parent_dir_path: bool = False
) -> str:
    """Write it to this machine; returns the absolute path."""
    return await session.engine.exports.file(file, path, into_directory=allow_parent_dir_path)


@core.serves("File", "withName")
def with_name(_session: Session, file: File, *, name: str) -> File:
    """The same file by another name."""
    if "/" in name:
        raise ApiError(f'file name "{name}" must not contain a directory')
    path = posixpath.join("/", name)
    return File(copy_file(Scratch(), path, file, None, None), path)


@core.serves("File", "withTimestamps")
def with_timestamps(_session: Session, file: File, *, timestamp: int) -> File:
    """The same file with this time, in seconds since 1970."""
    path = f"/{file.name}"
    return File(
        Copy(Scratch(), file.fs, file.path, path, contents=False, timestamp=timestamp), path
    )


@core.serves("File", "chown")
async def chown(session: Session, file: File, *, owner: str) -> File:
    """The same file with another owner."""
    path = f"/{file.name}"
    owned = await resolve_owner(session, file.fs, owner)
    return File(copy_file(Scratch(), path, file, None, owned), path)

"""Copying into a file system, as Container and Directory both do it."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from drydock.errors import ApiError
from drydock.graph import Copy, Fs, Owner, Scratch
from drydock.objects import Directory, File

if TYPE_CHECKING:
    from drydock.session import Session


async def without_ignored(session: Session, source: Directory) -> Directory:
    """A directory without what its `.gitignore` files, and those above it in its file system, leave out."""
    excluded = tuple(await session.engine.trees.gitignored(source))
    if not excluded:
        return source
    return Directory(Copy(Scratch(), source.fs, source.path, "/", contents=True, exclude=excluded))


def copy_directory(  # noqa: PLR0917
    base: Fs,
    path: str,
    source: Directory,
    include: list[str] | None,
    exclude: list[str] | None,
    owner: Owner | None,
    mode: int | None = None,
) -> Fs:
    """`base` with a directory's content merged into `path`."""
    changed = include or exclude or owner or mode is not None
    if isinstance(base, Scratch) and path == source.path == "/" and not changed:
        return source.fs
    return Copy(
        base,
        source.fs,
        source.path,
        path,
        contents=True,
        include=patterns(include),
        exclude=patterns(exclude),
        owner=owner,
        mode=mode,
    )


def copy_file(base: Fs, path: str, source: File, mode: int | None, owner: Owner | None) -> Fs:
    """`base` with a file at `path`, or in it where that ends with a slash."""
    dest = posixpath.join(path, source.name) if path.endswith("/") else path
    return Copy(base, source.fs, source.path, dest, contents=False, owner=owner, mode=mode)


def patterns(given: list[str] | None) -> tuple[str, ...]:
    """Patterns without empty ones, cleaned as the matcher expects them.

    Raises:
        ApiError: If one is a lone exclamation mark.
    """
    cleaned = []
    for raw in given or ():
        negated, plain = raw.strip().startswith("!"), raw.strip().removeprefix("!")
        if not plain:
            if negated:
                raise ApiError('illegal exclusion pattern: "!"')
            continue
        cleaned.append(("!" if negated else "") + posixpath.normpath(plain))
    return tuple(cleaned)

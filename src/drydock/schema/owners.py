"""Owners: numbers, looked up in a file system where names are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from drydock.errors import ApiError, MissingPathError
from drydock.graph import Copy, Fs, MakeDir, MakeFile, Owner, Remove, Scratch, Symlink
from drydock.objects import Container, File

if TYPE_CHECKING:
    from drydock.session import Session

USERS, GROUPS = "/etc/passwd", "/etc/group"


async def owner_ids(session: Session, container: Container, owner: str) -> tuple[int, int]:
    """User and group id of an owner, `user[:group]`, each a number or a name of the container; root by default.

    Raises:
        ApiError: If the container knows no such name.
    """

    def where(file: str) -> File:
        _mount, fs, inside = container.locate(file)
        return File(fs, inside)

    return await _ids(session, owner, where)


async def resolve_owner(session: Session, names: Fs, owner: str) -> Owner | None:
    """The owner that `user[:group]` means in a file system; None where none is given.

    Raises:
        ApiError: If the file system knows no such name.
    """
    if not owner:
        return None
    uid, gid = await _ids(session, owner, lambda file: File(_unchanged(names), file))
    return Owner(uid, gid)


async def _ids(session: Session, owner: str, where: Callable[[str], File]) -> tuple[int, int]:
    user, _, group = owner.partition(":")
    try:
        uid = await _id(session, user, where(USERS), "uid: no such user")
        # Without a group it is the user's number, as on the Dagger engine (v0.21, `core/container.go`).
        return uid, await _id(session, group, where(GROUPS), "gid: no such group") if group else uid
    except MissingPathError:
        # Which of the two files it is, the Dagger engine does not tell either.
        message = f"open {USERS}: no such file or directory"
        raise ApiError(f"failed to resolve ownership for {owner}: {message}") from None
    except ApiError as error:
        raise ApiError(f"failed to resolve ownership for {owner}: {error}") from None


async def _id(session: Session, name: str, file: File, unknown: str) -> int:
    if name in ("", "root"):
        return 0
    if name.isdigit():
        return int(name)
    for line in (await session.engine.reader.remembered(file)).splitlines():
        fields = line.split(":")
        if fields[0] == name and len(fields) > 2:
            return int(fields[2])
    raise ApiError(f"find {unknown}: {name}")


def _unchanged(fs: Fs) -> Fs:
    """The file system that last may have changed who is who: copies to elsewhere are passed over."""
    while isinstance(fs, (Copy, MakeFile, MakeDir, Remove, Symlink)):
        path = fs.dest if isinstance(fs, Copy) else fs.path
        if path == "/" or f"{path}/".startswith("/etc/") or isinstance(fs.base, Scratch):
            break
        fs = fs.base
    return fs

"""Addresses: one text that stands for a directory, file, container, repository or secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drydock.errors import ApiError
from drydock.gitrepos import GitRef, GitRepository, checked_url
from drydock.graph import Value
from drydock.objects import Container, Directory, File, Secret
from drydock.schema import directoryreading as directories
from drydock.schema import git, host, image, query
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.session import Session


@dataclass(frozen=True, eq=False)
class Address(Value):
    """An address, as it was written."""

    type_name: ClassVar[str] = "Address"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    value: str


@dataclass(frozen=True)
class Remote:
    """A repository's address with what follows the `#`: a ref, then a folder behind a colon."""

    url: str
    ref: str = ""
    folder: str = ""


core.plain("Address", "value")


@core.serves("Query", "address")
def address(_session: Session, _query: None, *, value: str) -> Address:
    """An address; what it means is told by what is asked of it."""
    return Address(value)


def remote(text: str) -> Remote | None:
    """What an address says when it is that of a Git repository elsewhere; None when it is not."""
    url, _, fragment = text.partition("#")
    schemes = ("https://", "http://", "ssh://", "git://")
    if not url.startswith(schemes) and not url.startswith("git@"):
        return None
    ref, _, folder = fragment.partition(":")
    return Remote(checked_url(url), ref, folder)


async def _tree(session: Session, where: Remote) -> Directory:
    repository = GitRepository(where.url)
    found = await git.ref(session, repository, name=where.ref or "HEAD")
    return await git.tree(session, found)


def _local(text: str) -> str:
    return text.removeprefix("file://")


@core.serves("Address", "directory")
async def directory(
    session: Session,
    parent: Address,
    *,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    gitignore: bool = False,
    no_cache: bool = False,  # noqa: ARG001  # it is read anew for each build
) -> Directory:
    """A directory of this machine, or of a repository."""
    where = remote(parent.value)
    if where:
        tree = await _tree(session, where)
        return directories.directory(session, tree, path=where.folder) if where.folder else tree
    return host.directory(
        session,
        host.Host(),
        path=_local(parent.value),
        exclude=exclude,
        include=include,
        gitignore=gitignore,
    )


@core.serves("Address", "file")
async def file(session: Session, parent: Address) -> File:
    """A file of this machine, or of a repository."""
    where = remote(parent.value)
    if where is None:
        return host.file(session, host.Host(), path=_local(parent.value))
    return await directories.file(session, await _tree(session, where), path=where.folder)


@core.serves("Address", "container")
async def container(session: Session, parent: Address) -> Container:
    """An image."""
    return await image.from_(session, query.container(session, None), address=parent.value)


@core.serves("Address", "gitRepository")
def git_repository(session: Session, parent: Address) -> GitRepository:
    """A repository elsewhere, or in a directory of this machine."""
    where = remote(parent.value)
    if where is None:
        found = host.directory(session, host.Host(), path=_local(parent.value))
        return GitRepository(directory=found)
    for part, name in ((where.ref, "ref"), (where.folder, "subdir")):
        if part:
            raise ApiError(f"git repository address cannot contain {name}")
    return GitRepository(where.url)


@core.serves("Address", "gitRef")
async def git_ref(session: Session, parent: Address) -> GitRef:
    """What a repository's address names behind the `#`, else its default branch."""
    where = remote(parent.value)
    if where and where.folder:
        raise ApiError("git ref address cannot contain subdir")
    path, _, name = parent.value.partition("#")
    repository = GitRepository(where.url) if where else git_repository(session, Address(path))
    return await git.ref(session, repository, name=(where.ref if where else name) or "HEAD")


@core.serves("Address", "secret")
def secret(session: Session, parent: Address) -> Secret:
    """A secret; a name alone is that of a variable."""
    scheme, separator, rest = parent.value.partition(":")
    if not separator:
        return session.engine.secrets.by_uri(f"env://{parent.value}")
    rest = rest if rest.startswith("//") else f"//{rest}"
    return session.engine.secrets.by_uri(f"{scheme}:{rest}")

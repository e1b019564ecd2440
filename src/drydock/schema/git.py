"""Git repositories and what they refer to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from drydock.changesets import Changeset
from drydock.errors import ApiError
from drydock.gitrepos import COMMIT, GitRef, GitRepository, checked_url
from drydock.graph import Local
from drydock.objects import Directory, Secret
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.session import Session

_VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")


@core.serves("Query", "git")
def git(
    _session: Session,
    _query: None,
    *,
    url: str,
    keep_git_dir: bool = True,
    http_auth_username: str = "",
    http_auth_token: Secret | None = None,
    http_auth_header: Secret | None = None,
) -> GitRepository:
    """A repository by its address."""
    return GitRepository(
        checked_url(url),
        keep_git_dir=keep_git_dir,
        username=http_auth_username,
        token=http_auth_token,
        header=http_auth_header,
    )


@core.serves("Directory", "asGit")
def as_git(_session: Session, parent: Directory) -> GitRepository:
    """The repository in a directory."""
    return GitRepository(directory=parent)


@core.serves("GitRepository", "url")
def url(_session: Session, repository: GitRepository) -> str | None:
    """Its address; null for a directory's."""
    return repository.url or None


async def _find(session: Session, repository: GitRepository, name: str) -> GitRef:
    return await session.engine.repositories.find(repository, name)


@core.serves("GitRepository", "head")
async def head(session: Session, repository: GitRepository) -> GitRef:
    """Its default branch."""
    return await _find(session, repository, "HEAD")


@core.serves("GitRepository", "ref")
async def ref(session: Session, repository: GitRepository, *, name: str) -> GitRef:
    """A commit, tag, branch or whole ref by its name."""
    return await _find(session, repository, name)


@core.serves("GitRepository", "branch")
async def branch(session: Session, repository: GitRepository, *, name: str) -> GitRef:
    """A branch."""
    return await _find(session, repository, f"refs/heads/{name.removeprefix('refs/heads/')}")


@core.serves("GitRepository", "tag")
async def tag(session: Session, repository: GitRepository, *, name: str) -> GitRef:
    """A tag."""
    return await _find(session, repository, f"refs/tags/{name.removeprefix('refs/tags/')}")


@core.serves("GitRepository", "commit")
async def commit(session: Session, repository: GitRepository, *, id: str) -> GitRef:  # noqa: A002  # the API's name
    """A commit by its whole digest."""
    if not COMMIT.fullmatch(id):
        raise ApiError(f'invalid commit SHA: "{id}"')
    return await _find(session, repository, id)


@core.serves("GitRepository", "tags")
async def tags(
    session: Session, repository: GitRepository, *, patterns: list[str] | None = None
) -> list[str]:
    """Names of the tags that match."""
    return await session.engine.repositories.names(repository, "tags", tuple(patterns or ()))


@core.serves("GitRepository", "branches")
async def branches(
    session: Session, repository: GitRepository, *, patterns: list[str] | None = None
) -> list[str]:
    """Names of the branches that match."""
    return await session.engine.repositories.names(repository, "heads", tuple(patterns or ()))


@core.serves("GitRepository", "latestVersion")
async def latest_version(session: Session, repository: GitRepository) -> GitRef:
    """The tag with the highest version."""
    versions = [
        (_order(match), name)
        for name in await tags(session, repository)
        if (match := _VERSION.fullmatch(name))
    ]
    if not versions:
        raise ApiError("no valid semver tags found")
    return await tag(session, repository, name=max(versions)[1])


def _order(version: re.Match[str]) -> tuple[object, ...]:
    numbers = tuple(int(part) for part in version.groups()[:3])
    # A version comes after its own pre-releases; in those, numbers before words.
    parts = (version[4] or "").removeprefix("-").split(".")
    before = tuple((not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in parts)
    return (*numbers, version[4] is None, before)


@core.serves("GitRepository", "uncommitted")
async def uncommitted(session: Session, repository: GitRepository) -> Changeset:
    """What a directory's files have that its last commit has not."""
    tree = await session.engine.repositories.tree(
        await head(session, repository), git_dir=False, depth=1, tags=False
    )
    if repository.directory is None:
        return Changeset(tree, tree)
    folder = await session.engine.repositories.folder(repository.directory)
    excluded = await session.engine.repositories.ignored(folder)
    return Changeset(tree, Directory(Local(str(folder), exclude=("**/.git", *excluded))))


@core.serves("GitRef", "commit")
def ref_commit(_session: Session, parent: GitRef) -> str:
    """The commit's digest."""
    return parent.commit


@core.serves("GitRef", "ref")
def ref_name(_session: Session, parent: GitRef) -> str:
    """The full name; the commit where there is none."""
    return parent.name or parent.commit


@core.serves("GitRef", "tree")
async def tree(
    session: Session,
    parent: GitRef,
    *,
    discard_git_dir: bool = False,
    depth: int = 1,
    include_tags: bool = False,
) -> Directory:
    """The files, with `.git` unless it is not wanted."""
    git_dir = parent.repository.keep_git_dir and not discard_git_dir
    return await session.engine.repositories.tree(
        parent, git_dir=git_dir, depth=depth, tags=include_tags
    )


@core.serves("GitRef", "commonAncestor")
async def common_ancestor(session: Session, parent: GitRef, *, other: GitRef) -> GitRef:
    """The best common ancestor of two commits."""
    return await session.engine.repositories.common_ancestor(parent, other)

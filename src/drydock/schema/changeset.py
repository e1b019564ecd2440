"""Fields of Changeset, and those of others that make one or apply one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drydock.changesets import EMPTY, Changeset, DiffStat, apply
from drydock.graph import MakeFile, Scratch
from drydock.merging import merge
from drydock.objects import Directory, File
from drydock.patching import apply_patch, as_patch, diff_stats
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.changesets import Paths
    from drydock.session import Session

PATCH_NAME = "/diff.patch"


@core.serves("Query", "changeset")
def changeset(_session: Session, _query: None) -> Changeset:
    """No changes."""
    return EMPTY


@core.serves("Directory", "changes")
def changes(_session: Session, parent: Directory, *, from_: Directory) -> Changeset:
    """What changed since another directory."""
    return Changeset(from_, parent)


async def _paths(session: Session, parent: Changeset) -> Paths:
    return await session.engine.trees.changed(parent)


@core.serves("Changeset", "before")
def before(_session: Session, parent: Changeset) -> Directory:
    """The older directory."""
    return parent.before


@core.serves("Changeset", "after")
def after(_session: Session, parent: Changeset) -> Directory:
    """The newer directory."""
    return parent.after


@core.serves("Changeset", "layer")
def layer(_session: Session, parent: Changeset) -> Directory:
    """What was added or modified."""
    return parent.layer


@core.serves("Changeset", "addedPaths")
async def added_paths(session: Session, parent: Changeset) -> list[str]:
    """Paths that are new, sorted; a directory's ends with a slash."""
    return list((await _paths(session, parent)).added)


@core.serves("Changeset", "modifiedPaths")
async def modified_paths(session: Session, parent: Changeset) -> list[str]:
    """Files that differ, sorted."""
    return list((await _paths(session, parent)).modified)


@core.serves("Changeset", "removedPaths")
async def removed_paths(session: Session, parent: Changeset) -> list[str]:
    """Paths that are gone, sorted; a directory's ends with a slash and stands for all in it."""
    return list((await _paths(session, parent)).removed)


@core.serves("Changeset", "isEmpty")
async def is_empty(session: Session, parent: Changeset) -> bool:
    """Whether no file changed."""
    return (await _paths(session, parent)).only_directories


@core.serves("Changeset", "diffStats")
async def stats(session: Session, parent: Changeset) -> list[DiffStat]:
    """How many lines each path won and lost."""
    return await diff_stats(session.engine, parent, await _paths(session, parent))


@core.serves("Changeset", "asPatch")
async def patch(session: Session, parent: Changeset) -> File:
    """The changes as a patch in Git's format."""
    data = await as_patch(session.engine, parent, await _paths(session, parent))
    return File(MakeFile(Scratch(), PATCH_NAME, data), PATCH_NAME)


@core.serves("Changeset", "export")
async def export(session: Session, parent: Changeset, *, path: str) -> str:
    """Make the changes to a directory of this machine; returns its absolute path."""
    removed = (await _paths(session, parent)).removed
    return await session.engine.exports.directory(parent.layer, path, removed=removed)


@core.serves("Changeset", "sync")
async def sync(session: Session, parent: Changeset) -> str:
    """Build both sides; returns its id."""
    for side in (parent.before, parent.after):
        await session.engine.sync(side.alone)
    return session.ids.put(parent)


@core.serves("Directory", "withChanges")
async def with_changes(session: Session, parent: Directory, *, changes: Changeset) -> Directory:
    """The directory with changes made to it."""
    return apply(parent, changes, await _paths(session, changes))


@core.serves("Directory", "withPatch")
async def with_patch(session: Session, parent: Directory, *, patch: str) -> Directory:
    """The directory with a patch applied."""
    return await apply_patch(session.engine, parent, patch.encode())


@core.serves("Directory", "withPatchFile")
async def with_patch_file(session: Session, parent: Directory, *, patch: File) -> Directory:
    """The directory with a patch applied."""
    return await apply_patch(session.engine, parent, await session.engine.reader.read(patch))


@core.serves("Changeset", "withChangeset")
async def with_changeset(
    session: Session, parent: Changeset, *, changes: Changeset, on_conflict: str = "FAIL"
) -> Changeset:
    """The changes of both."""
    return await merge(session.engine, [parent, changes], on_conflict)


@core.serves("Changeset", "withChangesets")
async def with_changesets(
    session: Session, parent: Changeset, *, changes: list[Changeset], on_conflict: str = "FAIL"
) -> Changeset:
    """The changes of all."""
    return await merge(session.engine, [parent, *changes], on_conflict) if changes else parent


core.plain("DiffStat", "path", "kind", "addedLines", "removedLines", "oldPath")

"""Changesets that become one, merged by Git."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from drydock import hostwrite
from drydock.changesets import Changeset, Paths
from drydock.errors import ApiError
from drydock.gitcli import PLAIN, Ended, git
from drydock.graph import Copy, Fs, Local, Remove, Scratch
from drydock.objects import Directory
from drydock.patching import as_patch

if TYPE_CHECKING:
    from drydock.engine import Engine

_WHO = {
    **PLAIN,
    "GIT_AUTHOR_NAME": "drydock",
    "GIT_AUTHOR_EMAIL": "drydock@localhost",
    "GIT_COMMITTER_NAME": "drydock",
    "GIT_COMMITTER_EMAIL": "drydock@localhost",
}
Run = Callable[..., Awaitable[Ended]]
_PREFERRED = {"PREFER_OURS": "ours", "PREFER_THEIRS": "theirs"}


async def merge(engine: Engine, changes: list[Changeset], on_conflict: str) -> Changeset:
    """One changeset with the changes of several.

    Args:
        engine: Reads both sides of each.
        changes: The changesets; the first one is "ours".
        on_conflict: As the API's `ChangesetMergeConflict`.

    Raises:
        ApiError: If they do not go together, unless it is told what to do then.
    """
    paths = [await engine.trees.changed(one) for one in changes]
    if on_conflict == "FAIL_EARLY" and (found := conflicts(paths)):
        raise ApiError("\n".join(found))
    before: Fs = Scratch()
    for one in changes:
        before = Copy(before, one.before.fs, one.before.path, "/", contents=True)
    start = Directory(Remove(before, "/.git"))
    patches = [
        await as_patch(engine, one, which) for one, which in zip(changes, paths, strict=True)
    ]
    facts = [on_conflict.encode(), (await engine.trees.digest(start.fs)).encode(), *patches]
    digest = hashlib.sha256(b"\0".join(facts)).hexdigest()
    name = f"merge-{digest[:32]}"

    async def make(folder: Path) -> None:
        folder.mkdir()
        await engine.exports.fetch(start, folder)
        await _merge(folder, patches, paths, on_conflict)
        hostwrite.remove(folder / ".git")

    after = await engine.images.archives.ensure(name, make)
    return Changeset(start, Directory(Local(str(after))))


def conflicts(all_paths: list[Paths]) -> list[str]:
    """What speaks against a merge, by path alone: one line for each."""
    found = []
    for number, ours in enumerate(all_paths):
        for theirs in all_paths[number + 1 :]:
            found += [(p, "path added in both changesets") for p in _both(ours.added, theirs.added)]
            changed = _both(ours.modified, theirs.modified)
            found += [(p, "path modified in both changesets") for p in changed]
            removed = _both(ours.modified, theirs.removed) + _both(ours.removed, theirs.modified)
            why = "path modified in one changeset and removed in the other"
            found += [(p, why) for p in removed]
    return [f'conflict between changesets at path "{path}": {why}' for path, why in found]


def _both(ours: tuple[str, ...], theirs: tuple[str, ...]) -> list[str]:
    return [path for path in ours if path in theirs]


async def _merge(folder: Path, patches: list[bytes], paths: list[Paths], on_conflict: str) -> None:
    async def run(*args: str, stdin: bytes = b"", accept: tuple[int, ...] = (0,)) -> Ended:
        return await git(*args, folder=folder, environment=_WHO, stdin=stdin, accept=accept)

    await run("init", "--quiet", "--template=")
    await run("add", "--all", "--force")
    await run("commit", "--quiet", "--allow-empty", "--message", "before")
    base = (await run("rev-parse", "HEAD")).out.decode().strip()
    branches = [f"change{number}" for number in range(len(patches))]
    for branch, patch in zip(branches, patches, strict=True):
        await run("checkout", "--quiet", "-b", branch, base)
        await run("apply", "--allow-empty", "--index", "-", stdin=patch)
        await run("commit", "--quiet", "--allow-empty", "--message", branch)
    await run("checkout", "--quiet", branches[0])
    prefer = ["-X", _PREFERRED[on_conflict]] if on_conflict in _PREFERRED else []
    merged = await run(
        "merge", "--no-edit", "--no-commit", *prefer, *branches[1:], accept=(0, 1, 2)
    )
    if merged.code and on_conflict in ("FAIL", "FAIL_EARLY"):
        raise ApiError(f"git merge: {(merged.out.decode(errors='replace') + merged.error).strip()}")
    if merged.code:
        await _settle(run, folder, paths, on_conflict)


async def _settle(run: Run, folder: Path, paths: list[Paths], on_conflict: str) -> None:
    """Decide about what one side changed and the other removed; nothing else is left to decide."""
    ours, theirs = paths
    for path in _both(ours.modified, theirs.removed) + _both(ours.removed, theirs.modified):
        gone = path in (theirs if on_conflict == "PREFER_THEIRS" else ours).removed
        if gone and on_conflict in _PREFERRED:
            hostwrite.remove(folder / path)
        elif on_conflict in _PREFERRED or not (folder / path).exists():
            side = "change1" if path in theirs.modified else "change0"
            await run("checkout", "--quiet", side, "--", path)

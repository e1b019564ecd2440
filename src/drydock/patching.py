"""Patches of directories, made and applied by Git."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from drydock import temporary
from drydock.changesets import Changeset, DiffStat, Paths
from drydock.gitcli import PLAIN, Ended, git
from drydock.graph import Copy, Fs, MakeFile, Remove, Scratch, Symlink
from drydock.objects import Directory
from drydock.patterns import literal

if TYPE_CHECKING:
    from drydock.engine import Engine


async def as_patch(engine: Engine, changes: Changeset, paths: Paths) -> bytes:
    """The changes in Git's format, with `a/` and `b/` in front of names."""
    if paths.only_directories:
        return b""
    with temporary.folder() as folder:
        await _fetch_changed(engine, changes, paths, folder)
        options = ("--binary", "--no-prefix", "--no-index")
        return (await _diff(folder, *options)).out


async def diff_stats(engine: Engine, changes: Changeset, paths: Paths) -> list[DiffStat]:
    """How many lines each path won and lost; sorted by path."""
    lines: dict[str, tuple[int, int]] = {}
    renamed: dict[str, str] = {}
    if not paths.only_directories:
        with temporary.folder() as folder:
            await _fetch_changed(engine, changes, paths, folder)
            options = ("--numstat", "-z", "--find-renames", "--no-index", "--no-prefix")
            ended = await _diff(folder, *options)
            lines, renamed = _numstat(ended.out.decode(errors="surrogateescape"))
    kinds = [
        *((p, "RENAMED" if p in renamed else "ADDED") for p in paths.added),
        *((p, "MODIFIED") for p in paths.modified),
        *((p, "REMOVED") for p in paths.all_removed if p not in renamed.values()),
    ]
    return [
        DiffStat(path, kind, *lines.get(path, (0, 0)), renamed.get(path))
        for path, kind in sorted(kinds)
    ]


async def _diff(folder: Path, *options: str) -> Ended:
    return await git("diff", *options, "a", "b", folder=folder, environment=PLAIN, accept=(0, 1))


async def _apply(folder: Path, patch: bytes, *options: str) -> Ended:
    return await git("apply", *options, "-", folder=folder, environment=PLAIN, stdin=patch)


def _numstat(text: str) -> tuple[dict[str, tuple[int, int]], dict[str, str]]:
    """Added and removed lines by path, and the old path of each that was renamed."""
    lines: dict[str, tuple[int, int]] = {}
    renamed: dict[str, str] = {}
    fields = iter(text.split("\0"))
    for field in fields:
        if not field:
            continue
        added, removed, path = field.split("\t", 2)
        if not path:
            old, new = next(fields), next(fields)
            path = _plain(old if new == "/dev/null" else new)
            if "/dev/null" not in (old, new) and _plain(old) != path:
                renamed[path] = _plain(old)
        counts = (0 if added == "-" else int(added), 0 if removed == "-" else int(removed))
        lines[_plain(path)] = counts
    return lines, renamed


def _plain(path: str) -> str:
    return path.split("/", 1)[1] if path.startswith(("a/", "b/")) else path


async def _fetch_changed(engine: Engine, changes: Changeset, paths: Paths, folder: Path) -> None:
    for name, side, changed in (
        ("a", changes.before, (*paths.modified, *paths.all_removed)),
        ("b", changes.after, (*paths.modified, *paths.added)),
    ):
        target = folder / name
        target.mkdir()
        await engine.exports.fetch(_only(side, changed), target)


def _only(directory: Directory, paths: Iterable[str]) -> Directory:
    """A directory with these files alone."""
    files = tuple(literal(path) for path in paths if not path.endswith("/"))
    if not files:
        return Directory()
    return Directory(
        Copy(Scratch(), directory.fs, directory.path, "/", contents=True, include=files)
    )


async def apply_patch(engine: Engine, directory: Directory, patch: bytes) -> Directory:
    """A directory with a patch applied.

    Raises:
        ApiError: If it does not apply.
    """
    if not patch:
        return directory
    with temporary.folder() as folder:
        named = await _apply(folder, patch, "--numstat", "-z")
        touched = [part.split("\t")[-1] for part in named.out.decode().split("\0") if part]
        await engine.exports.fetch(_only(directory, touched + _renamed(patch)), folder)
        await _apply(folder, patch, "--allow-empty")
        fs = directory.fs
        for path in sorted({*touched, *_renamed(patch)}):
            fs = _patched(fs, directory.join(path), folder / path)
        return directory.with_fs(fs)


def _renamed(patch: bytes) -> list[str]:
    """The old names of what a patch renames or copies."""
    begins = (b"rename from ", b"copy from ")
    lines = [line for line in patch.splitlines() if line.startswith(begins)]
    return [line.split(b" from ", 1)[1].decode(errors="replace") for line in lines]


def _patched(fs: Fs, path: str, local: Path) -> Fs:
    if local.is_symlink():
        return Symlink(Remove(fs, path), path, str(local.readlink()))
    if not local.exists():
        return Remove(fs, path)
    mode = local.stat().st_mode & 0o7777
    made = MakeFile(Scratch(), "/file", local.read_bytes(), mode)
    return Copy(fs, made, "/file", path, contents=False)

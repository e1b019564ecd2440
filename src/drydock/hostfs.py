"""Directories of this machine, asked directly: what they hold needs no build."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from drydock.graph import Fs, Local
from drydock.objects import Directory, File
from drydock.patterns import matching


def names(directory: Directory) -> Iterator[str]:
    """Paths in a directory, relative to it, sorted; a directory's ends with a slash.

    Raises:
        FileNotFoundError: If it is not there, or its patterns leave it out.
    """
    source = _source(directory.fs)
    inside = directory.path.strip("/")
    found = [path for path in _kept(source) if not inside or path.startswith(inside + "/")]
    if inside and not found and not (Path(source.path) / inside).is_dir():
        raise FileNotFoundError(directory.path)
    prefix = len(inside) + 1 if inside else 0
    for path in sorted(found, key=lambda path: path.rstrip("/").split("/")):
        if relative := path[prefix:]:
            yield relative


def entries(directory: Directory) -> list[str]:
    """Names in a directory, sorted; a directory's ends with a slash."""
    return sorted({_first(path) for path in names(directory)}, key=lambda name: name.rstrip("/"))


def copy(directory: Directory, into: Path) -> None:
    """Copy what a directory holds into a folder: modes and times stay, links stay links."""
    source = Path(_source(directory.fs).path) / directory.path.strip("/")
    folders = []
    for name in names(directory):
        original, target = source / name, into / name
        if name.endswith("/"):
            target.mkdir()
            folders.append((original, target))
        elif original.is_symlink() or original.is_file():
            shutil.copy2(original, target, follow_symlinks=False)
    for original, target in reversed(folders):
        shutil.copystat(original, target)


def file_path(file: File) -> Path | None:
    """Where a file is on this machine; None where a build has to answer: a link out of its directory, or no file."""
    source = _source(file.fs)
    path = Path(source.path) / file.path.strip("/")
    if not path.is_file() or not path.resolve().is_relative_to(Path(source.path).resolve()):
        return None
    return path if _keeps(source)(file.path.strip("/")) else None


def _source(fs: Fs) -> Local:
    if not isinstance(fs, Local):
        raise TypeError(f"{type(fs).__name__} is not a directory of this machine")
    return fs


def _first(path: str) -> str:
    name, slash, _rest = path.partition("/")
    return name + slash


def _kept(source: Local) -> Iterator[str]:
    """Every path that a directory's patterns keep, with the directories that lead there."""
    keeps, descend = _keeps(source), _descends(source)
    top = Path(source.path)

    def walk(folder: Path, prefix: str) -> Iterator[str]:
        for entry in os.scandir(folder):
            path = prefix + entry.name
            if not entry.is_dir(follow_symlinks=False):
                if keeps(path):
                    yield path
            elif descend(path):
                below = list(walk(Path(entry.path), path + "/"))
                if below or keeps(path):
                    yield path + "/"
                    yield from below

    yield from walk(top, "")


def _keeps(source: Local) -> Callable[[str], bool]:
    include, exclude = _verdict(source.include), _verdict(source.exclude)
    return lambda path: (not source.include or include(path)) and not exclude(path)


def _descends(source: Local) -> Callable[[str], bool]:
    # What is excluded whole is not looked into, as long as no exception may bring some of it back.
    excluded = _verdict(source.exclude)
    exceptions = any(pattern.startswith("!") for pattern in source.exclude)
    return lambda path: exceptions or not excluded(path)


def _verdict(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether patterns match a path or a directory above it; the last one that does has its say."""
    rules = [(not p.startswith("!"), matching([p.removeprefix("!")])) for p in patterns]
    if all(positive for positive, _match in rules):
        return matching(patterns)  # one expression for all of them: a tree has many paths

    def matches(path: str) -> bool:
        verdict = False
        for positive, match in rules:
            if verdict != positive and match(path):
                verdict = positive
        return verdict

    return matches

"""What `.gitignore` files leave out, by the Dagger engine's rules (v0.21, `util/fsxutil`).

Of all patterns that match a path or a folder above it the last one decides, so that, unlike in Git, an exception
counts inside of an ignored folder too.
"""

from __future__ import annotations

import fnmatch
import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from pathspec import PathSpec

from drydock.patterns import literal

NAME = ".gitignore"
SETTLED = 50_000_000
"""Nanoseconds after which a folder's time tells of every later change."""

Rules = tuple[tuple[str, str], ...]
"""Folders, relative to the top, with the text of their file; those above come first."""


def ignored(path: str, rules: Rules, *, is_dir: bool) -> bool:
    """Whether a path, relative to the top, is left out."""
    verdict = False
    for folder, text in rules:
        if folder and not path.startswith(folder + "/"):
            continue
        name = path[len(folder) :].lstrip("/") + ("/" if is_dir else "")
        include = _spec(text).check_file(name).include
        verdict = verdict if include is None else include
    return verdict


def patterns(paths: Iterable[tuple[str, bool]], rules: Rules, folder: str) -> Iterator[str]:
    """Patterns, as in a `.dockerignore`, of what is left out of a folder.

    Args:
        paths: What is in it and which of that are folders, in the order of a walk; relative to the top.
        rules: The files that count.
        folder: The folder, relative to the top; patterns are relative to it.
    """
    prefix = folder + "/" if folder else ""
    verdicts: dict[str, bool] = {}
    for path, is_dir in paths:
        above = verdicts.get(path.rpartition("/")[0], False)
        verdict = ignored(path, rules, is_dir=is_dir)
        if is_dir:
            verdicts[path] = verdict
        if verdict != above:
            yield ("" if verdict else "!") + literal(path.removeprefix(prefix))


def host_patterns(path: Path, root: Path) -> tuple[str, ...]:
    """Patterns, relative to `path`, of what the `.gitignore` files from `root` down leave out."""
    root = root if path.is_relative_to(root) else path
    rules: Rules = ()
    for folder in reversed(path.parents):
        if folder.is_relative_to(root):
            rules = _with_file(rules, folder, root)
    top = path.relative_to(root).as_posix()
    prefix = "" if top == "." else top + "/"
    return tuple(
        pattern[: pattern.startswith("!")] + pattern.removeprefix("!")[len(literal(prefix)) :]
        for pattern in _walk(path, prefix, rules, root, above=False)
    )


def _walk(folder: Path, prefix: str, rules: Rules, root: Path, *, above: bool) -> Iterator[str]:
    rules = _with_file(rules, folder, root)
    status = folder.stat()
    # A folder that changed just now may change again within one tick of its clock.
    settled = time.time_ns() - status.st_mtime_ns > SETTLED
    look = _looked if settled else _looked.__wrapped__
    own, below = look(str(folder), status.st_mtime_ns, prefix, rules, above=above)
    yield from own
    for name, verdict in below:
        yield from _walk(folder / name, f"{prefix}{name}/", rules, root, above=verdict)


@cache
def _looked(
    folder: str,
    _changed: int,
    prefix: str,
    rules: Rules,
    *,
    above: bool,
) -> tuple[tuple[str, ...], tuple[tuple[str, bool], ...]]:
    """The patterns of a folder's own entries, and the folders in it to look into."""
    own, below = [], []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        is_dir, path = entry.is_dir(follow_symlinks=False), prefix + entry.name
        if above and not is_dir and not _may_be_exception(path, rules, is_dir=False):
            continue
        verdict = ignored(path, rules, is_dir=is_dir)
        if verdict != above:
            own.append(("" if verdict else "!") + literal(path))
        if (
            is_dir
            and entry.name != ".git"
            and (not verdict or _may_be_exception(path, rules, is_dir=True))
        ):
            below.append((entry.name, verdict))
    return tuple(own), tuple(below)


def _with_file(rules: Rules, folder: Path, root: Path) -> Rules:
    try:
        text = (folder / NAME).read_text(errors="replace")
    except OSError:
        return rules
    inside = folder.relative_to(root).as_posix()
    return (*rules, ("" if inside == "." else inside, text))


@dataclass(frozen=True)
class _Exceptions:
    """The negated patterns of one file."""

    names: re.Pattern[str] | None
    """Of those without a slash: they match at any depth."""
    paths: tuple[tuple[str, ...], ...]
    """Parts of the others."""


def _may_be_exception(path: str, rules: Rules, *, is_dir: bool) -> bool:
    """Whether an ignored path, or something below it, may be brought back. Quick: it is asked of every path."""
    for folder, text in rules:
        found = _exceptions(text)
        if found.names and (is_dir or found.names.fullmatch(path.rpartition("/")[2])):
            return True
        parts = path[len(folder) :].lstrip("/").split("/")
        if any(_leads_to(parts, wanted) for wanted in found.paths):
            return True
    return False


def _leads_to(parts: list[str], wanted: tuple[str, ...]) -> bool:
    for part, pattern in zip(parts, wanted, strict=False):
        if pattern == "**":
            return True
        if not fnmatch.fnmatchcase(part, pattern):
            return False
    return True


@lru_cache(maxsize=256)
def _exceptions(text: str) -> _Exceptions:
    negated = [line[1:].strip().rstrip("/") for line in _lines(text) if line.startswith("!")]
    names = [fnmatch.translate(name) for name in negated if "/" not in name]
    paths = tuple(tuple(name.strip("/").split("/")) for name in negated if "/" in name)
    return _Exceptions(re.compile("|".join(names)) if names else None, paths)


@lru_cache(maxsize=256)
def _spec(text: str) -> PathSpec[Any]:
    return PathSpec.from_lines("gitignore", _lines(text))


def _lines(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]

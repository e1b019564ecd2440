"""Searching text as ripgrep does, whose options the API's `search` has. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from pathspec import PathSpec

from drydock.errors import ApiError
from drydock.gitignore import Rules, ignored
from drydock.graph import Value

IGNORE_FILES = (".gitignore", ".ignore", ".rgignore")


@dataclass(frozen=True, eq=False)
class Submatch(Value):
    """One match in the matched lines; positions in bytes from their beginning."""

    type_name: ClassVar[str] = "SearchSubmatch"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    text: str
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class SearchResult(Value):
    """A line that matched, or several where a match spans them."""

    type_name: ClassVar[str] = "SearchResult"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    file_path: str
    line_number: int = 0
    absolute_offset: int = 0
    """Bytes from the beginning of the file."""
    matched_lines: str = ""
    submatches: tuple[Submatch, ...] = ()


@dataclass(frozen=True)
class Query:
    """What is searched for, and where."""

    pattern: str
    literal: bool = False
    multiline: bool = False
    dotall: bool = False
    insensitive: bool = False
    skip_ignored: bool = False
    skip_hidden: bool = False
    files_only: bool = False
    limit: int | None = None
    paths: tuple[str, ...] = ()
    globs: tuple[str, ...] = ()

    def expression(self) -> re.Pattern[str]:
        """The regular expression.

        Raises:
            ApiError: If the pattern is none.
        """
        flags = re.MULTILINE
        flags |= re.IGNORECASE if self.insensitive else 0
        flags |= re.DOTALL if self.dotall and self.multiline else 0
        try:
            return re.compile(re.escape(self.pattern) if self.literal else self.pattern, flags)
        except re.error as error:
            raise ApiError(f"ripgrep error: regex parse error: {error}: {self.pattern}") from None


def inside(path: str) -> str:
    """A path of a search, relative to the directory.

    Raises:
        ApiError: If it leaves the directory.
    """
    cleaned = posixpath.normpath(path.removeprefix("/") or ".")
    if cleaned.startswith(("../", "/")) or cleaned == "..":
        raise ApiError(f"path cannot escape directory: {path}")
    return cleaned


def search(files: Iterable[tuple[str, bytes]], query: Query) -> list[SearchResult]:
    """The matches in files, given by path and content, in their order."""
    expression, found = query.expression(), list[SearchResult]()
    for path, data in files:
        # As ripgrep takes it: what holds a zero byte is no text.
        for result in () if b"\0" in data else _matches(path, data, expression, query):
            found.append(result)
            if len(found) == query.limit:
                return found
            if query.files_only:
                break
    return found


def selected(query: Query, rules: Rules) -> Callable[[str], bool]:
    """Whether a search looks into a path.

    Args:
        query: Its paths, globs and what it skips.
        rules: The ignore files, where they count.
    """
    globs = PathSpec.from_lines("gitignore", query.globs)
    wanted = any(not glob.startswith("!") for glob in query.globs)

    def takes(path: str) -> bool:
        if query.paths and not any(
            p in (".", path) or path.startswith(p + "/") for p in query.paths
        ):
            return False
        if query.skip_hidden and any(part.startswith(".") for part in path.split("/")):
            return False
        verdict = globs.check_file(path).include
        left_out = wanted if verdict is None else not verdict
        return not left_out and not (query.skip_ignored and ignored(path, rules, is_dir=False))

    return takes


def _matches(
    path: str, data: bytes, expression: re.Pattern[str], query: Query
) -> Iterator[SearchResult]:
    blocks = _spanned(data, expression) if query.multiline else _lines(data)
    for number, offset, block in blocks:
        try:
            text = block.decode()
        except UnicodeDecodeError:
            continue
        searched = text if query.multiline else text.removesuffix("\n").removesuffix("\r")
        found = tuple(_submatch(text, match) for match in expression.finditer(searched))
        if found:
            shown = SearchResult(path, number, offset, text, found)
            yield SearchResult(path) if query.files_only else shown


def _submatch(text: str, match: re.Match[str]) -> Submatch:
    start = len(text[: match.start()].encode())
    return Submatch(match[0], start, start + len(match[0].encode()))


def _lines(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    offset = 0
    for number, line in enumerate(data.splitlines(keepends=True), 1):
        yield number, offset, line
        offset += len(line)


def _spanned(data: bytes, expression: re.Pattern[str]) -> Iterator[tuple[int, int, bytes]]:
    """Whole lines around each match, with those of matches that share a line in one piece."""
    text = data.decode(errors="replace")
    begin = end = 0
    for match in expression.finditer(text):
        first = text.rfind("\n", 0, match.start()) + 1
        last = text.find("\n", max(match.end() - 1, match.start()))
        last = len(text) if last < 0 else last + 1
        if end and first >= end:
            yield _block(text, begin, end)
            begin = first
        begin, end = (first if not end else begin), max(end, last)
    if end:
        yield _block(text, begin, end)


def _block(text: str, begin: int, end: int) -> tuple[int, int, bytes]:
    return text.count("\n", 0, begin) + 1, len(text[:begin].encode()), text[begin:end].encode()


def replaced(text: str, search: str, replacement: str, every: bool, first_line: int | None) -> str:
    """A text with another in place of what is searched for.

    Args:
        text: The text.
        search: What is replaced.
        replacement: What takes its place.
        every: Replace all of it; none at all is fine then.
        first_line: Look from this line on, and replace the first; the first line is 1.

    Raises:
        ApiError: If it is not there, or there more than once and neither `every` nor `first_line` is given.
    """
    lines = text.splitlines(keepends=True)
    start = sum(len(line) for line in lines[: (first_line or 1) - 1])
    places = [m.start() for m in re.finditer(re.escape(search), text) if m.start() >= start]
    if not places and not every:
        raise ApiError("search string not found")
    if len(places) > 1 and not every and first_line is None:
        raise ApiError(f"search string found multiple times: {_places(text, search, places)}")
    count = -1 if every else 1
    return text[:start] + text[start:].replace(search, replacement, count)


def _places(text: str, search: str, places: list[int]) -> str:
    shown = []
    for place in places:
        line_start = text.rfind("\n", 0, place) + 1
        begin = len(text[line_start:place].encode(errors="surrogateescape"))
        end = begin + len(search.encode(errors="surrogateescape"))
        shown.append(f"line {text.count(chr(10), 0, place) + 1} ({begin}-{end})")
    return ", ".join(shown)

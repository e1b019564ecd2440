"""Path patterns as in a `.dockerignore` (moby's patternmatcher): `*`, `?`, `[…]` within a name, `**` across. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable

from drydock.errors import ApiError


def literal(path: str) -> str:
    """A pattern that matches this path alone."""
    return "".join("\\" + c if c in "*?[\\!" else c for c in path)


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a whole path matches a pattern.

    Raises:
        ApiError: If the pattern is empty or broken.
    """
    compiled = _compiled(_regex(_cleaned(pattern)))
    return lambda path: compiled.fullmatch(path) is not None


def matching(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether one of several patterns matches a path, or a directory above it.

    Raises:
        ApiError: If a pattern is empty or broken.
    """
    any_of = "|".join(_regex(_cleaned(pattern)) for pattern in patterns)
    compiled = _compiled(f"(?:{any_of})(?:/.*)?" if any_of else "(?!)")
    return lambda path: compiled.fullmatch(path) is not None


def _cleaned(pattern: str) -> str:
    if not pattern:
        raise ApiError("failed to create glob pattern matcher: empty pattern")
    return posixpath.normpath(pattern)


def _compiled(expression: str) -> re.Pattern[str]:
    try:
        return re.compile(expression, re.DOTALL)
    except re.error as error:
        raise ApiError(f"failed to create glob pattern matcher: {error}") from error


def _regex(pattern: str) -> str:
    out, index = [], 0
    while index < len(pattern):
        char = pattern[index]
        if pattern.startswith("**", index):
            index += 2
            if pattern.startswith("/", index):
                index += 1
                out.append("(?:.*/)?")
            else:
                out.append(".*")
            continue
        if char == "[" and (end := pattern.find("]", index + 2)) > 0:
            out.append(pattern[index : end + 1])
            index = end + 1
            continue
        if char == "\\" and index + 1 < len(pattern):
            index += 1
            out.append(re.escape(pattern[index]))
        else:
            out.append({"*": "[^/]*", "?": "[^/]"}.get(char) or re.escape(char))
        index += 1
    return "".join(out)

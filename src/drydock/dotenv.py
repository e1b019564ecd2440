"""`.env` files as the Dagger engine reads them (v0.21, `core/dotenv`): assignments of the shell.

A value without quotes, backslashes or dollar signs is taken as it stands, with spaces and `#`. Any
other is a word of the shell: quotes are removed, and `$NAME`, `${NAME}` and `${NAME:-default}` are
replaced.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from drydock.errors import DrydockError

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXPORT = re.compile(r"^export\s+")
_REFERENCE = re.compile(
    r"\$(?:\{(?P<braced>\w+)(?::?-(?P<default>[^}]*))?\}|(?P<plain>[A-Za-z_]\w*))"
)
_SHELL = frozenset("'\"\\$`")


def assignments(text: str) -> dict[str, str]:
    """The assignments of a file, values as they are written; the last of one name wins."""
    found = {}
    for line in text.splitlines():
        stripped = _EXPORT.sub("", line.strip())
        name, separator, value = stripped.partition("=")
        if stripped and not stripped.startswith("#") and separator:
            found[name] = value
    return found


class Expansion:
    """Values of variables, resolved among themselves, then in the caller's environment."""

    def __init__(self, written: Mapping[str, str], environment: Mapping[str, str]) -> None:
        """Take the values as they are written, and the variables of the caller."""
        self._written = written
        self._environment = environment
        self._open: list[str] = []

    def value(self, name: str) -> str:
        """The value of a variable of the file.

        Raises:
            DrydockError: If it refers to itself or to what is not set, or has an open quote.
        """
        if name in self._open:
            raise DrydockError(f".env: {' → '.join([*self._open, name])} refer to each other")
        self._open.append(name)
        try:
            return self._expand(self._written[name])
        finally:
            self._open.pop()

    def _expand(self, written: str) -> str:
        if not _SHELL & set(written):
            return written
        out, position = [], 0
        while position < len(written):
            char = written[position]
            if char == "'":
                end = self._closing(written, position)
                out.append(written[position + 1 : end])
            elif char == '"':
                end = self._closing(written, position)
                out.append(self._references(written[position + 1 : end], r'\\([$`"\\])'))
            elif char == "\\":
                end = position + 1
                out.append(written[end : end + 1])
            else:
                end = self._plain_end(written, position)
                out.append(self._references(written[position : end + 1], ""))
            position = end + 1
        return "".join(out)

    def _closing(self, written: str, start: int) -> int:
        quote = written[start]
        pattern = re.compile(r'(?:[^"\\]|\\.)*"') if quote == '"' else re.compile("[^']*'")
        found = pattern.match(written, start + 1)
        if not found:
            raise DrydockError(f".env: {self._open[-1]}: the quote {quote} is never closed")
        return found.end() - 1

    @staticmethod
    def _plain_end(written: str, start: int) -> int:
        end = start
        while end + 1 < len(written) and written[end + 1] not in "'\"\\":
            end += 1
        return end

    def _references(self, text: str, escapes: str) -> str:
        if not escapes:
            return _REFERENCE.sub(self._reference, text)
        pattern = re.compile(f"{escapes}|{_REFERENCE.pattern}")
        return pattern.sub(lambda m: m[1] or self._reference(m), text)

    def _reference(self, match: re.Match[str]) -> str:
        name = match["braced"] or match["plain"]
        if name in self._written:
            return self.value(name)
        if self._environment.get(name):
            return self._environment[name]
        if match["default"] is not None:
            return str(match["default"])
        if name in self._environment:
            return ""
        raise DrydockError(f".env: {self._open[-1]}: the variable {name} is not set")

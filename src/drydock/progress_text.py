"""Texts that every view of progress writes alike."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.")
_INVISIBLE = dict.fromkeys([*range(32), *range(127, 160)])


def duration(seconds: float) -> str:
    """`3.2s`, `2m05s`."""
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    return f"{round(seconds) // 60}m{round(seconds) % 60:02}s"


def clean(line: str) -> str:
    """A line as it would stand on a terminal: the last of what was overwritten, no control codes."""
    if line.isprintable():
        return line.rstrip()
    last = line.rstrip("\r").rpartition("\r")[2]
    return _CONTROL.sub("", last).expandtabs().translate(_INVISIBLE).rstrip()


def brief(name: str, width: int = 100) -> str:
    """A step's name on one line of at most `width` characters."""
    line = clean(" ".join(name.removeprefix("exec ").split()))
    return line if len(line) <= width else line[: width - 1] + "…"

"""Progress of builds, for the person at the terminal."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TextIO

SHOWN_AFTER = 0.5
"""Seconds: what is quicker is not worth a line when it ends."""


@dataclass
class Step:
    """One operation of a build, as BuildKit reports it."""

    digest: str
    name: str = ""
    seconds: float = 0.0
    cached: bool = False
    error: str = ""
    logs: dict[int, bytearray] = field(default_factory=dict)
    """Output by stream: 1 is standard output, 2 standard error."""

    def output(self, stream: int) -> str:
        """What the operation printed on a stream."""
        return self.logs.get(stream, bytearray()).decode(errors="replace")


class Progress:
    """Plain lines on standard error: what has begun, what it prints, how long it took.

    Builds that share an operation each report it: it is told once.
    """

    def __init__(self, out: TextIO | None = None, *, quiet: bool = False) -> None:
        self.out = out or sys.stderr
        self.quiet = quiet
        self.began = time.monotonic()
        self._started: set[str] = set()
        self._ended: set[str] = set()
        self._tellers: dict[str, object] = {}

    def say(self, text: str) -> None:
        """A line of drydock's own."""
        if not self.quiet:
            print(f"{time.monotonic() - self.began:6.1f}s {text}", file=self.out, flush=True)

    def started(self, step: Step) -> None:
        """An operation runs."""
        if step.name.startswith("exec ") and step.digest not in self._started:
            self._started.add(step.digest)
            self.say(f"▶ {brief(step.name)}")

    def printed(self, step: Step, text: str, teller: object) -> None:
        """An operation printed something; `teller` is the build that reports it."""
        if self._tellers.setdefault(step.digest, teller) is teller:
            for line in filter(str.strip, text.splitlines()):
                self.say(f"  {brief(step.name, 24)} │ {line}")

    def ended(self, step: Step) -> None:
        """An operation is done."""
        if step.digest in self._ended:
            return
        self._ended.add(step.digest)
        if step.error:
            self.say(f"✘ {brief(step.name)}")
        elif not step.cached and (step.seconds >= SHOWN_AFTER or step.name.startswith("exec ")):
            self.say(f"✔ {brief(step.name)} [{step.seconds:.1f}s]")


def brief(name: str, width: int = 100) -> str:
    """A name on one line of at most `width` characters."""
    line = " ".join(name.removeprefix("exec ").split())
    return line if len(line) <= width else line[: width - 1] + "…"


def seconds_between(vertex: dict[str, Any]) -> float:
    """How long a vertex of BuildKit's `rawjson` progress took."""
    begin, end = (
        datetime.fromisoformat(vertex[name][:26].rstrip("Z")) for name in ("started", "completed")
    )
    return (end - begin).total_seconds()

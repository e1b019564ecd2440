"""Progress as plain lines on standard error: for CI, logs, and pipes. No colour, flushed at once.

0.8s #3 ▶ sh -c apt-get update
1.1s #3 │ Get:1 bookworm InRelease [151 kB]
4.0s #3 ✔ sh -c apt-get update [3.2s]
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, TextIO

from drydock.progress import View
from drydock.progress_state import Branch, Work
from drydock.progress_text import brief, duration

if TYPE_CHECKING:
    from drydock.aside import Aside
    from drydock.progress import Progress

SHOWN_AFTER = 0.5
"""Seconds: what is quicker, and runs no program, is not worth a line."""


class Plain(View):
    """What has begun, what it prints, how long it took."""

    shows_output = True

    def __init__(self, out: TextIO | Aside | None = None) -> None:
        self._out = out
        self._progress: Progress | None = None

    def watch(self, progress: Progress) -> None:
        """Take the session's clock."""
        self._progress = progress

    def started(self, work: Work) -> None:
        """A line for a program that starts."""
        if work.is_command:
            self._say(f"#{work.number} ▶ {brief(work.step.name)}")

    def printed(self, work: Work, lines: list[str]) -> None:
        """A line for each that it prints."""
        self._say(*(f"#{work.number} │ {text}" for text in lines))

    def ended(self, work: Work) -> None:
        """A line for a program that ended, and for anything else that took a while."""
        if work.is_internal:
            return
        name, seconds = brief(work.step.name), work.step.seconds
        if work.step.error:
            self._say(f"#{work.number} ✘ {name} [{duration(seconds)}]")
        elif work.step.cached and work.is_command:
            self._say(f"#{work.number} ● {name} [cached]")
        elif not work.step.cached and (work.is_command or seconds >= SHOWN_AFTER):
            self._say(f"#{work.number} ✔ {name} [{duration(seconds)}]")

    def call_ended(self, branch: Branch) -> None:
        """A line for a function that took a while."""
        seconds = (branch.ended or branch.began) - branch.began
        if seconds >= SHOWN_AFTER:
            self._say(f"{'✘' if branch.failed else '✔'} {branch.title} [{duration(seconds)}]")

    def line(self, text: str) -> None:
        """A line as it is."""
        # Who reads our standard error may have gone, as `head` does: the work goes on.
        with contextlib.suppress(OSError, ValueError):
            print(text, file=self._out or sys.stderr, flush=True)

    def _say(self, *texts: str) -> None:
        now = self._progress.now() if self._progress else 0.0
        self.line("\n".join(f"{now:6.1f}s {text}" for text in texts))

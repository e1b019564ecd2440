"""The state of a session as rows of text, for a terminal of any size. Pure: no clock, no terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from drydock.progress_state import Branch, Work
from drydock.progress_text import brief, duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
COLOURS = {"✔": "green", "✘": "red", "●": "blue"}
TURNS = 10
"""Pictures of the spinner a second."""
WORTH_A_ROW = 0.5
"""Seconds: what is quicker is counted only."""
LOG_ROWS = 4
"""Last lines of a running step."""
FAILED_ROWS = 20
"""Last lines of a step that failed."""
NAME_CELLS = 12
"""Of a name, this much is shown on the narrowest terminal."""

# What gives way first on a small terminal has the highest rank.
KEPT, RUNNING, LAST_LINE, LINES, DONE = range(5)


@dataclass(frozen=True)
class Row:
    """One row, and how readily it gives way to others."""

    text: Text
    rank: int


def frame(
    root: Branch, now: float, width: int, height: int, *, tells_all: bool = False
) -> list[Text]:
    """What is going on, in at most `height` rows of at most `width` cells; `now` is in seconds."""
    painter = Painter(now, width, tells_all=tells_all)
    return fit(painter.branch_rows(root, 0), height)


def summary(root: Branch, now: float, width: int, *, tells_all: bool = False) -> list[Text]:
    """What is left to see at the end: each function on one row; what failed, with its log."""
    painter = Painter(now, width, tells_all=tells_all)
    return [row.text for row in painter.last_rows(root)]


def fit(rows: Iterable[Row], height: int) -> list[Text]:
    """The rows that matter most, in their order; of equal ones the last."""
    kept = list(rows)
    while len(kept) > max(height, 1):
        kept.remove(max(kept, key=lambda row: row.rank))
    return [row.text for row in kept]


class Painter:
    """Makes rows at one moment, for one width."""

    def __init__(self, now: float, width: int, *, tells_all: bool) -> None:
        self._now, self._width, self._tells_all = now, width, tells_all
        self._spinner = SPINNER[int(now * TURNS) % len(SPINNER)]

    def branch_rows(self, branch: Branch, depth: int) -> Iterator[Row]:
        """A function with what runs for it; one that is done on a single row."""
        if branch.ended is not None and not branch.failed and not self._tells_all:
            if branch.ended - branch.began >= WORTH_A_ROW:
                yield self._head(branch, depth)
            return
        if branch.title:
            yield self._head(branch, depth)
            depth += 1
        for work in branch.works.values():
            if work.ended is not None and not work.is_internal:
                yield from self._done(work, depth)
        for below in branch.branches:
            yield from self.branch_rows(below, depth)
        for work in branch.works.values():
            if work.ended is None:
                yield from self._running(work, depth)

    def last_rows(self, root: Branch) -> Iterator[Row]:
        """The end of the session: the root is the command line itself."""
        for branch in root.branches:
            yield from self.branch_rows(branch, 0)
        for work in root.works.values():
            if (work.step.error or self._tells_all) and not work.is_internal:
                yield from self._done(work, 0)
        if root.works and not any(work.step.error for work in root.works.values()):
            own = Branch("", root.began, self._now, works=root.works)
            yield self._row(0, "✔", counts(own).removeprefix(" · "), "", DONE)

    def _head(self, branch: Branch, depth: int) -> Row:
        seconds = (self._now if branch.ended is None else branch.ended) - branch.began
        rest = f" {duration(seconds)}{counts(branch)}"
        if branch.ended is None:
            return self._row(depth, self._spinner, branch.title, rest, RUNNING)
        if branch.failed:
            return self._row(depth, "✘", branch.title, rest, KEPT)
        return self._row(depth, "✔", branch.title, rest, DONE)

    def _running(self, work: Work, depth: int) -> Iterator[Row]:
        seconds = self._now - work.began
        if not work.is_command and seconds < WORTH_A_ROW:
            return
        rest = f" {duration(seconds)}{transferred(work)}"
        name = brief(work.step.name, self._width)
        yield self._row(depth, self._spinner, name, rest, RUNNING)
        lines = work.lines[-LOG_ROWS:]
        for number, line in enumerate(lines, 1):
            yield self._log(depth, line, LAST_LINE if number == len(lines) else LINES)

    def _done(self, work: Work, depth: int) -> Iterator[Row]:
        name, seconds = brief(work.step.name, self._width), (work.ended or 0) - work.began
        if work.step.error:
            yield self._row(depth, "✘", name, f" {duration(seconds)}", KEPT)
            for line in work.lines[-FAILED_ROWS:]:
                yield self._log(depth, line, KEPT)
        elif work.step.cached:
            if self._tells_all:
                yield self._row(depth, "●", name, " cached", DONE)
        elif seconds >= WORTH_A_ROW or self._tells_all:
            yield self._row(depth, "✔", name, f" {duration(seconds)}", DONE)

    def _row(self, depth: int, mark: str, name: str, rest: str, rank: int) -> Row:
        text = Text("  " * depth)
        text.append(f"{mark} ", style=COLOURS.get(mark, "cyan"))
        named = Text(name)
        room = self._width - text.cell_len - Text(rest).cell_len
        named.truncate(max(room, NAME_CELLS), overflow="ellipsis")
        text.append_text(named).append(rest, style="dim")
        return self._cut(text, rank)

    def _log(self, depth: int, line: str, rank: int) -> Row:
        return self._cut(Text("  " * depth + "  │ " + line, style="dim"), rank)

    def _cut(self, text: Text, rank: int) -> Row:
        text.truncate(self._width, overflow="ellipsis")
        return Row(text, rank)


def counts(branch: Branch) -> str:
    """How many steps were done for a function, and how many of them came from the cache."""
    done = [work for work in branch.all_works() if work.ended is not None and not work.is_internal]
    if not done:
        return ""
    cached = sum(work.step.cached for work in done)
    return f" · {len(done)} step{'s'[: len(done) > 1]}" + (f", {cached} cached" if cached else "")


def transferred(work: Work) -> str:
    """What a step is about, else how much it has fetched or sent, of how much where that is known."""
    if work.activity:
        return f" · {work.activity}"
    so_far = sum(current for current, _ in work.transfers.values())
    whole = sum(total for _, total in work.transfers.values())
    if not so_far:
        return ""
    return f" · {so_far / 1e6:.1f}" + (f"/{whole / 1e6:.1f} MB" if whole >= so_far else " MB")

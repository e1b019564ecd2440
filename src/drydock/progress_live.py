"""Progress as a live tree on a terminal.

The tree is redrawn in place by a thread of its own, so that it turns while the session computes. rich
is only imported once there is something to show: a quick call never pays for it. The cursor stays
visible and no mode of the terminal is changed, so there is nothing to restore, however drydock ends.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import TYPE_CHECKING, TextIO

from drydock.progress import View
from drydock.progress_state import Branch

if TYPE_CHECKING:
    from rich.text import Text

    from drydock.progress import Progress

SHOWN_AFTER = 0.7
"""Seconds until the tree appears."""
INTERVAL = 0.1
"""Seconds from one picture to the next."""


class Live(View):
    """The tree, at the bottom of what is printed."""

    shows_output = True

    def __init__(self, out: TextIO | None = None, *, tells_all: bool = False) -> None:
        self._out = out or sys.stderr
        self._tells_all = tells_all
        self._writing = threading.Lock()
        self._over = threading.Event()
        self._rows: list[Text] = []
        self._was_shown = False
        self._thread: threading.Thread | None = None

    def watch(self, progress: Progress) -> None:
        """Show this session until the end."""
        self._progress = progress
        self._thread = threading.Thread(target=self._redraw, daemon=True)
        self._thread.start()

    def line(self, text: str) -> None:
        """A line above the tree."""
        with self._writing:
            self._write(self._erased() + text + "\n")
            rows, self._rows = self._rows, []
            if rows:
                self._draw(rows)

    def close(self) -> None:
        """Replace the tree by its summary."""
        self._over.set()
        if self._thread:
            self._thread.join()
        if self._was_shown or self._tells_all or _failures(self._progress.root):
            from drydock.progress_tree import summary  # noqa: PLC0415  # rich is slow to import

            progress = self._progress
            with self._writing:
                columns, _ = self._size()
                self._draw(
                    summary(progress.root, progress.now(), columns - 1, tells_all=self._tells_all)
                )
                self._rows = []

    # -- drawing -----------------------------------------------------------------------------------

    def _redraw(self) -> None:
        if self._over.wait(SHOWN_AFTER):
            return
        from drydock.progress_tree import frame  # noqa: PLC0415  # rich is slow to import

        progress = self._progress
        while not self._over.wait(INTERVAL):
            columns, lines = self._size()
            with progress.lock:
                rows = frame(
                    progress.root,
                    progress.now(),
                    columns - 1,
                    lines - 2,
                    tells_all=self._tells_all,
                )
            with self._writing:
                self._was_shown = self._was_shown or bool(rows)
                self._draw(rows)

    def _draw(self, rows: list[Text]) -> None:
        """Replace what was drawn, in one write: nothing flickers, nothing comes between."""
        above = self._height()
        up = f"\x1b[{above}A" if above else ""
        self._rows = rows
        if up or rows:
            self._write(up + "\r" + "".join(f"{_ansi(row)}\x1b[K\n" for row in rows) + "\x1b[J")

    def _erased(self) -> str:
        above = self._height()
        return f"\x1b[{above}A\r\x1b[J" if above else ""

    def _height(self) -> int:
        """Rows that the tree covers now: a terminal made narrower has wrapped them."""
        columns, _ = self._size()
        return sum(max(1, -(-row.cell_len // columns)) for row in self._rows)

    def _size(self) -> tuple[int, int]:
        with contextlib.suppress(OSError, ValueError):
            size = os.get_terminal_size(self._out.fileno())
            if size.columns > 1 and size.lines > 1:
                return size.columns, size.lines
        return 80, 24

    def _write(self, text: str) -> None:
        # The terminal may be closed meanwhile: the work goes on.
        with contextlib.suppress(OSError, ValueError):
            self._out.write(text)
            self._out.flush()


def _ansi(row: Text) -> str:
    """A row with its colours, as this terminal and NO_COLOR allow."""
    from rich.console import Console  # noqa: PLC0415  # slow to import

    console = Console(file=sys.stderr, force_terminal=True, width=row.cell_len + 1)
    with console.capture() as captured:
        console.print(row, end="", soft_wrap=True, highlight=False)
    return captured.get()


def _failures(branch: Branch) -> bool:
    """Whether a step failed: its log has to be seen."""
    return any(work.step.error and not work.is_internal for work in branch.all_works())

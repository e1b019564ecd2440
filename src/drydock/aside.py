"""Lines for a reader who may not read: written by a thread, so that nobody waits for him."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

KEPT = 4000
"""Pieces that are kept for a slow reader; what comes while there are so many is left out."""
READ_WITHIN = 2
"""Seconds for the last of them to be read."""


class Aside:
    """A text stream in front of another one, for `print(…, flush=True)`."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._part = ""
        self._queue: queue.Queue[str | None] = queue.Queue(KEPT)
        self._thread = threading.Thread(target=self._pass_on, daemon=True)

    def __enter__(self) -> Self:
        """Begin to write."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the rest, where somebody reads it."""
        self._put(None)
        self._thread.join(READ_WITHIN)

    def write(self, text: str) -> int:
        """Take a text, which goes on with the next `flush`."""
        self._part += text
        return len(text)

    def flush(self) -> None:
        """Have the thread write what came since the last time."""
        part, self._part = self._part, ""
        self._put(part)

    def _put(self, part: str | None) -> None:
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(part)

    def _pass_on(self) -> None:
        # Who reads may have gone.
        with contextlib.suppress(OSError, ValueError):
            while (part := self._queue.get()) is not None:
                self._out.write(part)
                self._out.flush()

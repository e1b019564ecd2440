"""Tells what is being done where it lasts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

EVERY_SECONDS = 5.0


@dataclass
class Progress:
    """What is being done.

    Attributes:
        show: Gets a line every few seconds.
        every: So many.
        doing: What was told last.
    """

    show: Callable[[str], None]
    every: float = EVERY_SECONDS
    doing: str = ""

    def tell(self, line: str) -> None:
        """This is being done now."""
        self.doing = line.strip()

    @contextmanager
    def running(self, title: str) -> Iterator[None]:
        """Show it for as long as the context lasts.

        Args:
            title: What all of it is.
        """
        over, began = threading.Event(), time.monotonic()
        self.doing = ""

        def watch() -> None:
            while not over.wait(self.every):
                self.show(f"{title}, {time.monotonic() - began:.0f} s; last: {self.doing}")

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()

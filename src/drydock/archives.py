"""Image archives and layouts that were fetched from the daemon, kept by digest."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from drydock import paths, temporary

KEPT = 24
"""How many are kept; each holds a whole image, some 100 MB."""
ABANDONED = 3600
"""Seconds after which an unfinished one counts as left behind."""


class Archives:
    """A folder of files and directories by name, each made once and whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def ensure(self, name: str, make: Callable[[Path], Awaitable[object]]) -> Path:
        """The path of an entry; where there is none yet, `make` writes it.

        It gets its name only when whole, so one that is cut off leaves nothing.
        """
        final = paths.private(self.folder) / name.replace(":", "-")
        if final.exists():
            os.utime(final)
            return final / "image"
        with temporary.folder_in(self.folder, ".partial-") as partial:
            await make(partial / "image")
            with contextlib.suppress(OSError):  # another session was quicker
                partial.rename(final)
        self._prune()
        return final / "image"

    def _prune(self) -> None:
        aged = sorted(self.folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        whole = [path for path in aged if not path.name.startswith(".")]
        # What a killed process left behind; one that still writes is younger.
        left = [path for path in aged if path.name.startswith(".") and _age(path) > ABANDONED]
        for path in [*whole[KEPT:], *left]:
            shutil.rmtree(path, ignore_errors=True)


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime

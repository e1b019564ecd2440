"""A program that goes on when the command that started it has ended, found again by its number."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .run import require, tail
from .settings import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

START_SECONDS = 10.0
STOP_SECONDS = 10.0
# Before a command: it ends when the process that started it does.
BOUND = ("setpriv", "--pdeathsig", "TERM")


@dataclass(frozen=True)
class Background:
    """A program in the background.

    Attributes:
        command: program and arguments.
        mark: one of the arguments, a file that no other program is started with.
        pid_file: where its number is kept.
        log: where its output goes.
        prefix: what is put before the command.
    """

    command: Sequence[str]
    mark: Path
    pid_file: Path
    log: Path
    prefix: Sequence[str] = ()

    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        try:
            pid = int(self.pid_file.read_text())
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        # A number may have been given to another process since.
        return pid if str(self.mark).encode() in arguments else None

    def start(self, answers: Callable[[], bool]) -> None:
        """Start it and wait until it serves.

        Args:
            answers: says whether it does.

        Raises:
            LabError: it is not installed, ended at once, or does not serve in time.
        """
        require(self.command[0])
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [*self.prefix, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.pid_file.write_text(str(process.pid))
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if answers():
                # It outlives this object on purpose: nobody waits for it any more.
                process.returncode = 0
                return
            time.sleep(0.05)
        self.stop()
        said = tail(self.log.read_text(encoding="utf-8", errors="replace"))
        raise LabError(f"{self.command[0]} did not start; the end of {self.log}:\n{said}")

    def stop(self) -> bool:
        """Stop it.

        Returns:
            Whether it was running.
        """
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while self._runs(pid) and time.monotonic() < deadline:
                time.sleep(0.05)
            if self._runs(pid):
                os.kill(pid, signal.SIGKILL)
        self.pid_file.unlink(missing_ok=True)
        return pid is not None

    def _runs(self, pid: int) -> bool:
        """Whether it has not ended; one of this process's own children is collected."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        return self.pid() is not None

"""Runs commands side by side, measures them, and ends them with this process."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .settings import BenchError

TAIL = 15
"""Lines of its output that a failed command shows."""
WITHIN = 30
"""Seconds for a stopped command to end by itself."""


@dataclass(frozen=True)
class Ran:
    """Commands that ended well: seconds from the first's start to the last's end, and their output."""

    seconds: float
    outputs: tuple[str, ...]


def run(
    commands: Sequence[Sequence[str]], *, cwd: Path, environment: dict[str, str], log: Path
) -> Ran:
    """Run commands at once, to the end of all.

    Args:
        commands: Programs with their arguments.
        cwd: Where they run.
        environment: All of their environment.
        log: The file that gets what they say on standard error.

    Returns:
        How long it took, and each one's standard output.

    Raises:
        BenchError: If one fails; with the end of what it said.
    """
    with log.open("w") as said:
        began = time.perf_counter()
        # Each in a session of its own: Ctrl-C reaches this process alone, which ends them in order.
        started = [
            subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                start_new_session=True,
            )
            for command in commands
        ]
        try:
            outputs = tuple(process.communicate()[0] for process in started)
        except BaseException:
            for process in started:
                _end(process)
            raise
        seconds = time.perf_counter() - began
    for process in started:
        if process.returncode:
            raise BenchError(_failure(process, log, outputs))
    return Ran(seconds, outputs)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _failure(process: subprocess.Popen[str], log: Path, outputs: tuple[str, ...]) -> str:
    lines = [*log.read_text(errors="replace").splitlines(), *"".join(outputs).splitlines()]
    command = process.args if isinstance(process.args, str) else shlex.join(map(str, process.args))  # type: ignore[arg-type]
    end = "\n".join(f"    {line}" for line in lines[-TAIL:])
    return f"{command} ended with {process.returncode}:\n{end}"

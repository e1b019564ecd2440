"""Runs a command's coroutine: one signal stops it in order, a second one at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Coroutine

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SPARED = frozenset({"buildkitd", "rootlesskit"})
"""Children that outlive the command."""


def run(main: Coroutine[Any, Any, int]) -> int:
    """Run a coroutine to its end; returns its exit code.

    SIGINT, SIGTERM and SIGHUP cancel it, and what it started stops first; the exit code is then 128 and the signal's
    number. A second signal kills everything.
    """
    received: list[int] = []

    async def guarded() -> int:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()

        def stop(number: int, _frame: object) -> None:
            received.append(number)
            if len(received) > 1 or loop.is_closed():
                kill(number)
            loop.call_soon_threadsafe(task.cancel)  # type: ignore[union-attr]

        for number in SIGNALS:
            # Started in the background of a script, Ctrl-C is not meant for this process.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, stop)
        return await main

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        if not received:
            raise
        if received[0] == signal.SIGINT:
            raise KeyboardInterrupt from None
        return 128 + received[0]


def kill(number: int) -> NoReturn:
    """End now, with every process that was started; a module's process ends by itself when its input does."""
    for child in children(os.getpid()):
        os.kill(child, signal.SIGKILL)
    print("Killed.", file=sys.stderr, flush=True)
    os._exit(128 + number)


def children(parent: int) -> list[int]:
    """Processes that a process started, without those that are to outlive it and modules' own."""
    found = []
    for tasks in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in map(int, tasks.read_text().split()):
            try:
                name = Path(f"/proc/{child}/comm").read_text().strip()
                command = Path(f"/proc/{child}/cmdline").read_bytes()
            except OSError:
                continue
            if name not in SPARED and b"/drydock/runner.py" not in command:
                found.append(child)
    return found

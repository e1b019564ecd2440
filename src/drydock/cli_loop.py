"""Runs a command's coroutine: one signal stops it in order, a second one at once. Its end has a time of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from drydock import programs

if TYPE_CHECKING:
    from collections.abc import Coroutine

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SPARED = frozenset({"buildkitd", "rootlesskit"})
"""Children that outlive the command."""
END_WITHIN = 30
"""Seconds from the end of a command's work to the end of its process."""


def run(main: Coroutine[Any, Any, int]) -> int:
    """Run a coroutine to its end; returns its exit code.

    SIGINT, SIGTERM and SIGHUP cancel it, and what it started stops first; the exit code is then 128 and the signal's
    number. A second signal kills everything.
    """
    received: list[int] = []
    loops: list[asyncio.AbstractEventLoop] = []
    ending = threading.Timer(END_WITHIN, lambda: give_up(loops[0]))
    ending.daemon = True

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
        loops.append(loop)
        try:
            return await main
        finally:
            ending.start()
            await programs.all_started()

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        if not received:
            raise
        if received[0] == signal.SIGINT:
            raise KeyboardInterrupt from None
        return 128 + received[0]
    finally:
        ending.cancel()


def give_up(loop: asyncio.AbstractEventLoop) -> NoReturn:
    """End a command whose work is over and which does not end; tell what it waits for."""
    left = sorted({task.get_coro().__qualname__ for task in asyncio.all_tasks(loop)})  # type: ignore[union-attr]
    waits = ", ".join(left) or "a thread that reads or writes files"
    print(
        f"drydock has done its work and does not end within {END_WITHIN} s: it waits for {waits}. This is a bug of "
        "drydock, not of your module.",
        file=sys.stderr,
        flush=True,
    )
    kill(signal.SIGTERM)


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

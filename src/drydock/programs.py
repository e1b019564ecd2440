"""Programs that drydock starts: whole, however their start is cancelled, and gone when they are to end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import Any

from drydock import temporary

TERM_WITHIN = 3
"""Seconds between SIGTERM and SIGKILL: buildctl takes milliseconds to cancel its build, or never ends."""
KILL_WITHIN = 5
"""Seconds for what was killed to be gone; longer only where the kernel itself waits, for a disk or a network mount."""

_starting: set[asyncio.Task[asyncio.subprocess.Process]] = set()


async def start(*command: str, **options: Any) -> asyncio.subprocess.Process:
    """Start a program in a session of its own, which ends with this process.

    Where the start itself is cancelled, as `asyncio.run` does with all that is left at its end, Python waits for ever
    for pipes that it has not connected (cpython issue 125502, seen with 3.11). So it is never cut off: whoever is
    cancelled meanwhile goes once there is something to kill.

    Args:
        command: The program, as PATH knows it, and its arguments.
        options: As `asyncio.create_subprocess_exec` takes them.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *temporary.BOUND, *command, start_new_session=True, **options
        )
    )
    _starting.add(starting)
    starting.add_done_callback(_starting.discard)
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        starting.add_done_callback(_killed)
        await asyncio.wait([starting])
        raise


async def all_started() -> None:
    """Wait until no program is half-way through its start."""
    if _starting:
        await asyncio.wait(_starting)


async def end(process: asyncio.subprocess.Process) -> None:
    """End a program and all that it started: by SIGTERM, and by SIGKILL after three seconds."""
    for number, seconds in ((signal.SIGTERM, TERM_WITHIN), (signal.SIGKILL, KILL_WITHIN)):
        if process.returncode is None:
            _signal(process, number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await process.wait()


def kill(process: asyncio.subprocess.Process) -> None:
    """Kill a program and all that it started, unless it has ended."""
    if process.returncode is None:
        _signal(process, signal.SIGKILL)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    # The whole group: what it started may hold its pipes, and its end is not seen before those are closed.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _killed(starting: asyncio.Task[asyncio.subprocess.Process]) -> None:
    if not starting.cancelled() and not starting.exception():
        kill(starting.result())

"""`drydock run`: a session for any client program of the Dagger API."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from typing import TYPE_CHECKING

from drydock import temporary
from drydock.cli_call import open_session
from drydock.errors import DrydockError
from drydock.progress import Progress, View

if TYPE_CHECKING:
    from pathlib import Path


async def run_program(command: list[str], cwd: Path, *, quiet: bool) -> int:
    """Run a program with the session's variables in its environment; returns its exit code.

    Raises:
        DrydockError: If there is no such program.
    """
    async with open_session(cwd, Progress(View() if quiet else None)) as session:
        if not shutil.which(command[0]):
            raise DrydockError(f"{command[0]}: there is no such program")
        process = await asyncio.create_subprocess_exec(
            *temporary.BOUND, *command, env={**os.environ, **session.environment()}
        )
        try:
            code = await process.wait()
        finally:
            await _stop(process)
        if code == 0:
            await session.engine.cache.export()
        return code if code >= 0 else 128 - code


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End the program when drydock is interrupted; it has ten seconds."""
    if process.returncode is not None:
        return
    temporary.signalled(process.pid, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), 10)
    except TimeoutError:
        temporary.signalled(process.pid, signal.SIGKILL)

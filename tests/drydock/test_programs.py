"""Programs that drydock starts, and the end of what started them."""

import asyncio
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from drydock import cli_loop, programs

PIPES = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)
# A command whose work ends while a program is half-way through its start: `asyncio.run` cancels what is left.
ENDING = """
import asyncio, sys
from drydock import cli_loop, programs

async def main():
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)
    starting = asyncio.create_task(programs.start("sleep", "600", **pipes))
    for _ in range(int(sys.argv[1])):
        await asyncio.sleep(0)
    return 7

sys.exit(cli_loop.run(main()))
"""
# One that is left with a task that nothing ends.
HANGING = """
import asyncio, sys
from drydock import cli_loop

cli_loop.END_WITHIN = 0.5

async def never_ends():
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            pass

async def main():
    asyncio.create_task(never_ends())
    await asyncio.sleep(0)
    return 0

cli_loop.run(main())
"""


def run(code: str, *arguments: str, within: float = 20) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=within, check=False)


@pytest.mark.parametrize("steps", [1, 2, 4, 7])
def test_a_command_ends_while_a_program_is_half_way_through_its_start(steps: int) -> None:
    """Python alone would wait for ever."""
    assert run(ENDING, str(steps)).returncode == 7


def test_a_command_that_does_not_end_is_ended() -> None:
    """It tells what it waits for."""
    done = run(HANGING)
    assert done.returncode == 143
    assert "does not end within 0.5 s: it waits for " in done.stderr
    assert "never_ends" in done.stderr
    assert cli_loop.END_WITHIN >= programs.TERM_WITHIN + programs.KILL_WITHIN


async def test_who_is_cancelled_while_a_program_starts_leaves_none_behind() -> None:
    """Wherever in its start that is."""
    for steps in range(12):
        mark = f"6{os.getpid()}{steps:02}"
        starting = asyncio.create_task(programs.start("sleep", mark, **PIPES))
        for _ in range(steps):
            await asyncio.sleep(0)
        starting.cancel()
        await asyncio.wait([starting], timeout=5)
        assert starting.done()
        if not starting.cancelled():
            await programs.end(starting.result())
        assert await _gone(mark)


async def test_a_program_that_hears_nothing_is_killed_with_its_children(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They hold its pipes: with them alive, its end would not be seen."""
    monkeypatch.setattr(programs, "TERM_WITHIN", 0.3)
    script = "trap '' TERM; sleep 601 & echo ready; sleep 601"
    process = await programs.start("sh", "-c", script, **PIPES)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    began = time.monotonic()
    await programs.end(process)
    assert process.returncode == -9
    assert time.monotonic() - began < programs.KILL_WITHIN


async def test_one_that_has_ended_needs_no_end() -> None:
    """Nothing is sent to a process that may be another's by now."""
    process = await programs.start("true")
    await process.wait()
    await programs.end(process)
    programs.kill(process)
    assert process.returncode == 0


async def _gone(mark: str) -> bool:
    for _ in range(100):
        if not any(_runs(folder, mark) for folder in Path("/proc").glob("[0-9]*")):
            return True
        await asyncio.sleep(0.02)
    return False


def _runs(folder: Path, mark: str) -> bool:
    with suppress(OSError):
        return mark in (folder / "cmdline").read_text().split("\0")
    return False

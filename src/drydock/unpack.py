"""Unpacks what a build sends, while it sends it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from drydock import temporary
from drydock.buildkit import exporter
from drydock.errors import ApiError

TOLD_WITHIN = 2
"""Seconds for a build to fail with a reason of its own."""


async def unpack(folder: Path, build: Callable[[str], Awaitable[object]]) -> None:
    """Write what is built into a folder; everything in it belongs to the user.

    Not by BuildKit's `local` exporter (seen with v0.34.2): its client never ends when the disk becomes full, and when
    its client is killed, the daemon keeps what it was sending mounted for ever.

    Args:
        folder: Where to write.
        build: Builds, with the exporter that it is given.

    Raises:
        ApiError: If it cannot be written; the build is canceled.
    """
    with temporary.folder() as place:
        pipe = place / "content.tar"
        os.mkfifo(pipe, 0o600)
        tar = await asyncio.create_subprocess_exec(
            *temporary.BOUND,
            *(
                "tar",
                "--extract",
                "--same-permissions",
                "--no-same-owner",
                "--delay-directory-restore",
            ),
            *("--read-full-records", "--file", str(pipe), "--directory", str(folder)),
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
            start_new_session=True,
        )
        told = asyncio.create_task(tar.communicate())
        building = asyncio.ensure_future(build(exporter("tar", {"dest": str(pipe)})))
        try:
            await asyncio.wait({told, building}, return_when=asyncio.FIRST_COMPLETED)
            if told.done() and tar.returncode:
                # A build that fails ends tar too, a moment before it tells why.
                await asyncio.wait({building}, timeout=TOLD_WITHIN)
            if building.done() or not tar.returncode:
                await building
            _out, problems = await told
        finally:
            building.cancel()
            if tar.returncode is None:
                temporary.signalled(tar.pid, signal.SIGKILL)
            await asyncio.wait({told, building})
        if tar.returncode:
            raise ApiError(f"cannot write {folder.parent}: {_reason(problems.decode())}")


def _reason(problems: str) -> str:
    """The first of tar's complaints, which is the cause of those that follow."""
    lines = [line.removeprefix("tar: ") for line in problems.splitlines()]
    # A write that the end of the disk cuts short is told in numbers of bytes.
    if any("No space left on device" in line or "Wrote only" in line for line in lines):
        return "no space left on device; make room there and run it again. Nothing was left half written"
    return lines[0] if lines else "tar failed without a message"

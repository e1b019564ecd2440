"""Unpacks what a build sends, while it sends it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from drydock import programs, temporary
from drydock.buildkit import exporter
from drydock.errors import ApiError


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
    with temporary.folder() as place, contextlib.ExitStack() as until_built:
        pipe = place / "content.tar"
        os.mkfifo(pipe, 0o600)
        # Both ends are open before anybody else has one. buildctl opens it to write and to read: where it was done
        # before tar had begun, what it wrote was gone with it, and tar waited for ever.
        reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        with _closing(reading):
            until_built.enter_context(_closing(os.open(pipe, os.O_WRONLY)))
            os.set_blocking(reading, True)
            tar = await programs.start(
                *("tar", "--extract", "--same-permissions", "--no-same-owner"),
                *("--delay-directory-restore", "--read-full-records"),
                *("--file", "-", "--directory", str(folder)),
                stdin=reading,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, "LC_ALL": "C"},
            )
        told = asyncio.create_task(tar.communicate())
        building = asyncio.ensure_future(build(exporter("tar", {"dest": str(pipe)})))
        try:
            # While it is built there is more to come: tar ends by itself only when it cannot write.
            await asyncio.wait({told, building}, return_when=asyncio.FIRST_COMPLETED)
            if not tar.returncode:
                await building
            until_built.close()
            _out, problems = await told
        finally:
            building.cancel()
            programs.kill(tar)
            await asyncio.wait({told, building})
        if tar.returncode:
            raise ApiError(f"cannot write {folder.parent}: {_reason(problems.decode())}")


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[None]:
    """Close a descriptor at the end of the context."""
    try:
        yield
    finally:
        os.close(descriptor)


def _reason(problems: str) -> str:
    """The first of tar's complaints, which is the cause of those that follow."""
    lines = [line.removeprefix("tar: ") for line in problems.splitlines()]
    # A write that the end of the disk cuts short is told in numbers of bytes.
    if any("No space left on device" in line or "Wrote only" in line for line in lines):
        return "no space left on device; make room there and run it again. Nothing was left half written"
    return lines[0] if lines else "tar failed without a message"

"""Connections, and what carries them between this machine and a shim."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from drydock.errors import ApiError

CHUNK = 32 << 10
_ABORTED = 0xFFFFFFFF
"""In place of a length: the other side is gone (`stream.go` of the shim)."""

Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Stream:
    """A connection, as asyncio has it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def listen(port: int, connected: Connected) -> asyncio.Server:
    """Listen on a port of loopback (0: any that is free).

    Raises:
        ApiError: If the port is taken, or may not be used.
    """
    try:
        return await asyncio.start_server(connected, "127.0.0.1", port)
    except OSError as error:
        raise ApiError(
            f"cannot listen on 127.0.0.1:{port}: {error.strerror}; choose another port"
        ) from None


async def pipe(conn: Stream, wire: Stream) -> None:
    """Copy between a connection and a stream of a shim until both directions have ended.

    On the way through BuildKit the end of what is sent from here gets lost: each piece goes with its length in
    front, and one of length 0 is the end.
    """
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_to_wire(conn.reader, wire.writer))
            group.create_task(_from_wire(wire.reader, conn.writer))
    except* (OSError, asyncio.IncompleteReadError):
        await abort(wire)
    finally:
        conn.writer.close()
        wire.writer.close()


async def abort(wire: Stream) -> None:
    """Tell the shim that there is nobody on this side."""
    with contextlib.suppress(OSError):
        wire.writer.write(struct.pack(">I", _ABORTED))
        await wire.writer.drain()
    wire.writer.close()


async def _to_wire(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(struct.pack(">I", len(data)) + data)
        await writer.drain()
    writer.write(struct.pack(">I", 0))
    await writer.drain()


async def _from_wire(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while size := struct.unpack(">I", await reader.readexactly(4))[0]:
        writer.write(await reader.readexactly(size))
        await writer.drain()
    writer.write_eof()

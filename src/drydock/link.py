"""The link between a session and the shims of its execs: a socket that BuildKit forwards into their containers.

An exec that is bound to services asks for their addresses when it really runs, and is told there when one of them
dies. A service tells when it is ready, and is told to stop. Tunnels run over it too: it needs no network between
this machine and the containers. Each connection begins with a line of JSON (`link.go` of the shim).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from drydock import temporary
from drydock.errors import ApiError
from drydock.inflight import shared
from drydock.streams import Stream

STREAM_WITHIN = 15
"""Seconds for a shim to open a stream that it was asked for."""


class Control:
    """The connection on which one exec is told what happens to services."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.fault: ApiError | None = None
        """Why the exec was killed."""

    def tell(self, **order: Any) -> None:
        """Send an order, unless the exec has ended."""
        with contextlib.suppress(OSError):
            self._stream.writer.write(json.dumps(order).encode() + b"\n")

    def kill(self, fault: ApiError) -> None:
        """End the exec: what it needs is no more."""
        self.fault = self.fault or fault
        self.tell(signal=9)


class Link:
    """The socket of one session."""

    def __init__(self, attend: Callable[[dict[str, Any], Stream], Awaitable[None]]) -> None:
        """Prepare it; it opens when it is first needed.

        Args:
            attend: Serves a connection, given its first line.
        """
        self._attend = attend
        self._open = contextlib.AsyncExitStack()
        self._path: asyncio.Task[str] | None = None
        self._streams: dict[str, asyncio.Future[Stream]] = {}
        self._serving: set[asyncio.Task[None]] = set()

    async def path(self) -> str:
        """Where it listens."""
        if self._path is None:
            self._path = shared(self._listen())
        return await asyncio.shield(self._path)

    async def close(self) -> None:
        """Hang up on everybody."""
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._open.aclose()
        self._path = None

    async def stream(self, control: Control, port: int) -> Stream:
        """A connection to a port of the service that `control` belongs to.

        Raises:
            TimeoutError: If it does not come.
        """
        name = uuid.uuid4().hex
        self._streams[name] = asyncio.get_running_loop().create_future()
        control.tell(stream=name, port=port)
        try:
            async with asyncio.timeout(STREAM_WITHIN):
                return await self._streams[name]
        finally:
            del self._streams[name]

    async def _listen(self) -> str:
        path = str(self._open.enter_context(temporary.folder()) / "link")
        try:
            server = await asyncio.start_unix_server(self._connected, path)
        except OSError as error:
            raise ApiError(
                f"cannot listen on {path}: {error}; set TMPDIR to a short path"
            ) from None
        self._open.callback(server.close)
        return path

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # asyncio runs it as one
        self._serving.add(task)
        try:
            first = json.loads(await reader.readline() or b"{}")
            stream = Stream(reader, writer)
            waiting = self._streams.get(first.get("stream", ""))
            if waiting and not waiting.done():
                waiting.set_result(stream)
                return
            await self._attend(first, stream)
            writer.close()
        except (OSError, ValueError, asyncio.CancelledError):
            writer.close()
        finally:
            self._serving.discard(task)

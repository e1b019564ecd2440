"""A relay in front of a server's SSH, whose connections can be cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Relay:
    """Passes connections on to a server until they are cut.

    Attributes:
        port: Where it listens on this machine.
    """

    def __init__(self, host: str, port: int) -> None:
        """Lead to a host's port."""
        self.port = 0
        self._to = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """End every connection at once, in both directions."""
        for writer in self._writers:
            writer.transport.abort()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        there, back = await asyncio.open_connection(*self._to)
        self._writers |= {writer, back}
        await asyncio.gather(self._copy(reader, back), self._copy(there, writer))
        self._writers -= {writer, back}

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
        except ConnectionError:
            pass  # it was cut
        finally:
            target.close()


@asynccontextmanager
async def relay(host: str, port: int) -> AsyncIterator[Relay]:
    """A relay, for as long as the context lasts."""
    made = Relay(host, port)
    server = await asyncio.start_server(made.pass_on, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.cut()
        server.close()
        await server.wait_closed()

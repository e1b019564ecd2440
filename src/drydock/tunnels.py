"""Tunnels: ports of this machine that lead to services, whatever network those are in."""

from __future__ import annotations

import asyncio
import errno
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drydock import daemon, daemonprocess
from drydock.errors import ApiError
from drydock.hostports import Forward, Tunnel
from drydock.inflight import shared
from drydock.objects import Port, Service
from drydock.streams import Stream, listen, pipe

if TYPE_CHECKING:
    from drydock.link import Link
    from drydock.services import Running, Services

PROBE = 0.5
"""Seconds in which an address in a network of this machine answers."""


@dataclass(eq=False)
class Open:
    """A tunnel that was started."""

    running: Running
    servers: list[asyncio.Server] = field(default_factory=list)
    ports: list[Port] = field(default_factory=list)
    connections: set[asyncio.Task[None]] = field(default_factory=set)


class Tunnels:
    """The tunnels of one session."""

    def __init__(self, services: Services, link: Link) -> None:
        self._services = services
        self._link = link
        self._opening: dict[str, asyncio.Task[Open]] = {}

    async def start(self, tunnel: Tunnel) -> list[Port]:
        """Open a tunnel, once, with the service that it leads to; returns its ports on this machine.

        Raises:
            ApiError: If the service does not start, or a port is taken.
        """
        if tunnel.key not in self._opening:
            self._opening[tunnel.key] = shared(self._open(tunnel))
        try:
            return (await asyncio.shield(self._opening[tunnel.key])).ports
        except ApiError:
            self._opening.pop(tunnel.key, None)
            raise

    async def ports(self, tunnel: Tunnel) -> list[Port]:
        """Its ports on this machine.

        Raises:
            ApiError: If it was not started.
        """
        if tunnel.key not in self._opening:
            raise ApiError("the tunnel does not run; start it first")
        return (await asyncio.shield(self._opening[tunnel.key])).ports

    async def stop(self, tunnel: Tunnel) -> None:
        """Close a tunnel, if it is open."""
        if opening := self._opening.pop(tunnel.key, None):
            await self._close(opening)

    async def close(self) -> None:
        """Close all; one that still waits for its service waits no longer."""
        opening, self._opening = self._opening, {}
        for one in opening.values():
            one.cancel()
        await asyncio.gather(*(self._close(one) for one in opening.values()))

    async def endpoint(self, service: Service, address: str, port: int) -> tuple[str, int]:
        """Where this machine reaches a port of a service that runs.

        It is the container's own address where this machine has a way to it, else a tunnel.
        """
        if await _reachable(address, port):
            return address, port
        (there,) = await self.start(Tunnel(service, (Forward(0, port),)))
        return "127.0.0.1", there.port

    async def _open(self, tunnel: Tunnel) -> Open:
        opened = Open(await self._services.begin(tunnel.upstream))
        opened.running.users[opened] = ()
        try:
            for forward in tunnel.forwards:
                await self._listen(opened, forward)
        except (ApiError, asyncio.CancelledError):
            await self._end(opened)
            raise
        return opened

    async def _listen(self, opened: Open, forward: Forward) -> None:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101  # asyncio runs it as one
            opened.connections.add(task)
            try:
                await self._carry(opened.running, forward.backend, Stream(reader, writer))
            finally:
                opened.connections.discard(task)
                writer.close()

        server = await listen(forward.frontend, connected)
        opened.servers.append(server)
        there = server.sockets[0].getsockname()[1]
        host = opened.running.service.hostname
        text = f"tunnel 127.0.0.1:{there} -> {host}:{forward.backend}"
        opened.ports.append(Port(there, description=text))

    async def _carry(self, running: Running, port: int, conn: Stream) -> None:
        if running.control is None or running.task.done():
            return  # it has ended: the connection is closed
        try:
            wire = await self._link.stream(running.control, port)
        except TimeoutError:
            return
        await pipe(conn, wire)

    async def _close(self, opening: asyncio.Task[Open]) -> None:
        await asyncio.wait([opening])
        if not opening.cancelled() and not opening.exception():
            await self._end(opening.result())

    async def _end(self, opened: Open) -> None:
        self._services.leave(opened.running, opened)
        for server in opened.servers:
            server.close()
        for task in opened.connections:
            task.cancel()
        await asyncio.gather(*opened.connections, return_exceptions=True)


async def _reachable(address: str, port: int) -> bool:
    """Whether this machine has a way to a container: to those of a daemon that root runs on it."""
    if daemon.is_own():
        return not daemonprocess.is_rootless()
    try:
        async with asyncio.timeout(PROBE):
            _reader, writer = await asyncio.open_connection(address, port)
    except OSError as error:
        return error.errno == errno.ECONNREFUSED
    writer.close()
    return True

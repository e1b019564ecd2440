"""Services: long-running execs, ready before anything uses them, stopped when nothing does any more.

The rules are the Dagger engine's (v0.21, `core/services.go`): one instance for equal recipes; started for an exec
that is bound to it when that exec really runs; stopped ten seconds after the last of them has ended, unless a
client has started it; an exec whose service dies is ended with the service's error.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drydock.errors import ApiError
from drydock.execs import health_check, make_exec
from drydock.graph import Exec, Scratch
from drydock.hostports import HostService
from drydock.inflight import shared
from drydock.link import Control, Link
from drydock.objects import Service
from drydock.servicefaults import aliased, heard, not_listening, told, why_ended
from drydock.streams import Stream, abort, pipe
from drydock.tunnels import Tunnels

if TYPE_CHECKING:
    from drydock.engine import Engine

READY_WITHIN = 300
"""Seconds in which a service has to be ready."""
GRACE = 10
"""Seconds between the last use of a service and its stop, and between SIGTERM and SIGKILL (v0.21, `services.go`)."""

Startable = Service | HostService


@dataclass(eq=False)
class Running:
    """A service that was started."""

    service: Startable
    ready: asyncio.Future[str]
    """Its address, once it is ready."""
    task: asyncio.Task[Any]
    """Lasts as long as it runs."""
    control: Control | None = None
    users: dict[object, tuple[str, ...]] = field(default_factory=dict)
    """Who needs it, and by which names."""
    held: bool = False
    """Whether a client has started it, and will stop it."""
    stopping: bool = False

    @property
    def address(self) -> str:
        """Its address among containers."""
        return self.ready.result()


class Services:
    """The services of one session."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.link = Link(self._attend)
        self.tunnels = Tunnels(self, self.link)
        self._known: dict[str, Startable] = {}
        self._starting: dict[str, asyncio.Task[Running]] = {}
        self._runs: dict[str, Running] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._faults: dict[str, tuple[int, ApiError]] = {}
        self._count = 0

    # -- faults ----------------------------------------------------------------------------------------------------

    def mark(self) -> int:
        """A point in time, for `fault`."""
        return self._count

    def fault(self, keys: Iterable[str], since: int) -> ApiError | None:
        """What went wrong with one of these services since a point in time."""
        found = [self._faults[key] for key in keys if key in self._faults]
        return next(
            (error for when, error in sorted(found, key=lambda pair: pair[0]) if when > since), None
        )

    def _failed(self, key: str, error: ApiError) -> ApiError:
        self._count += 1
        self._faults[key] = self._count, error
        return error

    # -- starting and stopping -------------------------------------------------------------------------------------

    def know(self, services: Mapping[str, Any]) -> None:
        """Remember services that an exec is bound to; each starts when that exec runs."""
        self._known.update(services)

    async def start(self, service: Startable) -> Running:
        """Start a service for a client, once, and wait until it is ready.

        Raises:
            ApiError: If it ends, or is not ready in time; with what it printed.
        """
        running = await self.begin(service)
        running.held = True
        return running

    async def stop(self, service: Startable, *, kill: bool = False) -> None:
        """Stop a service, if it runs: by SIGTERM, and by SIGKILL after ten seconds, or at once with `kill`."""
        if starting := self._starting.get(service.key):
            with contextlib.suppress(ApiError):
                await self._end(await asyncio.shield(starting), kill=kill)

    async def close(self) -> None:
        """Stop everything at once."""
        await self.tunnels.close()
        starting, self._starting = self._starting, {}
        for running in self._runs.values():
            running.stopping = True
        runs = [running.task for running in self._runs.values()]
        await _cancelled([*self._ending, *starting.values(), *runs])
        await self.link.close()

    async def begin(self, service: Startable) -> Running:
        """Start a service for somebody who will be among its users.

        Raises:
            ApiError: As `start` does.
        """
        while True:
            if service.key not in self._starting:
                self._starting[service.key] = shared(self._started(service))
            starting = self._starting[service.key]
            try:
                running = await asyncio.shield(starting)
            except ApiError:
                if self._starting.get(service.key) is starting:
                    del self._starting[service.key]
                raise
            if not running.stopping and not running.task.done():
                return running
            # It is being stopped: the next one begins when it is gone.
            await asyncio.wait([running.task])
            if self._starting.get(service.key) is starting:
                del self._starting[service.key]

    async def _started(self, service: Startable) -> Running:
        name = (
            f"{service.key[:12]}-{uuid.uuid4().hex}"  # a run of its own, never one from the cache
        )
        spec = await self._spec(service, name)
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._engine.serve(spec))
        running = self._runs[name] = Running(service, ready, task)
        try:
            await self._ready(running)
        except BaseException:
            await _cancelled([task])
            raise
        finally:
            task.add_done_callback(lambda _task: self._ended(name))
        return running

    @staticmethod
    async def _ready(running: Running) -> None:
        waiting: set[asyncio.Future[Any]] = {running.ready, running.task}
        done, _ = await asyncio.wait(
            waiting, timeout=READY_WITHIN, return_when=asyncio.FIRST_COMPLETED
        )
        if not done:
            raise await not_listening(running, READY_WITHIN)
        if not running.ready.done():
            name = running.service.hostname
            raise why_ended(running) or ApiError(f"service {name} exited before it was ready")
        running.ready.result()

    async def _spec(self, service: Startable, name: str) -> Exec:
        if isinstance(service, HostService):
            ports = tuple(forward.frontend for forward in service.forwards)
            return Exec(Scratch(), (), service=name, forward=ports)
        ports = tuple(
            port.port
            for port in service.container.ports
            if port.protocol == "TCP" and not port.experimental_skip_healthcheck
        )
        return await make_exec(
            self._engine,
            service.container,
            list(service.args),
            insecure=service.insecure,
            service=name,
            ready=ports,
            health=health_check(service.container.config),
        )

    async def _end(self, running: Running, *, kill: bool) -> None:
        running.stopping = True
        if running.control is None:
            await _cancelled([running.task])
        for signal in (9,) if kill else (15, 9):
            if running.control:
                running.control.tell(signal=signal)
            if (await asyncio.wait([running.task], timeout=GRACE))[0]:
                return
        await _cancelled([running.task])

    def _ended(self, name: str) -> None:
        """A service has ended, whoever wanted it: who still needs it is told."""
        running = self._runs.pop(name)
        cause = why_ended(running)
        why = "" if running.stopping or cause is None else f": {cause}"
        for user, names in running.users.items():
            text = f"bound service {running.service.hostname} ({aliased(names)}) exited{why}"
            error = self._failed(running.service.key, told(text, cause))
            if isinstance(user, Control):
                user.kill(error)

    # -- what the shims say ----------------------------------------------------------------------------------------

    async def _attend(self, hello: dict[str, Any], stream: Stream) -> None:
        running = self._runs.get(hello.get("service", ""))
        if port := hello.get("forward"):
            await self._forward(running, port, stream)
            return
        control, names = Control(stream), _by_service(hello.get("bind") or {})
        used: list[Running] = []
        try:
            used = await self._use(names, control)
            hosts = "".join(
                f"{run.address}\t{' '.join(dict.fromkeys([*aliases, run.service.hostname]))}\n"
                for run, aliases in zip(used, names.values(), strict=True)
            )
            control.tell(hosts=hosts)
            if running:
                running.control = control
            async for line in stream.reader:
                if running:
                    heard(running, line)
        except ApiError as error:
            if running:
                control.fault, running.control = error, control
            control.tell(refused=str(error))
        finally:
            for run in used:
                self.leave(run, control)

    async def _use(self, names: dict[str, tuple[str, ...]], user: object) -> list[Running]:
        """Start the services that an exec is bound to."""

        async def start(key: str, aliases: tuple[str, ...]) -> Running:
            if key not in self._known:
                raise ApiError(f"{' '.join(aliases)}: no such service in this session")
            try:
                running = await self.begin(self._known[key])
            except ApiError as error:
                text = f"start {self._known[key].hostname} ({aliased(aliases)}): {error}"
                raise self._failed(key, told(text, error)) from None
            running.users[user] = aliases
            return running

        wanted = [start(key, aliases) for key, aliases in names.items()]
        done = await asyncio.gather(*wanted, return_exceptions=True)
        if failed := next((one for one in done if isinstance(one, BaseException)), None):
            for run in done:
                if isinstance(run, Running):
                    self.leave(run, user)
            raise failed
        return [run for run in done if isinstance(run, Running)]

    def leave(self, running: Running, user: object) -> None:
        """Somebody needs a service no more: it is stopped, unless others need it by the end of the grace."""
        running.users.pop(user, None)
        if not _idle(running):
            return

        async def end_if_idle() -> None:
            await asyncio.sleep(GRACE)
            if _idle(running):
                await self._end(running, kill=False)

        task = asyncio.create_task(end_if_idle())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    @staticmethod
    async def _forward(running: Running | None, port: int, wire: Stream) -> None:
        if running is None or not isinstance(running.service, HostService):
            await abort(wire)
            return
        service = running.service
        try:
            conn = Stream(*await asyncio.open_connection(service.host, service.backend(port)))
        except OSError:
            await abort(wire)
            return
        await pipe(conn, wire)


def _idle(running: Running) -> bool:
    return not (running.users or running.held or running.stopping or running.task.done())


def _by_service(bindings: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for alias, key in bindings.items():
        names[key] = (*names.get(key, ()), alias)
    return names


async def _cancelled(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

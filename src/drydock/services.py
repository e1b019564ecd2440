"""Services: long-running execs, ready before anything uses them, stopped at the end of the session."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drydock.errors import ApiError
from drydock.execs import make_exec
from drydock.graph import Exec, ExecRoot, Fs, Value

if TYPE_CHECKING:
    from drydock.engine import Engine
    from drydock.objects import Service

READY_WITHIN = 120
"""Seconds in which a service has to listen on its ports."""
_ANNOUNCED = re.compile(r"drydock-service (\S+) (\S+)\n")


@dataclass
class Running:
    """A service that was started."""

    address: str
    task: asyncio.Task[Any]


class Services:
    """The services of one session."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[str, Service] = {}
        self._starting: dict[str, asyncio.Task[Running]] = {}

    def know(self, service: Service) -> None:
        """Remember a service that an exec is bound to; it starts when that exec has to run."""
        self._known[service.key] = service

    async def addresses(self, fs: Fs) -> dict[str, str]:
        """IP address by service key, of every service that a build needs; starts those that do not run."""
        if not self._known:
            return {}
        needed = sorted(_bound(fs, set()))
        running = await asyncio.gather(*(self.start(self._known[key]) for key in needed))
        return {key: service.address for key, service in zip(needed, running, strict=True)}

    async def start(self, service: Service) -> Running:
        """Start a service, once, and wait until it listens.

        Raises:
            ApiError: If it ends, or does not listen in time; with what it printed.
        """
        if service.key not in self._starting:
            self._starting[service.key] = asyncio.create_task(self._start(service))
        try:
            return await self._starting[service.key]
        except Exception:
            self._starting.pop(service.key, None)
            raise

    async def stop(self, service: Service) -> None:
        """Stop a service, if it runs."""
        if starting := self._starting.pop(service.key, None):
            await _stop(starting)

    async def stop_all(self) -> None:
        """Stop every service of the session."""
        starting, self._starting = self._starting, {}
        await asyncio.gather(*(_stop(task) for task in starting.values()))

    async def _start(self, service: Service) -> Running:
        spec = await make_exec(
            self._engine,
            service.container,
            list(service.args),
            insecure=service.insecure,
            service=f"{service.key[:12]}-{uuid.uuid4().hex}",  # a run of its own, never one from the cache
            ready=tuple(
                port.port
                for port in service.container.ports
                if port.protocol == "TCP" and not port.experimental_skip_healthcheck
            ),
        )
        announced: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        printed: list[str] = []

        def on_log(text: str) -> None:
            printed.append(text)
            found = _ANNOUNCED.search("".join(printed[-8:])) if not announced.done() else None
            if found and found[1] == spec.service:
                announced.set_result(found[2])

        task = asyncio.create_task(self._run(spec, on_log))
        try:
            async with asyncio.timeout(READY_WITHIN):
                address = await _first(announced, task, service, printed)
        except BaseException as error:
            await _cancel(task)
            if isinstance(error, TimeoutError):
                raise ApiError(
                    _failed(service, printed, f"did not listen within {READY_WITHIN} s")
                ) from None
            raise
        return Running(address, task)

    async def _run(self, spec: Exec, on_log: Any) -> None:
        engine = self._engine
        lowered = await engine.lowered(ExecRoot(spec))
        await engine.buildkit.solve(
            lowered, secrets=engine.secrets.known(lowered.secrets), on_log=on_log
        )


async def _first(wanted: Any, task: asyncio.Task[Any], service: Service, printed: list[str]) -> Any:
    waiting = asyncio.ensure_future(wanted)
    try:
        await asyncio.wait({waiting, task}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            error = task.exception()
            raise ApiError(_failed(service, printed, "ended before it was ready")) from error
        return waiting.result()
    finally:
        waiting.cancel()


async def _stop(starting: asyncio.Task[Running]) -> None:
    with contextlib.suppress(Exception):
        await _cancel((await starting).task)


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task


def _failed(service: Service, printed: list[str], what: str) -> str:
    tail = "\n".join("".join(printed).splitlines()[-20:])
    return f"service {' '.join(service.args)} {what}; it printed:\n{tail}"


def _bound(value: Any, seen: set[str]) -> set[str]:
    """Keys of the services that the execs below a value are bound to."""
    found: set[str] = set()
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, tuple):
            pending.extend(current)
        if not isinstance(current, Value) or current.key in seen:
            continue
        seen.add(current.key)
        if isinstance(current, Exec):
            found.update(key for _alias, key in current.hosts)
        pending.extend(getattr(current, f.name) for f in dataclasses.fields(current))  # type: ignore[arg-type]
    return found

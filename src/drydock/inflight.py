"""Work under way, shared by everybody who asks for it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from drydock.errors import ApiError

Result = TypeVar("Result")


@dataclass
class _Work(Generic[Result]):
    task: asyncio.Task[None]
    result: asyncio.Future[Result]
    released: asyncio.Event = field(default_factory=asyncio.Event)
    askers: int = 0


class InFlight(Generic[Result]):
    """Results by key; each is made once for all who ask while it is made or held, and forgotten then."""

    def __init__(self) -> None:
        self._working: dict[str, _Work[Result]] = {}

    async def share(self, key: str, make: Callable[[], Awaitable[Result]]) -> Result:
        """The result of `make`, or of what somebody else began under this key."""

        @asynccontextmanager
        async def made() -> AsyncIterator[Result]:
            yield await make()

        async with self.hold(key, made) as result:
            return result

    @asynccontextmanager
    async def hold(
        self, key: str, make: Callable[[], AbstractAsyncContextManager[Result]]
    ) -> AsyncIterator[Result]:
        """What `make` gives, or what somebody else holds under this key; it ends with the last who holds it.

        One asker that is cancelled leaves the others theirs; the last one takes the work with it.
        """
        work = self._working.get(key)
        if work is None:
            work = self._working[key] = _begin(make)
        work.askers += 1
        try:
            yield await asyncio.shield(work.result)
        finally:
            work.askers -= 1
            if work.askers == 0:
                del self._working[key]
                await _end(work)


def shared(work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
    """A task that its askers await behind `asyncio.shield`.

    Its failure is theirs. Where all of them have gone before it fails, nobody is left to be told, and asyncio would
    print a traceback ("Task exception was never retrieved").
    """
    task = asyncio.ensure_future(work)
    task.add_done_callback(_retrieve)
    return task


def _retrieve(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()


def _begin(make: Callable[[], AbstractAsyncContextManager[Result]]) -> _Work[Result]:
    result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
    released = asyncio.Event()

    async def run() -> None:
        try:
            async with make() as made:
                result.set_result(made)
                await released.wait()
        except asyncio.CancelledError:
            # Not by the last asker, who has cancelled the result too: those that are left would wait for ever.
            if not result.done():
                result.set_exception(ApiError("what it waits for was cancelled; run it again"))
            raise
        except Exception as error:  # noqa: BLE001  # it is the askers'
            if not result.done():
                result.set_exception(error)

    return _Work(asyncio.ensure_future(run()), result, released)


async def _end(work: _Work[Result]) -> None:
    work.released.set()
    if not work.result.done():
        work.result.cancel()
        work.task.cancel()
    # Who is cancelled meanwhile goes at once, and the work ends without being watched.
    await asyncio.wait([work.task])

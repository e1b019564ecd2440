"""Work that several ask for at the same time."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drydock.errors import ApiError
from drydock.inflight import InFlight, shared


class Counted:
    """Work that waits until it is let go, and counts how often it was begun and cancelled."""

    def __init__(self) -> None:
        self.begun = self.cancelled = 0
        self.let_go = asyncio.Event()

    async def work(self) -> str:
        """Wait, and count."""
        self.begun += 1
        try:
            await self.let_go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return "done"


async def test_it_is_done_once() -> None:
    """Whoever asks meanwhile gets the same; who asks later has it done again."""
    counted, shared = Counted(), InFlight[str]()
    asking = [asyncio.create_task(shared.share("k", counted.work)) for _ in range(3)]
    await asyncio.sleep(0)
    counted.let_go.set()
    assert await asyncio.gather(*asking) == ["done"] * 3
    assert counted.begun == 1
    await shared.share("k", counted.work)
    assert counted.begun == 2


async def test_one_that_gives_up_leaves_it_to_the_others() -> None:
    """Only the last one takes the work with it."""
    counted, shared = Counted(), InFlight[str]()
    first, second = (asyncio.create_task(shared.share("k", counted.work)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert counted.cancelled == 0
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    await asyncio.sleep(0)
    assert counted.cancelled == 1


async def test_a_failure_is_everybodys() -> None:
    """And not kept."""

    async def fail() -> str:
        raise ValueError("no")

    shared = InFlight[str]()
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            await shared.share("k", fail)


async def test_work_that_something_else_cancels_is_told_to_who_asks() -> None:
    """They would wait for ever."""
    needed = asyncio.get_running_loop().create_future()

    async def work() -> str:
        return str(await needed)

    shared = InFlight[str]()
    asking = [asyncio.create_task(shared.share("k", work)) for _ in range(2)]
    await asyncio.sleep(0)
    needed.cancel()
    for one in asking:
        with pytest.raises(ApiError, match="what it waits for was cancelled; run it again"):
            await asyncio.wait_for(one, 5)


async def test_who_is_cancelled_while_the_work_ends_is_cancelled() -> None:
    """Not told that all is well: a session that is to end would go on."""
    let_go = asyncio.Event()

    @asynccontextmanager
    async def made() -> AsyncIterator[str]:
        yield "done"
        await let_go.wait()

    async def use(shared: InFlight[str]) -> None:
        async with shared.hold("k", made):
            pass

    using = asyncio.create_task(use(InFlight[str]()))
    await asyncio.sleep(0.01)
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    let_go.set()


async def test_a_failure_that_nobody_is_left_to_hear_of_prints_no_traceback() -> None:
    """As where a session ended while an image was looked up that is not there."""
    printed: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: printed.append(context))
    let_go = asyncio.Event()

    async def fail() -> str:
        await let_go.wait()
        raise ValueError("no such image")

    async def ask(task: asyncio.Task[str]) -> str:
        return await asyncio.shield(task)

    task = shared(fail())
    asking = asyncio.create_task(ask(task))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    let_go.set()
    await asyncio.wait([task])
    del task, asking
    gc.collect()
    await asyncio.sleep(0)
    assert printed == []


async def test_a_failure_is_that_of_everybody_who_asks() -> None:
    """Also of who asks when it is over."""

    async def fail() -> str:
        raise ValueError("no such image")

    task = shared(fail())
    for _ in range(2):
        with pytest.raises(ValueError, match="no such image"):
            await asyncio.shield(task)

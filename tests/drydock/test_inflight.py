"""Work that several ask for at the same time."""

import asyncio

import pytest

from drydock.inflight import InFlight


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

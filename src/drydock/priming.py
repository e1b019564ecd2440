"""Looks for builds in the imported caches, one at a time.

BuildKit (seen with v0.34.2) knows what it imports by names that each build makes up for itself. Where two builds that
import run at the same time and have operations in common, each finds its own names at some of them and the other's at
the rest, and runs commands that the cache has. A build that is alone finds everything. So what has commands to run
is not built with the caches: before that, what of it is cached is fetched, alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from drydock.buildkit import NotCachedError, Solved, SolveError
from drydock.llb_assembly import Lowered, Ref
from drydock.llb_merge import Merge

GATHERED = 0.03
"""Seconds in which more builds may come that are looked for together."""
ENDED = 0.1
"""Seconds that the daemon gets to end a build that was cancelled."""


class Primer:
    """The looks of one session."""

    def __init__(self, look: Callable[[Lowered], Awaitable[Solved]]) -> None:
        """Look by `look`, which builds with the caches and runs no command (`NotCachedError`)."""
        self._look = look
        self.turn = asyncio.Lock()
        """To be held by whoever builds with the caches."""
        self.missing: set[str] = set()
        """Names of commands that are in no cache."""
        self._doubted: set[str] = set()
        self._waiting: list[Lowered] = []
        self._seen: set[Ref] = set()
        self._fetched: set[Ref] = set()

    async def is_cached(self, lowered: Lowered, services: Sequence[Lowered]) -> bool:
        """Look for a build; where commands have to be run for it, everything else it takes is fetched.

        Args:
            lowered: The build.
            services: What the services are made of that it starts.
        """
        parts = [part for part in (lowered, *services) if part.execs]
        if self._merge(parts).results - self._seen:
            self._waiting += parts
            async with self.turn:
                await asyncio.sleep(GATHERED)
                batch, self._waiting = self._waiting, []
                await self._search(batch)
        if not (services or self.missing & lowered.execs.keys()):
            return True
        async with self.turn:
            await self._fetch(parts)
        return False

    def forget(self) -> None:
        """Believe again that everything may be in a cache."""
        self.missing.clear()
        self._doubted.clear()

    async def missed(self, name: str) -> None:
        """Take note that a look would have run a command; two such looks are believed.

        A look ends as soon as it would run one, and the daemon may still be at its end when the next begins: then two
        builds that import are running after all.
        """
        if name in self._doubted:
            self.missing.add(name)
        self._doubted.add(name)
        await asyncio.sleep(ENDED)

    async def _search(self, batch: list[Lowered]) -> None:
        while (merge := self._merge(batch)).results - self._seen:
            try:
                await self._look(merge.finished("look into the cache"))
            except NotCachedError as error:
                await self.missed(str(error))
                continue
            except SolveError:
                # Why, the build itself tells; it is to take nothing from the others.
                for part in batch if len(batch) > 1 else ():
                    await self._search([part])
            self._seen |= merge.results

    async def _fetch(self, parts: list[Lowered]) -> None:
        while (merge := self._merge(parts)).results - self._fetched:
            try:
                await self._look(merge.fetched("fetch from the cache"))
            except NotCachedError as error:
                await self.missed(str(error))
                continue
            except SolveError:
                pass  # why, the build itself tells
            self._fetched |= merge.results

    def _merge(self, parts: Sequence[Lowered]) -> Merge:
        merge = Merge(frozenset(self.missing))
        for part in parts:
            merge.take(part)
        return merge

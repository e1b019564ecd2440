"""How long a build may go without a sign of life, and what is told when it has been longer.

BuildKit itself waits for ever: for a registry that takes a request and does not answer it, for a download that stands
still. A command that runs may be silent for as long as it likes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar

from drydock.progress_state import Step
from drydock.progress_text import duration

Read = TypeVar("Read")

LAST_LOOK = 2
"""Seconds for what has come meanwhile to be read, where it was this process that stood still (Ctrl-Z)."""
METADATA = "[internal] load metadata for "
"""How BuildKit names its question to a registry."""


@dataclass(frozen=True)
class Limits:
    """Seconds without a sign of life after which a build is given up."""

    answer: float = 120
    """Of the daemon, before it has said anything at all."""
    transfer: float = 300
    """Of a download or an upload that is not at its end."""
    step: float = 900
    """Of everything together, while no command runs."""


LOOK_UP = Limits(step=180)
"""Of a look-up of an image: some kilobytes from its registry."""


class SilentError(Exception):
    """A build has gone without a sign of life for too long; says what it waits for, since when, what to do."""


@dataclass
class _Transfer:
    name: str
    done: int
    total: int
    since: float


@dataclass
class Watch:
    """What one build is at, and when it last changed."""

    limits: Limits = field(default_factory=Limits)
    commands: Collection[str] = ()
    """Names of steps that run commands, where their names do not tell."""
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        """Nothing has come yet."""
        self.begin()
        self._heard = False
        self._overdue: float | None = None
        self._open: dict[str, str] = {}
        self._running: set[str] = set()
        self._names: dict[str, str] = {}
        self._transfers: dict[tuple[str, str], _Transfer] = {}

    def begin(self) -> None:
        """Count from now on."""
        self._changed = self.clock()

    # -- what BuildKit tells -----------------------------------------------------------------------------------------

    def take(self, event: dict[str, Any]) -> None:
        """Take in an event of BuildKit's `rawjson` progress."""
        for vertex in event.get("vertexes") or ():
            self._vertex(vertex)
        for status in event.get("statuses") or ():
            self._status(status)
        if event.get("logs"):
            self._alive()

    def _alive(self) -> None:
        self._changed, self._heard = self.clock(), True

    def _vertex(self, vertex: dict[str, Any]) -> None:
        self._alive()
        digest = vertex["digest"]
        self._names[digest] = vertex["name"]
        if vertex.get("started") and not vertex.get("completed"):
            self._open[digest] = vertex["name"]
            if vertex["name"] in self.commands or Step("", vertex["name"]).is_command:
                self._running.add(digest)
            return
        self._open.pop(digest, None)
        self._running.discard(digest)
        for key in [key for key in self._transfers if key[0] == digest]:
            del self._transfers[key]

    def _status(self, status: dict[str, Any]) -> None:
        key = status["vertex"], status["id"]
        done, total = status.get("current") or 0, status.get("total") or 0
        known = self._transfers.get(key)
        if status.get("completed"):
            self._transfers.pop(key, None)
            self._alive()
        elif known is None or (known.done, known.total) != (done, total):
            # Told several times a second, also where nothing moves.
            name = self._names.get(key[0], key[1])
            self._transfers[key] = _Transfer(name, done, total, self.clock())
            self._alive()

    # -- what is too long --------------------------------------------------------------------------------------------

    def left(self) -> float:
        """Seconds until it has been silent for too long."""
        due = [one.since + self.limits.transfer for one in self._unfinished()]
        if not self._running:
            due.append(self._changed + (self.limits.step if self._heard else self.limits.answer))
        return min(due, default=float("inf")) - self.clock()

    def _unfinished(self) -> list[_Transfer]:
        return [one for one in self._transfers.values() if one.done < one.total]

    async def within(self, read: Callable[[], Awaitable[Read]]) -> Read:
        """What is read next.

        Raises:
            SilentError: If it has been silent for too long.
        """
        while True:
            try:
                async with asyncio.timeout(self._patience()):
                    return await read()
            except TimeoutError:
                continue

    def _patience(self) -> float | None:
        """Seconds for the next line to come; None for any number."""
        left, now = self.left(), self.clock()
        if left > 0:
            self._overdue = None
            return None if left == float("inf") else left
        self._overdue = now if self._overdue is None else self._overdue
        if now - self._overdue >= LAST_LOOK:
            raise SilentError(self.told())
        return self._overdue + LAST_LOOK - now

    def told(self) -> str:
        """What it waits for, since when, and what to do."""
        if not self._heard:
            return (
                f"the BuildKit daemon has not answered for {self._since(self._changed)}. See whether it is overloaded "
                f"('drydock status'); {_ANEW}"
            )
        still = min(self._unfinished(), key=lambda one: one.since, default=None)
        if still and self.clock() - still.since >= self.limits.transfer:
            return (
                f'"{still.name}" has stood still for {self._since(still.since)}, at {still.done / 1e6:.1f} of '
                f"{still.total / 1e6:.1f} MB: its registry sends or takes nothing any more. Look at it and at the "
                "network to it, and run it again; what is there already is kept"
            )
        return self._told_of_steps(self._since(self._changed))

    def _told_of_steps(self, since: str) -> str:
        asked = [name.removeprefix(METADATA) for name in self._open.values() if METADATA in name]
        if asked:
            return (
                f"the registry of {', '.join(asked)} has not answered for {since}. Look at the registry, its mirror in "
                "drydock's config and the network to them, and run it again"
            )
        if not self._open:
            return f"BuildKit has told nothing for {since}, with no step under way. Run it again; {_ANEW}"
        steps = ", ".join(f'"{name}"' for name in self._open.values())
        return f"BuildKit has told nothing for {since}, while at {steps}. Run it again; {_ANEW}"

    def _since(self, when: float) -> str:
        return duration(self.clock() - when)


_ANEW = "'drydock down' ends drydock's own daemon, and the next command starts it anew"

"""What progress is made of: the steps of builds, as reported and as shown; the functions that they are done for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMAND = re.compile(r"exec |\[[^]]*\] RUN ")


@dataclass
class Step:
    """One operation of a build, as BuildKit reports it."""

    digest: str
    name: str = ""
    seconds: float = 0.0
    cached: bool = False
    error: str = ""
    logs: dict[int, bytearray] = field(default_factory=dict)
    """Output by stream: 1 is standard output, 2 standard error."""

    @property
    def is_command(self) -> bool:
        """Whether it runs a program, in contrast to copying, pulling and the like."""
        return bool(_COMMAND.match(self.name))

    def output(self, stream: int) -> str:
        """What the operation printed on a stream."""
        return self.logs.get(stream, bytearray()).decode(errors="replace")


@dataclass
class Work:
    """A step as it is shown: once, however many builds report it."""

    step: Step
    number: int
    began: float
    """Seconds of the session's clock."""
    ended: float | None = None
    lines: list[str] = field(default_factory=list)
    transfers: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Bytes so far, and in all where it is known, of each thing that is fetched or sent."""
    activity: str = ""
    """What BuildKit says it is about, where it tells no bytes: `extracting`, `pushing layers`."""
    partial: dict[int, bytes] = field(default_factory=dict)
    """The line that each stream is in the middle of."""

    @property
    def is_command(self) -> bool:
        """Whether it runs a program."""
        return self.step.is_command

    @property
    def is_internal(self) -> bool:
        """Whether it is the builder's own business: nothing that anybody asked for."""
        return self.step.name.startswith("[internal]")


@dataclass(eq=False)
class Branch:
    """A function call, or the command line itself, with what was done for it."""

    title: str
    began: float
    ended: float | None = None
    failed: bool = False
    branches: list[Branch] = field(default_factory=list)
    works: dict[str, Work] = field(default_factory=dict)

    def all_works(self) -> Iterator[Work]:
        """Its steps, and those of the functions below."""
        yield from self.works.values()
        for branch in self.branches:
            yield from branch.all_works()


def seconds_between(vertex: dict[str, Any]) -> float:
    """How long a vertex of BuildKit's `rawjson` progress took."""
    begin, end = (
        datetime.fromisoformat(vertex[name][:26].rstrip("Z")) for name in ("started", "completed")
    )
    return (end - begin).total_seconds()

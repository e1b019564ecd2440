"""The run itself: which build comes when."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from .cases import CALL, COLD, WARM, Case, order
from .daemon import Daemon
from .settings import EXAMPLE, Plan
from .sides import Built, Sides


@dataclass(frozen=True)
class Sample:
    """One measured command.

    Attributes:
        case: The case's name.
        round: From 1.
        side: Who was measured.
        seconds: Of the whole process.
        load: The machine's load average over a minute, just before.
    """

    case: str
    round: int
    side: str
    seconds: float
    load: float


@dataclass(frozen=True)
class Due:
    """A command that is about to be measured, to be told before it begins."""

    case: Case
    round: int
    rounds: int
    side: str


@dataclass
class Measuring:
    """Measures one plan on one daemon.

    Attributes:
        daemon: The daemon, prepared.
        plan: How much.
    """

    daemon: Daemon
    plan: Plan
    _digests: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Both sides build on the one daemon."""
        self.sides = Sides(self.daemon.place, self.daemon.address)

    def samples(self) -> Iterator[Due | Sample]:
        """Measure everything: each command is told before it starts, and when it has ended.

        Raises:
            BenchError: If a build fails, or did not take an edit in.
        """
        for number in range(1, self.plan.cold_rounds + 1):
            for side in order(COLD.sides, number):
                yield Due(COLD, number, self.plan.cold_rounds, side)
                self.daemon.fresh()
                yield self._sample(COLD, number, side)
        if not self.plan.rounds:
            return
        if not self.plan.cold_rounds:
            self.daemon.fresh()
        # Unmeasured: what one side's own first build and the first call leave warm.
        for side in COLD.sides:
            self._digests[side] = self.sides.build(side).digests
        self.sides.call()
        for number in range(1, self.plan.rounds + 1):
            yield from self._round(number)

    def _round(self, number: int) -> Iterator[Due | Sample]:
        for case in (*WARM, CALL):
            case.prepare(self.daemon.place.repo, EXAMPLE, number)
            for side in order(case.sides, number):
                yield Due(case, number, self.plan.rounds, side)
                yield self._sample(case, number, side)

    def _sample(self, case: Case, number: int, side: str) -> Sample:
        load = os.getloadavg()[0]
        seconds = self.sides.call() if case is CALL else self._build(case, side).seconds
        return Sample(case.name, number, side, round(seconds, 3), round(load, 2))

    def _build(self, case: Case, side: str) -> Built:
        built = self.sides.build(side)
        if case is not COLD:
            case.check(self._digests[side], built.digests)
        self._digests[side] = built.digests
        return built

"""Samples in, figures out: medians, spreads, paired ratios, and whether a target is met."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from .cases import CASES, DOCKERFILES, SLIPWAY, Case
from .measuring import Sample


@dataclass(frozen=True)
class Spread:
    """The middle and the ends of some figures."""

    median: float
    low: float
    high: float
    count: int


def spread(values: Sequence[float]) -> Spread:
    """Of at least one figure."""
    return Spread(median(values), min(values), max(values), len(values))


@dataclass(frozen=True)
class Row:
    """One case's results.

    Attributes:
        case: The case.
        seconds: Side → its seconds.
        ratio: Slipway's seconds over the Dockerfiles', of each round by itself; None without both.
    """

    case: Case
    seconds: dict[str, Spread]
    ratio: Spread | None

    @property
    def met(self) -> bool | None:
        """Whether the median meets the case's target; None without a target or without a figure."""
        target = self.case.target
        if target is None:
            return None
        figure = self.ratio if target.unit == "x" else self.seconds.get(SLIPWAY)
        return None if figure is None else figure.median <= target.value


def rows(samples: Iterable[Sample]) -> list[Row]:
    """The results of each case that was measured, in the order of the cases."""
    taken = list(samples)
    found = []
    for case in CASES:
        mine = [sample for sample in taken if sample.case == case.name]
        seconds = {
            side: spread(values)
            for side in case.sides
            if (values := [sample.seconds for sample in mine if sample.side == side])
        }
        if seconds:
            found.append(Row(case, seconds, _ratio(mine)))
    return found


def _ratio(samples: Sequence[Sample]) -> Spread | None:
    """Round by round: what slowed the machine down for a while slowed both sides down."""
    by_round = {(sample.round, sample.side): sample.seconds for sample in samples}
    ratios = [
        by_round[number, SLIPWAY] / by_round[number, DOCKERFILES]
        for number, side in by_round
        if side == SLIPWAY and (number, DOCKERFILES) in by_round
    ]
    return spread(ratios) if ratios else None

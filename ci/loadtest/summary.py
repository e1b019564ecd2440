"""From single requests to the figures of a stream. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Sample:
    """One request.

    Attributes:
        stream: The stream that it is of.
        at: When it was sent, seconds since 1970.
        seconds: Until the whole answer was there, or none.
        status: The HTTP status; 0 without an answer.
        release: Which release answered, as the proxy's header says.
        error: Why there was no answer, or what is wrong with it.
    """

    stream: str
    at: float
    seconds: float
    status: int
    release: str = ""
    error: str = ""

    @property
    def failed(self) -> bool:
        """Anything that its user would not have had without the deploy."""
        return bool(self.error) or not 200 <= self.status < 400

    @property
    def ended(self) -> float:
        """When its answer was there."""
        return self.at + self.seconds


@dataclass(frozen=True)
class Figures:
    """One stream in one run, or in all of them.

    Attributes:
        stream: Its name.
        requests: How many were sent.
        failed: How many of them failed.
        rate: How many were sent a second.
        p50: The median of the seconds until the answer.
        p99: 99 of 100 took no longer.
        longest: The longest took.
        reasons: Failure → how often.
    """

    stream: str
    requests: int
    failed: int
    rate: float
    p50: float
    p99: float
    longest: float
    reasons: dict[str, int] = field(default_factory=dict)


def judged(samples: Iterable[Sample], releases: Collection[str]) -> list[Sample]:
    """The requests to one app; failed is also what anything else than its releases answered.

    Args:
        samples: The requests.
        releases: The old release and the new one, as their headers say.
    """
    return [
        sample
        if sample.failed or sample.release in releases
        else replace(sample, error=f"answered by {sample.release or 'no release'}")
        for sample in samples
    ]


def figures(runs: Sequence[Sequence[Sample]]) -> list[Figures]:
    """The figures of each stream, over all of some runs."""
    names = dict.fromkeys(sample.stream for run in runs for sample in run)
    return [
        _figures(name, [[s for s in run if s.stream == name] for run in runs]) for name in names
    ]


def _figures(name: str, runs: Sequence[Sequence[Sample]]) -> Figures:
    every = [sample for run in runs for sample in run]
    took = sorted(sample.seconds for sample in every)
    sending = sum(max(s.at for s in run) - min(s.at for s in run) for run in runs if run)
    failed = [sample for sample in every if sample.failed]
    return Figures(
        stream=name,
        requests=len(every),
        failed=len(failed),
        rate=(len(every) - len(runs)) / sending if sending else 0.0,
        p50=quantile(took, 0.5),
        p99=quantile(took, 0.99),
        longest=took[-1],
        reasons=dict(Counter(f"{s.status} {s.error}".strip() for s in failed)),
    )


def quantile(ordered: Sequence[float], part: float) -> float:
    """The value that so large a part of some values does not exceed, by nearest rank."""
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def handover(samples: Iterable[Sample], new: str) -> tuple[float, float]:
    """When the first request was sent that a release answered, and the last that it did not.

    Args:
        samples: Requests to one app.
        new: The release, as its header says.

    Returns:
        Both as seconds since 1970; between them, both releases served.

    Raises:
        ValueError: The release answered none, or all.
    """
    found = list(samples)
    first = min(sample.at for sample in found if sample.release == new)
    return first, max(sample.at for sample in found if sample.release != new)

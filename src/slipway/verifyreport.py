"""What `verify` prints: the output of failing steps, and the table last."""

from collections.abc import Sequence

from .outcomes import Outcome
from .project import Finding
from .report import seconds, table

# Enough for a handful of failing tests; report.txt has it all.
SHOWN_LINES = 150
_ORDER = ("passed", "failed", "no tests", "blocked")


def render(
    *,
    title: str,
    notes: Sequence[str],
    findings: Sequence[Finding],
    outcomes: Sequence[Outcome],
    took: float,
    lines: int | None = SHOWN_LINES,
) -> str:
    """Put the report together.

    Args:
        title: The project's name.
        notes: What is not checked, and why.
        findings: What was detected; empty when there is a config file.
        outcomes: Every step.
        took: Seconds that the call took.
        lines: How many lines of a failing step's output to show, from its end; None for all.

    Returns:
        Text made for reading.
    """
    blocks = failures(outcomes, lines)
    if findings:
        rows = [(f.what, f.value, f.reason) for f in findings]
        blocks.append("\n".join(["No slipway.toml; detected:", *table(rows)]))
    if notes:
        blocks.append("\n".join(notes))
    blocks.append(f"{title}: {summary(outcomes)} in {seconds(took)}")
    blocks.append("\n".join(result_table(outcomes)))
    return "\n\n".join(blocks)


def summary(outcomes: Sequence[Outcome]) -> str:
    """`9 passed, 1 failed (8 cached)`."""
    counts = [(sum(o.result == result for o in outcomes), result) for result in _ORDER]
    told = (
        ", ".join(f"{count} {result}" for count, result in counts if count) or "nothing to verify"
    )
    cached = sum(o.cached for o in outcomes)
    return f"{told} ({cached} cached)" if cached else told


def result_table(outcomes: Sequence[Outcome]) -> list[str]:
    """App, step, result, seconds, cached or run."""
    rows = [("APP", "STEP", "RESULT", "SECONDS", "HOW")]
    for o in outcomes:
        how = "-" if o.result == "blocked" else "cached" if o.cached else "run"
        taken = "-" if o.result == "blocked" else f"{o.seconds:.1f}"
        rows.append((o.app, o.step, o.result, taken, how))
    return table(rows, indent="") if outcomes else []


def failures(outcomes: Sequence[Outcome], lines: int | None) -> list[str]:
    """What failing steps printed; what blocks steps once, however many it blocks."""
    told = [_failure(o, lines) for o in outcomes if o.result == "failed"]
    blocked: dict[str, list[str]] = {}
    for o in outcomes:
        if o.result == "blocked":
            blocked.setdefault(o.output, []).append(o.name)
    told += [f"{reason}\nThis blocks {', '.join(names)}." for reason, names in blocked.items()]
    return told


def _failure(outcome: Outcome, lines: int | None) -> str:
    found = outcome.output.rstrip().splitlines()
    shown = found if lines is None else found[-lines:]
    cut = len(found) - len(shown)
    why = f": {outcome.reason}" if outcome.reason else f" (exit code {outcome.exit_code})"
    above = [f"({cut} lines above: see `reports`)"] if cut else []
    return "\n".join([f"{outcome.name} failed{why}", *above, *shown])

"""The results as rows of text: for the terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from .cases import DOCKERFILES, SLIPWAY
from .summary import Row, Spread

HEADER = ("case", f"{SLIPWAY}, s", f"{DOCKERFILES}, s", "ratio, x", "target", "")
NOTE = (
    "Median (least to most) seconds of whole processes; the ratio is the median of the rounds' own. "
    "Slipway: `drydock -q call build` of all three images, with its report. "
    "Dockerfiles: three `buildctl build` at once, each ending with a compressed image in the daemon. "
    "Cold: no base image, no layer, no pnpm store; drydock's own Python environment is kept."
)


def cells(row: Row) -> tuple[str, ...]:
    """One row of the table."""
    return (
        row.case.name,
        *(_seconds(row.seconds.get(side)) for side in (SLIPWAY, DOCKERFILES)),
        _figure(row.ratio, 2) if row.ratio else "",
        str(row.case.target or ""),
        {True: "met", False: "missed", None: ""}[row.met],
    )


def _seconds(found: Spread | None) -> str:
    return _figure(found, 1 if found.median >= 10 else 2) if found else ""


def _figure(found: Spread, digits: int) -> str:
    """`4.12 (3.98 to 4.40)`; without the ends where there is one figure."""
    text = f"{found.median:.{digits}f}"
    if found.count == 1:
        return text
    return f"{text} ({found.low:.{digits}f} to {found.high:.{digits}f})"


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    table = Table(*HEADER, box=box.SIMPLE)
    for row in rows:
        table.add_row(*cells(row))
    Console(width=110, highlight=False).print(table)


def markdown(rows: Sequence[Row], facts: str) -> str:
    """The table as a Markdown document.

    Args:
        rows: The results.
        facts: The machine and the versions, as one line.
    """
    lines = [_line(HEADER), _line(("---",) * len(HEADER)), *(_line(cells(row)) for row in rows)]
    return "\n".join([*lines, "", NOTE, "", facts]) + "\n"


def _line(values: Sequence[str]) -> str:
    return f"| {' | '.join(values)} |"

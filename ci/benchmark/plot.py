"""The results as a picture: a panel for each case, both sides beside each other."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from .cases import DOCKERFILES, SIDES, SLIPWAY
from .summary import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {SLIPWAY: "#0072B2", DOCKERFILES: "#E69F00"}
"""Blue and orange of Okabe and Ito's palette, which people tell apart whatever colours they see."""
INK = "#333333"
READING = (
    "Bars: median; whiskers: least and most; dashed: target. Each panel has a scale of its own."
)


def draw(rows: Sequence[Row], file: Path, caption: str) -> None:
    """Write the picture; the file's name tells its format.

    Args:
        rows: The results.
        file: Such as `bench.svg`.
        caption: The machine, below the panels.
    """
    # The same figures give the same bytes: a picture in Git changes only with its content.
    mpl.rcParams.update({"svg.hashsalt": "slipway", "font.size": 9, "text.color": INK})
    figure = Figure(figsize=(2.1 * len(rows), 3.9), layout="constrained", facecolor="white")
    panels = figure.subplots(1, len(rows), squeeze=False)[0]
    for row, panel in zip(rows, panels, strict=True):
        _panel(panel, row)
    panels[0].set_ylabel("seconds")
    figure.suptitle("Building the example: slipway on drydock and hand-written Dockerfiles")
    figure.supxlabel(textwrap.fill(f"{READING} {caption}", 190), fontsize=7)
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)


def _panel(panel: Axes, row: Row) -> None:
    """Bars from zero to the median, error bars from least to most."""
    sides = [side for side in SIDES if side in row.seconds]
    for position, side in enumerate(sides):
        found = row.seconds[side]
        ends = [[found.median - found.low], [found.high - found.median]]
        panel.bar(position, found.median, 0.72, color=COLOURS[side])
        panel.errorbar(position, found.median, ends, fmt="none", ecolor=INK, capsize=4, lw=1)
        panel.annotate(
            f"{found.median:.{1 if found.median >= 10 else 2}f}",
            (position, found.high),
            (0, 4),
            textcoords="offset points",
            ha="center",
        )
    highest = max(found.high for found in row.seconds.values())
    limit = _limit(row)
    if limit is not None:
        panel.axhline(limit, color=INK, ls="--", lw=1)
        highest = max(highest, limit)
    panel.set_ylim(0, highest * 1.16)
    panel.set_xlim(-0.6, max(len(sides), 2) - 0.4)
    panel.set_xticks(range(len(sides)), sides)
    panel.tick_params(length=0)
    panel.spines[["top", "right"]].set_visible(False)
    panel.set_title(_title(row), fontsize=9)


def _limit(row: Row) -> float | None:
    """The case's target in seconds."""
    target = row.case.target
    if target is None:
        return None
    if target.unit == "s":
        return target.value
    return target.value * row.seconds[DOCKERFILES].median if DOCKERFILES in row.seconds else None


def _title(row: Row) -> str:
    """The case, its ratio and its target (the dashed line)."""
    ratio = f"{row.ratio.median:.2f}x" if row.ratio else ""
    target = f"target {row.case.target}" if row.case.target else ""
    return f"{row.case.name}\n{ratio}\n{target}"

"""One cut-over as a picture: every request, when it was sent, how long it took, and which release answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from .summary import Sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Blue and orange of Okabe and Ito's palette, which people tell apart whatever colours they see.
OLD, NEW, FAILED, INK = "#0072B2", "#E69F00", "#D00000", "#333333"


def draw(panels: Mapping[str, Sequence[Sample]], file: Path, caption: str) -> None:
    """Write the picture.

    Args:
        panels: Title → the requests of one app in one run.
        file: Such as `load.svg`.
        caption: What was measured, below.
    """
    mpl.rcParams.update({"svg.hashsalt": "slipway", "font.size": 9, "text.color": INK})
    figure = Figure(figsize=(10, 2.1 * len(panels) + 0.6), layout="constrained", facecolor="white")
    axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    for (title, samples), panel in zip(panels.items(), axes, strict=True):
        _panel(panel, title, samples)
    axes[-1].set_xlabel("seconds since the first request")
    figure.suptitle("A release replaces another: each dot is a request")
    figure.supxlabel(caption, fontsize=7)
    figure.savefig(file, dpi=130, metadata={"Date": None} if file.suffix == ".svg" else None)


def _panel(panel: Axes, title: str, samples: Sequence[Sample]) -> None:
    """Dots on a scale of powers of ten: the usual answer and the one of 2 s both show."""
    began = min(sample.at for sample in samples)
    releases = list(dict.fromkeys(s.release for s in samples if not s.failed))
    kinds = [
        (colour, release, [s for s in samples if s.release == release and not s.failed])
        for colour, release in zip((OLD, NEW), releases, strict=False)
    ]
    failed = [s for s in samples if s.failed]
    for colour, label, found in [*kinds, (FAILED, f"failed: {len(failed)}", failed)]:
        times = [sample.at - began for sample in found]
        took = [sample.seconds * 1000 for sample in found]
        # Thousands of dots: as pixels inside the picture.
        panel.scatter(times, took, s=3, color=colour, label=label, rasterized=True, linewidths=0)
    panel.set_yscale("log")
    panel.set_ylabel("milliseconds")
    panel.set_title(title, fontsize=9, loc="left")
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(loc="upper right", fontsize=7, markerscale=3, frameon=False, ncols=3)

"""The command: deploys again and again under load, tells what it is doing, and keeps what was measured."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from ci.lab.settings import LabError
from slipway.errors import SlipwayError

from .cutover import LAYOUTS, Cutover, Layout, Run
from .progress import Progress
from .summary import Figures, figures

ROOT = Path(__file__).parent.parent.parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it.

    Returns:
        The process's exit code: 0, or 1 where a request failed or was not sent in time, or nothing could be measured.
    """
    try:
        return _main(arguments)
    except (LabError, SlipwayError) as error:
        print(f"load: {error}", file=sys.stderr)
        return 1


def _main(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    layouts = [layout for layout in LAYOUTS if options.layout in (None, layout.name)]
    options.out.mkdir(parents=True, exist_ok=True)
    facts = {
        "date": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime()),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 1),
        "rate": options.rate,
    }
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(_measure(Path(folder), layouts, options.runs, options.rate))
    results = {name: figures([run.samples for run in runs]) for name, runs in found.items()}
    for name, rows in results.items():
        _show(f"{name}, {len(found[name])} runs", rows)
    _write(options.out, facts, found, results)
    wrong = [row for rows in results.values() for row in rows if _wrong(row, options.rate)]
    for row in wrong:
        print(
            f"load: {row.stream}: {row.failed} failed, {row.rate:.1f} sent a second {row.reasons}"
        )
    print(f"written: load.json, load.svg in {options.out}")
    return 1 if wrong else 0


def _wrong(row: Figures, rate: int) -> bool:
    """A request failed, or this machine could not send as many as it was to."""
    return row.failed > 0 or row.rate < 0.95 * rate


async def _measure(
    folder: Path, layouts: Sequence[Layout], runs: int, rate: int
) -> dict[str, list[Run]]:
    results: dict[str, list[Run]] = {}
    progress = Progress(_say)
    for layout in layouts:
        place = folder / layout.name
        place.mkdir()
        with ExitStack() as stack:
            with progress.running(f"{layout.name}, the first release"):
                made = Cutover.ready(place, layout, rate, progress.tell)
                cutover = stack.enter_context(made)
                await cutover.first()
            results[layout.name] = [
                await _run(cutover, number, runs, progress) for number in range(1, runs + 1)
            ]
    return results


async def _run(cutover: Cutover, number: int, runs: int, progress: Progress) -> Run:
    """One deploy under load, and what came of it."""
    title = f"{cutover.layout.name} {number} of {runs}"
    with progress.running(title):
        run = await cutover.run(number)
    failed = sum(sample.failed for sample in run.samples)
    _say(f"{title}: deploy {run.seconds:.1f} s, {len(run.samples)} requests, {failed} failed")
    for row in figures([run.samples]):
        if row.failed:
            _say(f"{row.stream}: {row.reasons}")
    return run


def _say(line: str) -> None:
    print(f"load       {line}", flush=True)


def _write(
    out: Path,
    facts: dict[str, object],
    found: dict[str, list[Run]],
    results: dict[str, list[Figures]],
) -> None:
    content = {
        **facts,
        "layouts": {
            name: {
                "streams": [asdict(row) for row in results[name]],
                "runs": [run.plain() for run in runs],
            }
            for name, runs in found.items()
        },
    }
    (out / "load.json").write_text(json.dumps(content, indent=2) + "\n")
    from . import picture  # noqa: PLC0415 - its library is in the group `bench` alone

    panels = {
        f"{name}, {title}": samples
        for name, runs in found.items()
        for title, samples in runs[-1].by_app().items()
    }
    caption = (
        "The last run of each layout; {rate} requests a second of each kind, {cores} cores, {date}"
    )
    picture.draw(panels, out / "load.svg", caption.format(**facts))


def _show(title: str, rows: Sequence[Figures]) -> None:
    table = Table(
        "stream", "requests", "failed", "per s", "p50 ms", "p99 ms", "longest", box=box.SIMPLE
    )
    for row in rows:
        times = [f"{seconds * 1000:.0f}" for seconds in (row.p50, row.p99, row.longest)]
        table.add_row(row.stream, str(row.requests), str(row.failed), f"{row.rate:.1f}", *times)
    requests, failed = sum(r.requests for r in rows), sum(r.failed for r in rows)
    table.add_row("together", str(requests), str(failed))
    print(title)
    Console(width=110, highlight=False).print(table)


def _parser() -> argparse.ArgumentParser:
    # ci/load has the help.
    parser = argparse.ArgumentParser(prog="ci/load", add_help=False, allow_abbrev=False)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--rate", type=int, default=10)
    parser.add_argument("--layout", choices=[layout.name for layout in LAYOUTS])
    parser.add_argument("--out", type=Path, default=ROOT / "load-results")
    return parser


if __name__ == "__main__":
    sys.exit(main())

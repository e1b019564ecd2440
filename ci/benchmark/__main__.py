"""The command: measures, tells what it is doing, and keeps what was measured."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from . import machine, plot
from .daemon import running
from .measuring import Due, Measuring, Sample
from .results import Results
from .settings import QUICK, ROOT, BenchError, Plan
from .summary import rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        The process's exit code: 0, 1 where something failed, 130 where it was stopped.
    """
    options = _parser().parse_args(arguments)
    # However it is asked to stop, it stops in one way.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _measure(_plan(options), options.out)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _measure(plan: Plan, folder: Path) -> int:
    results, samples = Results(folder, plan, machine.facts()), list[Sample]()
    with running() as daemon:
        try:
            print("bench      preparing a copy of the example and drydock's own set-up", flush=True)
            daemon.prepare()
            for event in Measuring(daemon, plan).samples():
                if isinstance(event, Sample):
                    samples.append(event)
                    results.keep(samples)
                _tell(event)
        except (BenchError, KeyboardInterrupt) as error:
            how = "failed" if isinstance(error, BenchError) else "stopped"
            print(f"\nbench: {how} after {len(samples)} measurements", file=sys.stderr)
            raise
        finally:
            if samples:
                _finish(results, samples)
            print("bench      clearing away", flush=True)
    return 0


def _finish(results: Results, samples: Sequence[Sample]) -> None:
    found, folder = rows(samples), results.folder
    results.finish(found)
    plot.draw(found, folder / "bench.svg", machine.line(results.facts))
    print(f"\nwritten: bench.json, bench.md, bench.svg in {folder}")


def _tell(event: Due | Sample) -> None:
    """One line for each measured command: what it is when it starts, seconds when it ends."""
    if isinstance(event, Sample):
        print(f"{event.seconds:8.2f} s", flush=True)
        return
    turn = f"{event.round} of {event.rounds}"
    print(f"bench      {event.case.name:16} {turn:8} {event.side:12}", end="", flush=True)


def _plan(options: argparse.Namespace) -> Plan:
    base = QUICK if options.quick else Plan()
    return Plan(
        base.rounds if options.rounds is None else options.rounds,
        base.cold_rounds if options.cold_rounds is None else options.cold_rounds,
    )


def _parser() -> argparse.ArgumentParser:
    # ci/bench has the help.
    parser = argparse.ArgumentParser(prog="ci/bench", add_help=False, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=_count)
    parser.add_argument("--cold-rounds", type=_count)
    parser.add_argument("--out", type=Path, default=ROOT / "bench-results")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rounds: give 0 or more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())

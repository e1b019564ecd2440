"""The benchmark's figures: medians, paired ratios, verdicts, tables, and what a stopped run keeps."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ci.benchmark.cases import API, DOCKERFILES, NOTHING, SLIPWAY
from ci.benchmark.measuring import Sample
from ci.benchmark.processes import run
from ci.benchmark.results import Results
from ci.benchmark.settings import BenchError, Plan
from ci.benchmark.summary import Row, Spread, rows, spread
from ci.benchmark.tables import cells, markdown


def samples(case: str, slipway: list[float], dockerfiles: list[float]) -> list[Sample]:
    """One sample of each side for each round, as far as there are any."""
    sides = ((SLIPWAY, slipway), (DOCKERFILES, dockerfiles))
    return [
        Sample(case, number, side, value, load=0.1)
        for side, values in sides
        for number, value in enumerate(values, 1)
    ]


def row(case: str, slipway: list[float], dockerfiles: list[float]) -> Row:
    return rows(samples(case, slipway, dockerfiles))[0]


def test_a_spread_has_the_middle_and_the_ends() -> None:
    """Of an even number of figures, the middle lies between two."""
    assert spread([4, 1, 3, 2]) == Spread(2.5, 1, 4, 4)


def test_ratios_are_taken_round_by_round() -> None:
    """A slow moment of the machine lengthens both builds of a round: 2, 2 and 0.5, not 4/2."""
    found = row(API.name, [4, 20, 2], [2, 10, 4])
    assert found.ratio == Spread(2, 0.5, 2, 3)
    assert found.seconds[SLIPWAY] == Spread(4, 2, 20, 3)


def test_a_round_that_was_cut_off_has_no_ratio() -> None:
    """Its one figure still counts as seconds."""
    found = row(API.name, [1, 7], [2])
    assert found.ratio == Spread(0.5, 0.5, 0.5, 1)
    assert found.seconds[SLIPWAY].count == 2
    assert row(API.name, [1], []).ratio is None


@pytest.mark.parametrize(
    ("case", "slipway", "met"),
    [
        (API.name, [0.6], True),
        (API.name, [0.61], False),
        (NOTHING.name, [2.0], True),
        (NOTHING.name, [2.1], False),
        ("shared edit", [0.1], None),
    ],
)
def test_a_target_is_met_up_to_its_value(case: str, slipway: list[float], met: bool | None) -> None:
    """A ratio of the Dockerfiles' one second, or seconds of slipway alone."""
    assert row(case, slipway, [1.0]).met is met


def test_a_ratio_without_both_sides_is_neither_met_nor_missed() -> None:
    """Nothing is said of what was not measured."""
    assert row(API.name, [0.1], []).met is None


def test_rows_come_in_the_order_of_the_cases_and_only_where_measured() -> None:
    """Whatever was measured first."""
    taken = samples(API.name, [1], [2]) + samples("cold", [1], [2])
    assert [found.case.name for found in rows(taken)] == ["cold", API.name]
    assert rows([]) == []


def test_a_table_row_tells_figures_spread_target_and_verdict() -> None:
    """Hundredths below ten seconds, tenths from there on; no spread of a single figure."""
    assert cells(row(API.name, [4, 5, 9], [10, 20, 12])) == (
        "API edit",
        "5.00 (4.00 to 9.00)",
        "12.0 (10.0 to 20.0)",
        "0.40 (0.25 to 0.75)",
        "≤ 0.6x",
        "met",
    )
    assert cells(row("trivial call", [1.234], [])) == (
        "trivial call",
        "1.23",
        "",
        "",
        "≤ 1 s",
        "missed",
    )


def test_the_markdown_table_has_a_cell_for_each_column() -> None:
    """And ends with the machine."""
    text = markdown(rows(samples("shared edit", [1, 2], [3, 4])), "2 cores.")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {7}
    assert "| shared edit | 1.50 (1.00 to 2.00) |" in table[2]
    assert text.endswith("\n\n2 cores.\n")


def test_raw_figures_are_on_disk_after_each_sample(tmp_path: Path) -> None:
    """So that a run that is stopped loses nothing that was measured."""
    results = Results(tmp_path / "out", Plan(1, 1), {"cores": 2})
    taken = samples(API.name, [1], [2])
    results.keep(taken)
    kept = json.loads((tmp_path / "out" / "bench.json").read_text())
    assert kept["machine"] == {"cores": 2}
    assert [Sample(**one) for one in kept["samples"]] == taken
    assert kept["results"][0]["ratio"]["median"] == 0.5
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["bench.json"]


def test_commands_run_at_once_and_the_longest_counts(tmp_path: Path) -> None:
    """Each waits for what the other writes: one after the other, the first would wait in vain."""
    script = (
        "import pathlib, sys, time\n"
        "pathlib.Path(sys.argv[1]).touch()\n"
        "end = time.monotonic() + 10\n"
        "while not pathlib.Path(sys.argv[2]).exists():\n"
        "    time.sleep(0.01)\n"
        "    if time.monotonic() > end: sys.exit('alone')\n"
        "print(sys.argv[1])"
    )
    python = [sys.executable, "-S", "-c", script]
    log = tmp_path / "log"
    ran = run([[*python, "a", "b"], [*python, "b", "a"]], cwd=tmp_path, environment={}, log=log)
    assert ran.outputs == ("a\n", "b\n")
    assert ran.seconds > 0


def test_a_command_that_fails_is_told_with_the_end_of_what_it_said(tmp_path: Path) -> None:
    """Its exit code, and its last lines on standard error."""
    failing = [sys.executable, "-S", "-c", "import sys; sys.exit('no such image')"]
    with pytest.raises(BenchError, match=r"(?s)ended with 1:.*no such image"):
        run([failing], cwd=tmp_path, environment={}, log=tmp_path / "log")

"""The audit log, read line by line: what is torn or of a later slipway hides nothing else."""

import json

import pytest

from slipway.server.audit import Entry, read

FIRST = Entry("2026-01-02T03:04:05Z", "deploy", "Zoë", "v1.0.0", 1, "done", 61.5)
SECOND = Entry(
    "2026-01-03T03:04:05Z",
    "rollback",
    "job 7",
    "v1.0.0",
    2,
    "start api failed on the server (exit code 1)",
    9.0,
    {"api": "sha256:a1"},
    "https://git.example/jobs/7",
)


def test_what_is_written_is_read_again_oldest_first() -> None:
    """A line each; names as they are."""
    assert "Zoë" in FIRST.line()
    assert FIRST.line().count("\n") == 1
    assert read(FIRST.line() + SECOND.line()) == (FIRST, SECOND)


@pytest.mark.parametrize("part", [1, 20, -3])
def test_a_last_line_that_a_power_cut_tore_is_passed_over(part: int) -> None:
    """What is before it stays."""
    assert read(FIRST.line() + SECOND.line()[:part]) == (FIRST,)


def test_a_torn_line_hides_only_the_one_that_was_written_behind_it() -> None:
    """The next line is whole again."""
    assert read(FIRST.line()[:30] + SECOND.line() + FIRST.line()) == (FIRST,)


def test_what_a_later_slipway_says_more_is_passed_over() -> None:
    """The fields that are known count."""
    told = json.loads(SECOND.line()) | {"format": 2, "commit": {"id": "0a1b"}}
    assert read(json.dumps(told)) == (SECOND,)


def test_what_an_earlier_slipway_did_not_say_is_empty() -> None:
    """Images and job alone can be left out."""
    told = json.loads(SECOND.line())
    del told["images"], told["job"]
    (found,) = read(json.dumps(told))
    assert (found.images, found.job) == ({}, "")
    assert (found.sequence, found.result) == (SECOND.sequence, SECOND.result)


@pytest.mark.parametrize(
    "name", ["time", "what", "who", "release", "sequence", "result", "seconds"]
)
def test_a_line_that_lacks_what_every_entry_has_is_passed_over(name: str) -> None:
    """It tells nothing that could be shown."""
    told = json.loads(FIRST.line())
    del told[name]
    assert read(json.dumps(told) + "\n" + SECOND.line()) == (SECOND,)


@pytest.mark.parametrize("line", ["", "null", "7", "[]", '"time"', "{}", "no JSON", "\0\0\0\0"])
def test_a_line_that_is_no_entry_is_passed_over(line: str) -> None:
    """Also the zeros that some file systems leave after a power cut."""
    assert read(f"{line}\n{FIRST.line()}") == (FIRST,)


def test_an_empty_log_has_no_entry() -> None:
    """Nothing was deployed yet."""
    assert read("") == read("\n") == ()

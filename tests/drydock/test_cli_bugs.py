"""A bug of drydock itself is one line, never a traceback that nobody asked for."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from drydock import cli


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where tracebacks go; the command line's own part fails."""

    def broken(_arguments: list[str]) -> NoReturn:
        raise KeyError("nobody expected it")

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(cli, "dispatch", broken)
    return tmp_path / "drydock"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    """Run drydock in this process; returns its exit code."""
    monkeypatch.setattr("sys.argv", ["drydock", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def test_a_bug_is_told_in_one_line_and_kept(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For its owner's eyes only, once however often it happens."""
    assert (run(monkeypatch, "call"), run(monkeypatch, "call")) == (1, 1)
    (file,) = (state / "bugs").iterdir()
    told = (
        "Error: drydock failed: KeyError: 'nobody expected it'. This is a bug of drydock, not of "
        f"your module; the traceback is in {file}\n"
    )
    assert capsys.readouterr().err == told * 2
    assert "in broken\n" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_traceback_is_there_for_who_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With -v."""
    run(monkeypatch, "call", "-v")
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_bug_is_told_where_nothing_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk, a folder of somebody else's."""
    (tmp_path / "drydock").write_text("in the way")
    assert run(monkeypatch, "call") == 1
    assert "cannot be kept (File exists), see it with --verbose" in capsys.readouterr().err


@pytest.mark.parametrize("redirected", [">/dev/full", ">&-", ">&- 2>&-", "</dev/null 2>&-"])
def test_streams_that_take_nothing_are_no_bug(redirected: str) -> None:
    """A full disk is said in one line; a closed stream is nobody's business."""
    command = [f"{Path(sys.executable).with_name('drydock')} version {redirected}; echo $?"]
    done = subprocess.run(["sh", "-c", *command], capture_output=True, text=True, check=True)
    if redirected == ">/dev/full":
        assert done.stderr == "Error: No space left on device\n"
    else:
        assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == ("1" if redirected == ">/dev/full" else "0")


def test_an_argument_that_is_no_text_is_refused() -> None:
    """The API takes UTF-8 only."""
    drydock = Path(sys.executable).with_name("drydock")
    command: list[str | bytes] = [str(drydock), "call", b"\xff"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "Error: this argument is not UTF-8: b'\\xff'\n")

"""Other programs: found or named as missing, run with a log, their last words shown on failure."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from .settings import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

TAIL = 15  # lines of a log that a failure shows
WIDTH = 300  # characters of each


def require(*programs: str) -> None:
    """Check that programs are there.

    Args:
        programs: names on PATH, which are also the names of their Debian packages.

    Raises:
        LabError: some are not; says how to install them all.
    """
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        names = " ".join(missing)
        raise LabError(f"not installed: {names}. Run: apt-get install {names}")


def output(*command: str, cwd: str | None = None) -> str:
    """Standard output of a command that must succeed.

    Raises:
        LabError: it failed; with what it said.
    """
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd)
    if done.returncode != 0:
        raise LabError(f"{shlex.join(command)} failed:\n{tail(done.stderr)}")
    return done.stdout


def logged(command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
    """Run a command whose output goes to a log.

    Args:
        command: program and arguments.
        log: the file to append to.
        env: its whole environment; None for this process's own.

    Raises:
        LabError: it failed; with the end of its log.
    """
    with streamed(command, log, env) as stdout, log.open("ab") as file:
        shutil.copyfileobj(stdout, file)


@contextmanager
def streamed(
    command: Sequence[str], log: Path, env: Mapping[str, str] | None = None
) -> Iterator[IO[bytes]]:
    """Run a command and read what it makes; what it says goes to a log.

    Args:
        command: program and arguments.
        log: the file to append standard error to.
        env: its whole environment; None for this process's own.

    Yields:
        The command's standard output.

    Raises:
        LabError: it failed; with the end of its log.
    """
    with log.open("ab") as file:
        file.write(f"$ {shlex.join(command)}\n".encode())
        file.flush()
        # However this process ends, the command ends with it.
        bound = ["setpriv", "--pdeathsig", "TERM", *command]
        with subprocess.Popen(bound, stdout=subprocess.PIPE, stderr=file, env=env) as process:
            assert process.stdout is not None  # noqa: S101  for the type checker: it is a pipe
            try:
                yield process.stdout
            except BaseException:
                process.terminate()
                raise
    if process.returncode != 0:
        said = tail(log.read_text(encoding="utf-8", errors="replace"))
        raise LabError(f"{command[0]} failed ({process.returncode}); the end of {log}:\n{said}")


def tail(text: str) -> str:
    """The last lines of a log, indented."""
    return "\n".join(f"    {line[:WIDTH]}" for line in text.strip().splitlines()[-TAIL:])

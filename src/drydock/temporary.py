"""What must not outlive this process, however it ends: temporary folders, and processes that it started."""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# Reads what there is to clear, one line each, until this process is gone and its end of the pipe with it. What is
# being removed may still be written to for a moment: hence the second time.
_SWEEPER = """
while IFS= read -r line; do set -- "$@" "$line"; done
sweep() {
  left=
  for line; do
    case $line in
      group:*) kill -9 -- "-${line#group:}" 2>/dev/null ;;
      *) [ ! -e "$line" ] || { left=yes; rm -rf -- "$line"; } ;;
    esac
  done
}
sweep "$@"
[ -z "$left" ] || { sleep 1; sweep "$@"; }
"""
# Ends what runs under it when this process does, even by SIGKILL; whatever it was doing is cancelled by that.
BOUND = ["setpriv", "--pdeathsig", "KILL"]
"""Put before a command line (setpriv(1)); the process must be started by the main thread, which lasts longest."""


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder that only this user can read."""
    path = Path(tempfile.mkdtemp(dir=_root()))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def folder_in(parent: Path, prefix: str) -> Iterator[Path]:
    """A temporary folder on the same disk as what it will be moved to."""
    path = make(prefix, parent)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def make(prefix: str, parent: Path | None = None) -> Path:
    """A new folder that only this user can read, removed if this process leaves it behind.

    Args:
        prefix: What its name begins with.
        parent: Where it is made; None for the folder of temporary files.
    """
    base = (parent or Path(tempfile.gettempdir())).absolute()
    path = base / f"{prefix}{secrets.token_hex(8)}"
    if "\n" not in str(path):
        _tell(str(path))  # first: there is no moment in which it is there and nobody knows
    path.mkdir(mode=0o700)
    return path


def end_later(group: int) -> None:
    """Have a process group killed if this process leaves it behind."""
    _tell(f"group:{group}")


def signalled(pid: int, number: signal.Signals) -> None:
    """Send a signal to a program that may have ended meanwhile.

    Not `Process.send_signal`: where the program has just ended it takes the exit code away from asyncio, which then
    prints a warning and makes it 255 (Python 3.11).
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


@cache
def _root() -> Path:
    path = make("drydock-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def _tell(line: str) -> None:
    # Without it, by the hand of somebody who ends processes by name, nothing is swept; no reason to fail.
    with contextlib.suppress(BrokenPipeError):
        os.write(_sweeper(), f"{line}\n".encode())


@cache
def _sweeper() -> int:
    """The pipe to a shell that waits for the end of this process."""
    ours_to_read, ours_to_write = os.pipe()
    os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", _SWEEPER, "drydock-sweeper"],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, ours_to_read, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ],
        setsid=True,
    )
    os.close(ours_to_read)
    return ours_to_write

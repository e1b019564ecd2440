"""The BuildKit daemon: the one that BUILDKIT_HOST names, else one of drydock's own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from drydock import daemonprocess, paths, rootless
from drydock.daemonconfig import CACHE_LIMIT
from drydock.errors import DrydockError

LOCKED_WITHIN = 180
"""Seconds for another command to start or stop the daemon: longer than both take together."""
ASKED_WITHIN = 60
"""Seconds for the daemon to answer a question about itself."""
_SIZE = re.compile(r"([\d.]+)([kKMGT]?B)")


@dataclass(frozen=True)
class State:
    """What is known of the daemon."""

    address: str
    answers: bool
    own: bool
    detail: str = ""
    """Why it does not answer."""


def address() -> str:
    """Where the daemon is, whether it runs or not."""
    return os.environ.get("BUILDKIT_HOST") or f"unix://{daemonprocess.socket_path()}"


def is_own() -> bool:
    """Whether it is drydock that starts and stops it."""
    return not os.environ.get("BUILDKIT_HOST")


def status() -> State:
    """Whether the daemon answers.

    Raises:
        DrydockError: If there is no `buildctl` to ask with.
    """
    own = is_own()
    if own and daemonprocess.listener() is None:
        return State(address(), answers=False, own=True, detail=_why_not())
    done = _buildctl("debug", "workers")
    if done.returncode == 0:
        return State(address(), answers=True, own=own)
    return State(address(), answers=False, own=own, detail=_last_line(done.stderr))


def _why_not() -> str:
    if not (daemonprocess.run_folder() / "pid").exists():
        return "not started; 'drydock up' starts it"
    if daemonprocess.pid() is not None:
        return "its process runs, but does not listen; 'drydock up' starts it anew"
    return f"it has ended by itself; 'drydock up' starts it again; {daemonprocess.log_end()}"


def ensure() -> State:
    """The daemon as it runs, whatever its configuration; started where none runs.

    Raises:
        DrydockError: As `up` does.
    """
    if not is_own():
        return _named()
    if daemonprocess.listener() is None:
        with _locked():
            if daemonprocess.listener() is None:
                _start()
    return State(address(), answers=True, own=True)


def up() -> State:
    """Start the daemon if it does not run, restart it if its configuration has changed.

    Returns:
        The state, once it answers.

    Raises:
        DrydockError: If BUILDKIT_HOST does not answer, or no daemon can be started.
    """
    if not is_own():
        return _named()
    with _locked():
        if daemonprocess.listener() is None or _is_changed() or not status().answers:
            _start()
        return status()


def down() -> bool:
    """Stop the daemon that drydock started; returns whether there was one.

    Raises:
        DrydockError: If BUILDKIT_HOST names the daemon: it is not drydock's to stop.
    """
    if not is_own():
        raise DrydockError(
            f"BUILDKIT_HOST={address()} names a daemon that drydock did not start, and does not stop. Unset "
            "BUILDKIT_HOST to stop drydock's own."
        )
    with _locked():
        return daemonprocess.stop()


def described() -> list[str]:
    """What there is to say of a daemon that answers, one line each: what it is, since when, cache, config."""
    version = re.search(r"v\d\S*", _buildctl("debug", "info").stdout)
    lines = [f"version  {version[0] if version else 'unknown'}", f"cache    {_cache()}"]
    if not is_own():
        return ["daemon   of BUILDKIT_HOST: never started or stopped by drydock", *lines]
    kind = f"rootless, as user {rootless.user()}" if daemonprocess.is_rootless() else "as root"
    started = (daemonprocess.run_folder() / "pid").stat().st_mtime
    return [
        f"daemon   drydock's own, {kind}, up {_duration(time.time() - started)}",
        *lines,
        f"config   {_config()}",
        f"log      {daemonprocess.log()}",
    ]


def _named() -> State:
    state = status()
    if not state.answers:
        raise DrydockError(
            f"BUILDKIT_HOST={state.address} does not answer: {state.detail}. Start that daemon, or unset "
            "BUILDKIT_HOST to let drydock start its own."
        )
    return state


def _start() -> None:
    daemonprocess.check_needs()
    config = daemonprocess.config()
    paths.remember_config()
    daemonprocess.stop()
    daemonprocess.start(config)


def _cache() -> str:
    total = _SIZE.search(_buildctl("du").stdout.rpartition("Total:")[2])
    size = " ".join(total.groups()) if total else "empty"
    if not is_own():
        return size
    limit = " ".join(_SIZE.fullmatch(CACHE_LIMIT).groups())  # type: ignore[union-attr]
    return f"{size} of at most {limit}, in {paths.data() / 'buildkit'}"


def _config() -> str:
    path = paths.config()
    shown = str(path) if path.exists() else f"none ({path} is not there)"
    try:
        changed = _is_changed()
    except DrydockError as error:
        return f"{shown}; changed since, and wrong now: {error}"
    return f"{shown}; changed since: 'drydock up' applies it" if changed else shown


def _is_changed() -> bool:
    return daemonprocess.written_key() != daemonprocess.config().key


def _duration(seconds: float) -> str:
    minutes = int(seconds) // 60
    if minutes < 1:
        return f"{int(seconds)} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _buildctl(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(paths.binary("buildctl")), "--addr", address(), "--timeout", "5", *arguments]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=ASKED_WITHIN
        )
    except subprocess.TimeoutExpired:
        silent = f"it takes connections and has not answered for {ASKED_WITHIN} s"
        return subprocess.CompletedProcess(command, 1, "", silent)


def _last_line(text: str) -> str:
    """The reason at the end of what buildctl says, without what it says of its own steps."""
    line = (text.strip().splitlines() or [""])[-1]
    return line.rpartition("desc = ")[2].strip('"') or "no reason given"


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    # Two commands at once start one daemon.
    path = paths.private(daemonprocess.run_folder()) / "lock"
    with path.open("a+") as file:
        deadline = time.monotonic() + LOCKED_WITHIN
        while not _taken(file):
            if time.monotonic() > deadline:
                raise DrydockError(
                    f"another drydock ({_holder(path)}) has been starting or stopping the daemon for more than "
                    f"{LOCKED_WITHIN} s. End that process, and run this again"
                )
            time.sleep(0.02)
        file.truncate(0)
        print(os.getpid(), file=file, flush=True)
        yield


def _taken(file: TextIO) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _holder(path: Path) -> str:
    """Who has the lock, as it wrote there itself."""
    number = path.read_text().strip()
    return f"process {number}" if number else "which has not told its number"

"""The BuildKit daemon: the one that BUILDKIT_HOST names, else one of drydock's own."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drydock import paths
from drydock.daemonconfig import bridge_network, buildkitd_config, load
from drydock.errors import DrydockError

START_WITHIN = 60
"""Seconds for buildkitd to answer; opening a large state folder takes some."""
STOP_WITHIN = 30
CNI_FOLDERS = ("/usr/lib/cni", "/opt/cni/bin")
# What a step prints is what `stdout` returns on a failure: never cut by the daemon.
LOG_LIMITS = {"BUILDKIT_STEP_LOG_MAX_SIZE": "-1", "BUILDKIT_STEP_LOG_MAX_SPEED": "-1"}


@dataclass(frozen=True)
class State:
    """What is known of the daemon."""

    address: str
    answers: bool
    own: bool
    detail: str = ""


def _run_folder() -> Path:
    return paths.state() / "run"


def _network() -> tuple[str, str]:
    """Name of the bridge and its subnet; two daemons of one machine, each with its state, have two."""
    number = int(hashlib.sha256(str(_run_folder()).encode()).hexdigest()[:8], 16)
    return f"drydock{number:08x}"[:15], f"10.87.{number % 64 * 4}.0/22"


def address() -> str:
    """Where the daemon is, whether it runs or not."""
    return os.environ.get("BUILDKIT_HOST") or f"unix://{_run_folder() / 'buildkitd.sock'}"


def status() -> State:
    """Whether the daemon answers."""
    own = "BUILDKIT_HOST" not in os.environ
    command = [
        str(paths.binary("buildctl")),
        "--addr",
        address(),
        "--timeout",
        "5",
        "debug",
        "workers",
    ]
    if own and not (_run_folder() / "buildkitd.sock").exists():
        return State(address(), answers=False, own=True, detail="not started")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return State(address(), done.returncode == 0, own, done.stderr.strip())


def ensure() -> State:
    """The daemon as it runs, whatever its configuration; started where none runs.

    Raises:
        DrydockError: As `up` does.
    """
    if "BUILDKIT_HOST" not in os.environ and _listens(_run_folder() / "buildkitd.sock"):
        return State(address(), answers=True, own=True)
    state = status()
    return state if state.answers else up()


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def up() -> State:
    """Start the daemon if it does not run, restart it if its configuration has changed.

    Returns:
        The state, once it answers.

    Raises:
        DrydockError: If BUILDKIT_HOST does not answer, or no daemon can be started.
    """
    if "BUILDKIT_HOST" in os.environ:
        state = status()
        if not state.answers:
            raise DrydockError(
                f"BUILDKIT_HOST={state.address} does not answer: {state.detail}. Start that daemon, or unset "
                "BUILDKIT_HOST to let drydock start its own."
            )
        return state
    with _locked():
        paths.remember_config()
        config = _write_config()
        if _pid() is not None and _current() == config.key:
            state = status()
            if state.answers:
                return state
        _stop()
        _start(config)
        return status()


def down() -> bool:
    """Stop the daemon that drydock started; returns whether there was one."""
    with _locked():
        return _stop()


# -- starting --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Config:
    path: Path
    key: str


def _write_config() -> _Config:
    if os.geteuid() != 0:
        raise DrydockError(
            "drydock starts BuildKit as root only. Run as root, or start a rootless buildkitd and set BUILDKIT_HOST "
            "to its address."
        )
    run, plugins = paths.private(_run_folder()), _cni_plugins()
    network = run / "network.conflist"
    bridge, subnet = _network()
    network.write_text(json.dumps(bridge_network(bridge, subnet, str(run / "addresses")), indent=1))
    text = buildkitd_config(
        load(paths.config()),
        root=str(paths.data() / "buildkit"),
        socket=str(run / "buildkitd.sock"),
        cni=(str(plugins), str(network)) if plugins else None,
    )
    path = run / "buildkitd.toml"
    path.write_text(text)
    key = hashlib.sha256(
        (text + network.read_text() + str(paths.binary("buildkitd"))).encode()
    ).hexdigest()
    return _Config(path, key)


def _cni_plugins() -> Path | None:
    return next((Path(f) for f in CNI_FOLDERS if (Path(f) / "bridge").exists()), None)


def _start(config: _Config) -> None:
    missing = [name for name in ("runc", "iptables") if not shutil.which(name)]
    if _cni_plugins() is None:
        missing.append("containernetworking-plugins")
    if missing:
        raise DrydockError(
            f"buildkitd needs {', '.join(missing)}. On Debian: apt-get install {' '.join(missing)}"
        )
    log, program = _run_folder() / "buildkitd.log", str(paths.binary("buildkitd"))
    # Not a subprocess.Popen: the daemon outlives this command, and has nobody to wait for it.
    pid = os.posix_spawn(
        program,
        [program, "--config", str(config.path)],
        {**os.environ, **LOG_LIMITS},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    (_run_folder() / "pid").write_text(str(pid))
    (_run_folder() / "config.key").write_text(config.key)
    deadline = time.monotonic() + START_WITHIN
    while not status().answers:
        ended, _status = os.waitpid(pid, os.WNOHANG)
        if ended or time.monotonic() > deadline:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
            _stop()
            raise DrydockError(f"buildkitd did not start; its log {log} ends with:\n{tail}")
        time.sleep(0.05)


def _stop() -> bool:
    pid = _pid()
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN
        while _pid() is not None:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)  # ours, when this very process started it
    for name in ("pid", "config.key", "buildkitd.sock"):
        (_run_folder() / name).unlink(missing_ok=True)
    if pid is not None and shutil.which("ip"):
        subprocess.run(["ip", "link", "delete", _network()[0]], capture_output=True, check=False)
    return pid is not None


def _pid() -> int | None:
    """The process that drydock started, if it still is that."""
    try:
        pid = int((_run_folder() / "pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if str(_run_folder() / "buildkitd.toml").encode() in command else None


def _current() -> str:
    with contextlib.suppress(OSError):
        return (_run_folder() / "config.key").read_text()
    return ""


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    # Two commands at once start one daemon.
    with (paths.private(_run_folder()) / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

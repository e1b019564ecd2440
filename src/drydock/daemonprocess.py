"""The process of drydock's own daemon: what it needs, how it is started, found again and stopped."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from drydock import firewall, paths, rootless, subnets
from drydock.daemonconfig import bridge_network, buildkitd_config, load
from drydock.errors import DrydockError

START_WITHIN = 60
"""Seconds for buildkitd to answer; opening a large state folder takes some."""
STOP_WITHIN = 30
"""Seconds for buildkitd to end by itself."""
CONNECTED_WITHIN = 5
"""Seconds for buildkitd to take a connection."""
KILL_WITHIN = 15
"""Seconds for a killed buildkitd to be gone, with the namespaces that end with it."""
CNI_FOLDERS = ("/usr/lib/cni", "/opt/cni/bin")
SOCKET_PATH_LIMIT = 107
"""Bytes of a socket's path (unix(7)); rootlesskit's and buildkitd's own lie beside each other."""
# What a step prints is what `stdout` returns on a failure: never cut by the daemon.
LOG_LIMITS = {"BUILDKIT_STEP_LOG_MAX_SIZE": "-1", "BUILDKIT_STEP_LOG_MAX_SPEED": "-1"}
# The daemon's mounts and processes are in namespaces of its own, and end with it, however it ends.
CONTAINED = ["unshare", "--mount", "--propagation=slave", "--pid", "--fork", "--kill-child"]


@dataclass(frozen=True)
class Config:
    """The daemon's configuration, made from the user's."""

    buildkitd: str
    network: str

    @property
    def key(self) -> str:
        """Changes with the configuration, and with how the daemon is run."""
        parts = [self.buildkitd, self.network, *_command()]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def write(self) -> None:
        """Write the files that buildkitd reads."""
        _config_path().write_text(self.buildkitd)
        _network_path().write_text(self.network)


def run_folder() -> Path:
    """Where the daemon's socket, log and configuration are."""
    return paths.state() / "run"


def socket_path() -> Path:
    """Where the daemon listens."""
    return run_folder() / "buildkitd.sock"


def rootlesskit_folder() -> Path:
    """Where the program that runs a rootless daemon keeps its state."""
    return run_folder() / "rootlesskit"


def is_rootless() -> bool:
    """Whether the daemon has to do without root's rights."""
    return os.geteuid() != 0


# -- configuration -----------------------------------------------------------------------------------------------------


def config() -> Config:
    """The configuration that a daemon started now would have.

    Raises:
        DrydockError: If the user's is wrong.
    """
    run, source = paths.private(run_folder()), paths.config()
    if os.environ.get("DRYDOCK_CONFIG") and not source.exists():
        raise DrydockError(f"DRYDOCK_CONFIG names {source}, which is not there")
    bridge, subnet = _network()
    return Config(
        buildkitd_config(
            load(source),
            root=str(paths.data() / "buildkit"),
            run=str(run),
            cni=(str(_cni_plugins()), str(_network_path())),
            nameserver=rootless.NAMESERVER if is_rootless() else "",
        ),
        json.dumps(bridge_network(bridge, subnet, str(run / "addresses")), indent=1),
    )


def written_key() -> str:
    """Key of the configuration that the daemon was started with."""
    with contextlib.suppress(OSError):
        return (run_folder() / "config.key").read_text()
    return ""


def _config_path() -> Path:
    return run_folder() / "buildkitd.toml"


def _network_path() -> Path:
    return run_folder() / "network.conflist"


def _network() -> tuple[str, str]:
    """Name of the bridge and its subnet; two daemons of one machine, each with its state, have two."""
    number = int(hashlib.sha256(str(run_folder()).encode()).hexdigest()[:8], 16)
    bridge = f"drydock{number:08x}"[:15]
    return bridge, subnets.choose(bridge, number, subnets.routes())


def _cni_plugins() -> Path:
    found = [Path(folder) for folder in CNI_FOLDERS if (Path(folder) / "bridge").exists()]
    return found[0] if found else Path(CNI_FOLDERS[0])


def _command() -> list[str]:
    buildkitd = [str(paths.binary("buildkitd")), "--config", str(_config_path())]
    if is_rootless():
        return [*rootless.command(rootlesskit_folder()), *buildkitd, "--rootless"]
    return [str(paths.which(CONTAINED[0])), *CONTAINED[1:], "--mount-proc", *buildkitd]


# -- needs -------------------------------------------------------------------------------------------------------------


def check_needs() -> None:
    """See that everything is there that a daemon of this user needs.

    Raises:
        DrydockError: With everything that is missing, and what to do about it.
    """
    wanted = {"runc": "runc", "iptables": "iptables"}
    if is_rootless():
        wanted |= {"newuidmap": "uidmap", "slirp4netns": "slirp4netns"}
    missing = [package for program, package in wanted.items() if not paths.which(program)]
    if not (_cni_plugins() / "bridge").exists():
        missing.append("containernetworking-plugins")
    programs = ["buildkitd", "buildctl", *(["rootlesskit"] if is_rootless() else [])]
    problems = []
    if unbuilt := [program for program in programs if not paths.found(program)]:
        problems.append(
            f"{', '.join(unbuilt)}: not on PATH and not in {paths.data() / 'bin'}. Run ci/setup in slipway's "
            "repository, which builds them, or install BuildKit's release"
        )
    if missing:
        problems.append(
            f"missing: {', '.join(missing)}. On Debian, as root: apt-get install {' '.join(missing)}"
        )
    if is_rootless():
        problems += rootless.problems()
    if len(str(rootlesskit_folder() / "api.sock")) > SOCKET_PATH_LIMIT:
        problems.append(
            f"the path {run_folder()} is too long for a socket: set XDG_STATE_HOME to a shorter one"
        )
    if problems:
        how = f"without root, as user {rootless.user()}" if is_rootless() else "as root"
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise DrydockError(
            f"no BuildKit daemon runs, and none can be started here ({how}):\n{listed}\n"
            "Or set BUILDKIT_HOST to the address of a daemon that runs elsewhere."
        )


# -- life --------------------------------------------------------------------------------------------------------------


def start(config: Config) -> None:
    """Start the daemon and wait until it listens.

    Raises:
        DrydockError: If it ends, or does not listen in time; with the end of its log.
    """
    run, command = run_folder(), _command()
    config.write()
    environment = {
        **os.environ,
        **LOG_LIMITS,
        "PATH": f"{os.environ.get('PATH', os.defpath)}:{paths.SBIN}",
        # BuildKit forgets temporary folders of what is canceled; here they go when it is stopped.
        "TMPDIR": str(paths.private(run / "tmp")),
    }
    # runc would keep its containers' state there, where it outlives them.
    environment.pop("XDG_RUNTIME_DIR", None)
    # Not a subprocess.Popen: the daemon outlives this command, and has nobody to wait for it.
    pid = os.posix_spawn(
        command[0],
        command,
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log()), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    (run / "pid").write_text(str(pid))
    (run / "config.key").write_text(config.key)
    deadline = time.monotonic() + START_WITHIN
    while listener() is None:
        ended, _status = os.waitpid(pid, os.WNOHANG)
        if ended or time.monotonic() > deadline:
            stop()
            raise DrydockError(f"buildkitd did not start; {log_end()}")
        time.sleep(0.02)


def log() -> Path:
    """What the daemon prints."""
    return run_folder() / "buildkitd.log"


def log_end() -> str:
    """The last lines of the daemon's log, with where it is."""
    lines = log().read_text(errors="replace").splitlines() if log().exists() else []
    # A panic or an error of BuildKit comes with the stack: calls, and the places in its source.
    stack = ("\t", "github.com/", "runtime.")
    told = [line for line in lines if line.strip() and not line.startswith(stack)]
    return f"its log {log()} ends with:\n" + "\n".join(f"  {line}" for line in told[-6:])


def stop() -> bool:
    """Stop the daemon and all that is in it; returns whether there was one.

    Raises:
        DrydockError: If it does not even end when it is killed.
    """
    asked = listener()
    found = [number for number in {pid(), asked} if number is not None]
    _signal([asked] if asked else [], signal.SIGTERM)
    # One that does not listen is past asking.
    deadline = time.monotonic() + (STOP_WITHIN if asked else 0)
    while running := [number for number in found if _is_daemon(number)]:
        if time.monotonic() > deadline + KILL_WITHIN:
            raise DrydockError(
                f"buildkitd (process {running[0]}) was killed and does not end: the kernel waits, for a disk or a "
                f"network mount as a rule. {log_end()}"
            )
        if time.monotonic() > deadline:
            _signal(running, signal.SIGKILL)
        time.sleep(0.02)
        for number in running:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(number, os.WNOHANG)  # ours, when this very process started it
    for name in ("pid", "config.key", "buildkitd.sock", "otel.sock"):
        (run_folder() / name).unlink(missing_ok=True)
    for folder in (run_folder() / "tmp", run_folder() / "addresses", rootlesskit_folder()):
        shutil.rmtree(folder, ignore_errors=True)
    if not is_rootless():
        _remove_network()
    return bool(found)


def _remove_network() -> None:
    bridge, subnet = _network()
    if ip := paths.which("ip"):
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                [ip, "link", "delete", bridge],
                capture_output=True,
                check=False,
                timeout=firewall.ENDED_WITHIN,
            )
    firewall.forget(subnet)


def _signal(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


def pid() -> int | None:
    """The process that holds the daemon: the one that was started, if it still is that; else who listens."""
    with contextlib.suppress(OSError, ValueError):
        started = int((run_folder() / "pid").read_text())
        if _is_daemon(started):
            return started
    return listener()


def _is_daemon(process: int) -> bool:
    try:
        return str(_config_path()).encode() in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def listener() -> int | None:
    """The process that listens at the daemon's socket."""
    with socket.socket(socket.AF_UNIX) as client:
        # A full queue of connections is no listener either.
        client.settimeout(CONNECTED_WITHIN)
        if client.connect_ex(str(socket_path())) != 0:
            return None
        peer = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        process: int = struct.unpack("3i", peer)[0]
        return process

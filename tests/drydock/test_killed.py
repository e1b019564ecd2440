"""Whatever a session was doing when it was killed: nothing of it stays."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drydock import environment, firewall, paths, source

pytestmark = [pytest.mark.engine, pytest.mark.slow]

GREETER = Path(__file__).parent / "fixtures" / "greeter"
DRYDOCK = Path(sys.executable).with_name("drydock")
GONE_WITHIN = 8
"""Seconds in which everything has to be gone; it is one or two on a quiet machine."""
# A client without the SDK, whose import would take longer than all the rest.
CLIENT = """
import base64, json, os, sys, time, urllib.request
token = base64.b64encode((os.environ["DAGGER_SESSION_TOKEN"] + ":").encode()).decode()
request = urllib.request.Request(
    f"http://127.0.0.1:{os.environ['DAGGER_SESSION_PORT']}/query",
    json.dumps({"query": sys.argv[1]}).encode(),
    {"Authorization": f"Basic {token}", "Content-Type": "application/json"},
)
print(urllib.request.urlopen(request).read().decode(), flush=True)
time.sleep(600)
"""
BASE = 'container { from(address: "debian:bookworm-slim")'


@dataclass
class Place:
    """A daemon of the test's own, and folders that hold nothing else."""

    root: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the folders."""
        for name in ("tmp", "cwd", "cache/drydock"):
            (self.root / name).mkdir(parents=True)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Run drydock, without waiting."""
        with (self.root / "stderr").open("ab") as stderr:
            process = subprocess.Popen(
                # As from a terminal: what runs in the background of a script would ignore Ctrl-C.
                ["env", "--default-signal=INT,HUP", str(DRYDOCK), *arguments],
                cwd=self.root / "cwd",
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        self.started.append(process)
        return process

    def query(self, query: str) -> subprocess.Popen[bytes]:
        """Run a client that asks one thing and then waits."""
        return self.start("run", "--", sys.executable, "-c", CLIENT, f"{{ {query} }}")

    def environment(self) -> dict[str, str]:
        """Variables by which everything is in this place."""
        config = paths.config()
        return {
            **{name: value for name, value in os.environ.items() if name != "BUILDKIT_HOST"},
            "PATH": f"{os.environ['PATH']}:{paths.data() / 'bin'}",
            "XDG_STATE_HOME": str(self.root / "state"),
            "XDG_DATA_HOME": str(self.root / "data"),
            "XDG_CACHE_HOME": str(self.root / "cache"),
            "TMPDIR": str(self.root / "tmp"),
            **({"DRYDOCK_CONFIG": str(config)} if config.exists() else {}),
        }

    def appears(self, what: Callable[[], object], within: float = 40) -> None:
        """Wait until something is there."""
        deadline = time.monotonic() + within
        while not what():
            assert time.monotonic() < deadline, (self.root / "stderr").read_text()
            time.sleep(0.01)

    # -- what there is of it -------------------------------------------------------------------------------------------

    def processes(self) -> dict[int, str]:
        """Command lines by process, of all that was started from this place, and of the containers."""
        own, inside = str(self.root).encode(), self.containers()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                command = (folder / "cmdline").read_text().replace("\0", " ")
                number = int(folder.name)
                ours = own in (folder / "environ").read_bytes() or number in inside
                # A rootless daemon has helpers of its own.
                of_daemon = "buildkitd.toml" in command or "/run/rootlesskit/" in command
                if command and ours and not of_daemon:
                    found[number] = command
        return found

    def runs(self, text: str) -> Callable[[], bool]:
        """Whether a container runs a command that contains a text."""

        def found() -> bool:
            inside = self.containers()
            return any(n in inside and text in command for n, command in self.processes().items())

        return found

    def containers(self) -> set[int]:
        """Processes below the daemon."""
        found, pending = set[int](), [self.daemon()]
        while pending:
            number = pending.pop()
            with contextlib.suppress(OSError):
                listed = Path(f"/proc/{number}/task").glob("*/children")
                below = [int(child) for file in listed for child in file.read_text().split()]
                found.update(below)
                pending += below
        return found

    def daemon(self) -> int:
        """The daemon's first process."""
        return int((self.root / "state/drydock/run/pid").read_text())

    def mounts(self) -> set[str]:
        """Mounts of containers, seen by the daemon; namespaces that it keeps for later are none."""
        seen = set()
        for number in self.containers():
            with contextlib.suppress(OSError):
                lines = Path(f"/proc/{number}/mountinfo").read_text().splitlines()
                seen |= {line.split()[4] for line in lines if str(self.root) in line}
        return {path for path in seen if not re.search("/net/cni/|/run/rootlesskit/", path)}

    def network(self) -> dict[str, str]:
        """The bridge and the subnet of the daemon, as the network plugin knows them."""
        text = (self.root / "state/drydock/run/network.conflist").read_text()
        plugin = json.loads(text)["plugins"][0]
        return {"bridge": plugin["bridge"], "subnet": plugin["ipam"]["ranges"][0][0]["subnet"]}

    def leftovers(self) -> list[str]:
        """Whatever is there that should not be."""
        files = [*(self.root / "tmp").iterdir(), *(self.root / "cwd").iterdir()]
        files += (self.root / "cache/drydock/archives").glob(".*")
        # BuildKit itself forgets folders of a canceled build there, empty ones; they go when it starts again.
        files += (p for p in (self.root / "state/drydock/run/tmp").rglob("*") if p.is_file())
        processes = [f"{number} {text}" for number, text in self.processes().items()]
        return [*map(str, files), *processes, *self.mounts()]


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """A place with a daemon that has the base image."""
    # A short path: sockets have room for about a hundred characters.
    place = Place(Path(tempfile.mkdtemp(prefix="drydock-killed-")))
    environment.python_of(source.read(GREETER))
    (place.root / "cache/drydock/venvs").symlink_to(paths.cache() / "venvs")
    try:
        for arguments in (["up"], ["call", "-m", str(GREETER), "shell", "--script", "true"]):
            assert place.start(*arguments).wait(60) == 0, (place.root / "stderr").read_text()
        yield place
    finally:
        for process in place.started:
            process.kill()
            process.wait()
        assert place.start("down").wait(60) == 0
        shutil.rmtree(place.root, ignore_errors=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_stays_of_a_killed_session(place: Place, number: signal.Signals) -> None:
    """Before the session, in the import, an exec, a service, an export, a push: all at once."""
    seconds = 600 + number  # so that no exec is shared with that of another signal's sessions
    killed = []
    module = ["call", "-m", str(GREETER)]
    exec_ = place.start(*module, "shell", "--script", f"sleep {seconds}.1")
    service = place.query(f'{BASE} {{ asService(args: ["sleep", "{seconds}.2"]) {{ start }} }} }}')
    place.appears(place.runs(f"sleep {seconds}.1"))
    place.appears(place.runs(f"sleep {seconds}.2"))
    killed += [exec_, service]

    # The last by name, and large: the export is far from its end when the first folder of it is there.
    made = f'withExec(args: ["sh", "-c", "head -c 200000000 /dev/urandom > /z{seconds}"])'
    killed.append(place.query(f'{BASE} {{ {made} {{ rootfs {{ export(path: "out") }} }} }} }}'))
    place.appears(lambda: [*(place.root / "cwd").glob(".drydock-*/bin")])
    pushed = 'publish(address: "127.0.0.1:9/nobody:1")'
    killed.append(place.query(f"{BASE} {{ {made} {{ {pushed} }} }} }}"))
    for delay in (0.02, 0.1, 0.3, 0.6):
        killed.append(place.start(*module, "echo", "--name", "x", "--seconds", "600"))
        time.sleep(delay)

    for process in killed:
        process.send_signal(number)
    for process in killed:
        process.wait(GONE_WITHIN)
    deadline = time.monotonic() + GONE_WITHIN
    while (left := place.leftovers()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left, "\n".join(left)


def test_nothing_stays_of_a_killed_daemon(place: Place) -> None:
    """No container, mount or namespace outlives it; who was building is told; the next start clears its folders."""
    session = place.start("call", "-m", str(GREETER), "shell", "--script", "sleep 700")
    place.appears(place.runs("sleep 700"))
    inside = place.containers()
    os.kill(place.daemon(), signal.SIGKILL)
    deadline = time.monotonic() + GONE_WITHIN
    bridge = Path("/sys/class/net", place.network()["bridge"])
    while left := [*filter(_alive, inside), *bridge.glob("brif/*")]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
    assert session.wait(GONE_WITHIN) == 1
    told = (place.root / "stderr").read_text().rpartition("Error: ")[2]
    assert told.startswith("the BuildKit daemon ended, or was stopped, before the build was done.")
    assert len(told.splitlines()) == 1
    assert place.start("up").wait(60) == 0
    assert not [*(place.root / "state/drydock/run/tmp").iterdir()]


def test_nothing_stays_of_a_stopped_daemon(place: Place) -> None:
    """No bridge, and no rule in the firewall, also of those that were killed before it."""
    assert place.start("down").wait(60) == 0
    network = place.network()
    assert not Path("/sys/class/net", network["bridge"]).exists()
    command = [str(paths.which("iptables-save"))]
    rules = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert firewall.removing(rules, network["subnet"]) == ""


def _alive(number: int) -> bool:
    try:
        return bool(Path(f"/proc/{number}/cmdline").read_bytes())
    except OSError:
        return False

"""The daemon's life: started once, found again whatever was left behind, stopped whole."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drydock import daemon, daemonprocess, paths
from drydock.errors import DrydockError

pytestmark = pytest.mark.engine

DRYDOCK = Path(sys.executable).with_name("drydock")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The run folder of a daemon that nobody else uses; not started yet."""
    # A short path: sockets have room for about a hundred characters.
    root = Path(tempfile.mkdtemp(prefix="drydock-life-"))
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{paths.data() / 'bin'}")
    monkeypatch.delenv("BUILDKIT_HOST", raising=False)
    for name in ("STATE", "DATA", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(root / name.lower()))
    config = root / "registries.toml"
    config.write_text("")
    monkeypatch.setenv("DRYDOCK_CONFIG", str(config))
    with monkeypatch.context() as own:
        yield root / "state" / "drydock" / "run"
        own.delenv("BUILDKIT_HOST", raising=False)
        daemon.down()
    shutil.rmtree(root)


def test_commands_at_once_start_one_daemon(run: Path) -> None:
    """Whoever comes second finds it."""
    commands = [subprocess.Popen([DRYDOCK, "up"], stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [command.wait(60) for command in commands] == [0, 0, 0, 0]
    assert len(_daemons(run)) == 1


def test_status_tells_what_runs(run: Path) -> None:
    """How, since when, with what; the address at the end, for scripts."""
    daemon.up()
    done = subprocess.run([DRYDOCK, "status"], capture_output=True, text=True, check=True)
    *lines, last = done.stdout.splitlines()
    told = dict(line.split(maxsplit=1) for line in lines)
    assert re.fullmatch(r"drydock's own, (as root|rootless, as user \w+), up \d+ s", told["daemon"])
    assert re.fullmatch(r"v\d+\.\d+\.\d+.*", told["version"])
    assert told["cache"].startswith("0 B of at most 30 GB, in ")
    assert told["config"] == os.environ["DRYDOCK_CONFIG"]
    assert last.split()[-1] == f"unix://{run}/buildkitd.sock"


def test_status_of_none_is_a_failure(run: Path) -> None:
    """With what to do."""
    done = subprocess.run([DRYDOCK, "status"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "not started; 'drydock up' starts it" in done.stdout
    assert done.stdout.split()[-1] == f"unix://{run}/buildkitd.sock"


def test_down_leaves_nothing(run: Path) -> None:
    """No process, socket, bridge or temporary folder; a second time there is nothing to do."""
    daemon.up()
    bridge = daemonprocess._network()[0]
    assert daemon.down() is True
    assert _daemons(run) == []
    assert not (run / "buildkitd.sock").exists()
    assert not (run / "tmp").exists()
    assert not Path("/sys/class/net", bridge).exists()
    assert daemon.down() is False


def test_what_a_crash_left_is_no_obstacle(run: Path) -> None:
    """A socket that nobody listens at, and the number of a process that is another's now."""
    paths.private(run)
    (run / "pid").write_text(str(os.getpid()))
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(run / "buildkitd.sock"))
    assert daemon.status().answers is False
    assert daemon.ensure().answers is True


def test_one_that_ended_by_itself_says_so(run: Path) -> None:
    """With the end of its log; the next `up` starts another."""
    daemon.up()
    os.kill(int((run / "pid").read_text()), signal.SIGKILL)
    deadline = time.monotonic() + 10
    while "has ended by itself" not in (detail := daemon.status().detail):
        assert time.monotonic() < deadline, detail
    assert "buildkitd.log ends with:" in detail
    assert daemon.up().answers is True


def test_one_whose_number_was_lost_is_found_by_its_socket(run: Path) -> None:
    """It is neither started twice nor forgotten."""
    daemon.up()
    (run / "pid").unlink()
    assert daemon.up().answers is True
    assert len(_daemons(run)) == 1
    assert daemon.down() is True
    assert _daemons(run) == []


def test_up_applies_a_changed_configuration(run: Path) -> None:
    """By a restart; a build does not, for it would end those of others."""
    daemon.up()
    first = _daemons(run)
    Path(os.environ["DRYDOCK_CONFIG"]).write_text('[registry."docker.io"]\nmirrors = ["a.test"]')
    daemon.ensure()
    assert _daemons(run) == first
    assert any("changed since: 'drydock up' applies it" in line for line in daemon.described())
    daemon.up()
    assert _daemons(run) != first
    assert not any("changed since" in line for line in daemon.described())


def test_a_wrong_configuration_stops_no_daemon(run: Path) -> None:
    """It is refused, and what runs goes on."""
    daemon.up()
    first = _daemons(run)
    Path(os.environ["DRYDOCK_CONFIG"]).write_text("mirror = 1")
    with pytest.raises(DrydockError, match="mirror: unknown; expected registry"):
        daemon.up()
    assert _daemons(run) == first


def test_a_named_daemon_is_used_and_never_stopped(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BUILDKIT_HOST; drydock starts none of its own beside it."""
    address = daemon.up().address
    monkeypatch.setenv("BUILDKIT_HOST", address)
    monkeypatch.setenv("XDG_STATE_HOME", str(run / "other"))
    assert daemon.ensure() == daemon.State(address, answers=True, own=False)
    assert daemon.described()[0] == "daemon   of BUILDKIT_HOST: never started or stopped by drydock"
    with pytest.raises(DrydockError, match="Unset BUILDKIT_HOST to stop drydock's own"):
        daemon.down()
    assert not (run / "other").exists()
    monkeypatch.setenv("XDG_STATE_HOME", str(run.parent.parent))


def test_a_named_daemon_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the address, the reason, and what to do."""
    monkeypatch.setenv("BUILDKIT_HOST", "tcp://127.0.0.1:9")
    with pytest.raises(DrydockError) as caught:
        daemon.ensure()
    message = str(caught.value)
    assert message.startswith("BUILDKIT_HOST=tcp://127.0.0.1:9 does not answer: ")
    assert "connection refused" in message
    assert message.endswith("unset BUILDKIT_HOST to let drydock start its own.")


def test_a_config_file_that_is_named_has_to_be_there(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong path would silently mean no mirror."""
    monkeypatch.setenv("DRYDOCK_CONFIG", str(run / "none.toml"))
    with pytest.raises(DrydockError, match="DRYDOCK_CONFIG names .*none.toml, which is not there"):
        daemon.up()


def test_whatever_is_missing_is_told_at_once(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs that ci/setup builds, and the packages, with the commands to get them."""
    monkeypatch.setenv("PATH", str(run))
    monkeypatch.setattr(paths, "SBIN", str(run))
    with pytest.raises(DrydockError) as caught:
        daemon.ensure()
    message = str(caught.value)
    assert message.startswith("no BuildKit daemon runs, and none can be started here (")
    assert "buildkitd, buildctl" in message
    assert "Run ci/setup in slipway's repository" in message
    assert "apt-get install runc iptables" in message
    assert message.endswith("set BUILDKIT_HOST to the address of a daemon that runs elsewhere.")


def _daemons(run: Path) -> list[int]:
    """The processes that hold a daemon of this folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if str(run / "buildkitd.toml") in command and command[0].endswith("buildkitd"):
            found.append(int(folder.name))
    return found

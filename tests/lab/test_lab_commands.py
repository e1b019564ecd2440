"""The lab's commands as a user runs them: ci/lab/up, down and status."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

LAB = Path(__file__).parents[2] / "ci" / "lab"


@dataclass
class Lab:
    """A lab in a folder and on a port of its own."""

    cache: Path
    port: str

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ci/lab/``command`` to its end."""
        return subprocess.run(
            [LAB / command, *arguments],
            env={**os.environ, "XDG_CACHE_HOME": str(self.cache), "SLIPWAY_LAB_PORT": self.port},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def free_port() -> str:
    """A TCP port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A lab that is not set up; whatever a test starts in it is stopped."""
    lab = Lab(tmp_path, free_port())
    yield lab
    lab.run("down")


def test_status_of_a_lab_that_is_not_up_fails_and_says_what_to_do(lab: Lab) -> None:
    """Each part has a line."""
    status = lab.run("status")
    assert status.returncode == 1
    assert "  registry                 stopped    run ci/lab/up" in status.stdout
    assert "  secure-registry          stopped    run ci/lab/up" in status.stdout
    assert "node:22-bookworm-slim    missing    run ci/lab/up" in status.stdout


def test_an_unknown_part_is_refused_before_anything_starts(lab: Lab) -> None:
    """The message lists the parts there are."""
    up = lab.run("up", "registry", "nodejs")
    assert up.returncode == 1
    assert (
        "lab: no part nodejs. Parts: registry, secure-registry, images, postgres:17," in up.stderr
    )
    assert list(lab.cache.iterdir()) == []


def test_a_port_that_is_none_is_refused(lab: Lab) -> None:
    """With the variable's name and value."""
    lab.port = "fifty"
    up = lab.run("up")
    assert up.returncode == 1
    assert "SLIPWAY_LAB_PORT is 'fifty': give a TCP port from 1 to 65522" in up.stderr


@pytest.mark.engine
def test_the_registry_starts_once_and_stops(lab: Lab) -> None:
    """A second `up` finds it running; the daemon's config is there exactly as long as it runs."""
    config = lab.cache / "slipway" / "lab" / "drydock.toml"
    assert lab.run("up", "registry").returncode == 0
    pid = (lab.cache / "slipway" / "lab" / "registry.pid").read_text()
    assert f'mirrors = ["127.0.0.1:{lab.port}"]' in config.read_text()
    assert lab.run("up", "registry").returncode == 0
    assert (lab.cache / "slipway" / "lab" / "registry.pid").read_text() == pid
    assert "stopped" in lab.run("down").stdout
    assert not config.exists()
    assert "was not running" in lab.run("down").stdout


@pytest.mark.engine
def test_the_secure_registry_keeps_its_password_and_is_known_to_the_daemon(lab: Lab) -> None:
    """Its authority is named for it and for those that tests start."""
    home = lab.cache / "slipway" / "lab"
    assert "secure-registry" in lab.run("up", "secure-registry").stdout
    password = (home / "secure-registry" / "password").read_text()
    config = tomllib.loads((home / "drydock.toml").read_text())["registry"]
    ca = str(home / "authority" / "ca.crt")
    ports = range(int(lab.port) + 1, int(lab.port) + 14)
    assert [config[f"127.0.0.1:{port}"] for port in ports] == [{"ca": ca}] * 13
    assert "secure-registry          stopped" in lab.run("down").stdout
    assert lab.run("up", "secure-registry").returncode == 0
    assert (home / "secure-registry" / "password").read_text() == password


@pytest.mark.engine
def test_a_stale_pid_file_does_not_stop_the_next_start(lab: Lab) -> None:
    """After a reboot the number may belong to any process: that one is left alone."""
    home = lab.cache / "slipway" / "lab"
    home.mkdir(parents=True)
    (home / "registry.pid").write_text(str(os.getpid()))
    up = lab.run("up", "registry")
    assert (up.returncode, up.stderr) == (0, "")


@pytest.mark.engine
def test_a_registry_of_someone_else_is_left_alone(lab: Lab, tmp_path: Path) -> None:
    """Two labs on one port: the second refuses and says what to do."""
    assert lab.run("up", "registry").returncode == 0
    second = Lab(tmp_path / "second", lab.port).run("up", "registry")
    assert second.returncode == 1
    assert f"another registry answers at 127.0.0.1:{lab.port}" in second.stderr
    assert "SLIPWAY_LAB_PORT" in second.stderr


@pytest.mark.engine
def test_with_everything_there_up_takes_seconds() -> None:
    """The lab that the tests run on: nothing is made again."""
    start = time.monotonic()
    up = subprocess.run([LAB / "up"], capture_output=True, text=True, check=True, timeout=600)
    assert "building" not in up.stdout
    assert time.monotonic() - start < 10
    assert subprocess.run([LAB / "status"], capture_output=True, check=False).returncode == 0

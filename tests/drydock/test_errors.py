"""What somebody at a terminal is told when something around the build fails: one paragraph, and nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.slow]

DRYDOCK = Path(sys.executable).with_name("drydock")
GREETER = Path(__file__).parent / "fixtures" / "greeter"


def failed(
    *arguments: str,
    before: tuple[str, ...] = (),
    lines: int = 1,
    variables: dict[str, str] | None = None,
) -> str:
    """The error of a call of the greeter."""
    done = subprocess.run(
        [*before, str(DRYDOCK), "call", "-m", str(GREETER), *arguments],
        env={**os.environ, **(variables or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    _progress, found, error = done.stderr.rpartition("Error: ")
    assert found, done.stderr
    assert len(error.strip().splitlines()) <= lines
    return error.strip()


def test_there_is_no_daemon() -> None:
    """The one that BUILDKIT_HOST names does not answer."""
    told = failed("shell", "--script", "true", variables={"BUILDKIT_HOST": "tcp://127.0.0.1:9"})
    assert told.startswith("BUILDKIT_HOST=tcp://127.0.0.1:9 does not answer: ")
    assert "Start that daemon, or unset BUILDKIT_HOST" in told


def test_no_daemon_can_be_started(tmp_path: Path) -> None:
    """All that is missing at once, with how to get it."""
    nothing = str(tmp_path)
    variables = {"XDG_STATE_HOME": nothing, "XDG_DATA_HOME": nothing, "PATH": nothing}
    told = failed("shell", "--script", "true", lines=4, variables=variables)
    assert told.startswith("no BuildKit daemon runs, and none can be started here (")
    assert "buildkitd, buildctl" in told
    assert "Run ci/setup in slipway's repository" in told


@pytest.mark.parametrize(
    ("arguments", "what", "advice"),
    [
        (["--base", "debian:nope", "stdout"], "docker.io/library/debian:nope: not found", ""),
        (["--base", "127.0.0.1:9/x", "stdout"], "connection refused", "No registry answers at"),
        (
            ["--base", "none.invalid/x", "stdout"],
            "no such host",
            "No registry is known by the name",
        ),
        (["publish", "--address", "127.0.0.1:9/x"], "failed to push", "No registry answers at"),
    ],
)
def test_a_registry_does_not_give_or_take(arguments: list[str], what: str, advice: str) -> None:
    """What failed, the address, what to do."""
    told = failed("box", *arguments)
    assert what in told
    assert advice in told
    assert told.count("failed to resolve") <= 1


@pytest.mark.parametrize("what", [["rootfs"], ["file", "--path", "/usr/bin/perl"], []])
def test_a_disk_is_full(daemon_address: str, tmp_path: Path, what: list[str]) -> None:
    """The place that was written to; nothing of it stays."""
    full = tmp_path / "full"
    full.mkdir()
    # A small disk that this one command sees, and what is on it afterwards.
    left = '[ -z "$(ls -A "$0")" ] || echo "Error: left: $(ls -A "$0")" >&2'
    script = f'mount -t tmpfs -o size=1m tmpfs "$0"; "$@"; code=$?; {left}; exit $code'
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    before = ("unshare", *user, "--mount", "sh", "-c", script, str(full))
    told = failed(
        "box",
        *what,
        "export",
        "--path",
        str(full / "out"),
        before=before,
        variables={"BUILDKIT_HOST": daemon_address},
    )
    assert "o space left on device" in told
    assert str(full) in told

"""The live tree on a real terminal: drydock run in a pseudo-terminal, its result in a pipe."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

pytestmark = [pytest.mark.slow, pytest.mark.engine]

DRYDOCK = Path(sys.executable).with_name("drydock")
GREETER = Path(__file__).parent / "fixtures" / "greeter"
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
UP = re.compile(r"\x1b\[(\d+)A\r")


class Terminal:
    """A terminal that keeps what it is sent."""

    def __init__(self, columns: int) -> None:
        self._ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.modes = termios.tcgetattr(self.theirs)
        self._received = bytearray()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._ours, 1 << 16):
                self._received += data

    @property
    def text(self) -> str:
        """What it was sent, codes and all."""
        return self._received.decode()

    def wait_for(self, text: str) -> None:
        """Wait until a text has arrived."""
        deadline = time.monotonic() + 30
        while text not in self.text:
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)

    def screen(self) -> list[str]:
        """What is to be read on it at the end: each picture has replaced the one before."""
        lines: list[str] = []
        for number, part in enumerate(UP.split(self.text)):
            if number % 2:
                del lines[-int(part) :]
            else:
                lines += CODES.sub("", part).replace("\r", "").split("\n")[:-1]
        return lines

    def close(self) -> None:
        """Hang up."""
        os.close(self.theirs)
        self._reader.join()
        os.close(self._ours)


@pytest.fixture
def terminal(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    """A terminal, 80 columns wide or as the test says."""
    terminal = Terminal(getattr(request, "param", 80))
    yield terminal
    terminal.close()


def start(terminal: Terminal, script: str, **environment: str) -> subprocess.Popen[str]:
    """Run a script in a container, its output in a pipe, progress on the terminal."""
    return subprocess.Popen(
        ["env", "--default-signal=INT,HUP", str(DRYDOCK), "call", "shell", "--script", script],
        cwd=GREETER,
        env={**os.environ, "TERM": "xterm-256color", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=terminal.theirs,
        text=True,
    )


def test_the_tree_ends_as_a_summary_and_leaves_the_result_alone(terminal: Terminal) -> None:
    """While it runs the last lines are seen; at the end one row; standard output has no code in it."""
    script = f"for i in 1 2 3; do echo line $i; sleep 0.5; done # {uuid.uuid4()}"
    out, _ = start(terminal, script).communicate(timeout=120)
    assert out == "line 1\nline 2\nline 3\n"
    assert "│ line 2" in terminal.text
    assert "\x1b[36m" in terminal.text
    (row,) = terminal.screen()
    assert re.fullmatch(r"✔ greeter shell \d+\.\ds · \d+ steps(, \d+ cached)?", row)


@pytest.mark.parametrize("terminal", [40], indirect=True)
def test_a_narrow_terminal_without_colour_is_no_trouble(terminal: Terminal) -> None:
    """NO_COLOR leaves out colours; no row is wrapped; what failed stays, with its log."""
    script = f"echo this line is far too long for such a terminal; sleep 1; exit 9 # {uuid.uuid4()}"
    process = start(terminal, script, NO_COLOR="1")
    process.communicate(timeout=120)
    assert process.returncode == 9
    assert not re.search(r"\x1b\[[0-9;]*3\dm", terminal.text)
    rows = terminal.screen()
    tree, error = rows[:3], rows[3]
    assert [row.split()[0] for row in tree] == ["✘", "✘", "│"]
    assert max(cell_len(row) for row in tree) < 40
    assert error.startswith("Error: exit code: 9 (sh -c ")


def test_ctrl_c_leaves_the_terminal_as_it_was(terminal: Terminal) -> None:
    """No mode of it was changed, and the cursor was never hidden."""
    process = start(terminal, f"echo ready; sleep 60 # {uuid.uuid4()}")
    terminal.wait_for("│ ready")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert terminal.screen()[-1] == "Canceled."
    assert termios.tcgetattr(terminal.theirs) == terminal.modes
    assert "\x1b[?" not in terminal.text

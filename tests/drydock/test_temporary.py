"""What must not outlive a session."""

import os
import signal
import subprocess

from drydock import temporary


def test_a_signal_leaves_the_exit_code_to_who_waits_for_it() -> None:
    """Also for a program that has ended by itself a moment before."""
    program = subprocess.Popen(["sh", "-c", "exit 3"])
    os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)
    temporary.signalled(program.pid, signal.SIGTERM)
    assert program.wait() == 3
    temporary.signalled(program.pid, signal.SIGTERM)

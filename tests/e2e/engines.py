"""An engine with nothing in its caches, as a new runner has it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drydock import daemon, paths


@contextmanager
def empty_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Have drydock use a daemon, caches and Python environments of its own, made anew and removed at the end.

    Mirrors and authorities stay those that this machine is configured with.

    Args:
        monkeypatch: Sets the variables, also for the processes that are started meanwhile.
    """
    binaries, config = paths.data() / "bin", paths.config()
    # A short path: sockets have room for about a hundred characters.
    root = Path(tempfile.mkdtemp(prefix="drydock-new-"))
    with monkeypatch.context() as own:
        own.setenv("PATH", f"{binaries}:{os.environ['PATH']}")
        own.setenv("DRYDOCK_CONFIG", str(config))
        own.delenv("BUILDKIT_HOST", raising=False)
        for name in ("STATE", "DATA", "CACHE"):
            own.setenv(f"XDG_{name}_HOME", str(root / name.lower()))
        try:
            yield root
        finally:
            daemon.down()
    shutil.rmtree(root, ignore_errors=True)

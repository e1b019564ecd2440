"""A BuildKit daemon of the benchmark's own, and the copy of the example that is built on it."""

from __future__ import annotations

import fcntl
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .processes import run
from .settings import EXAMPLE, GREETER, ROOT, BenchError, Place, user_cache

_ADDRESS = re.compile(r"unix://\S+")
_NOT_COPIED = shutil.ignore_patterns("node_modules", ".next", "dist", "generated", "*.tsbuildinfo")
_GIT = ("git", "-c", "user.name=Bench", "-c", "user.email=bench@example.invalid")


@dataclass
class Daemon:
    """Starts, empties and stops the daemon of one place.

    Attributes:
        place: Where everything of it is.
    """

    place: Place
    _address: str = ""
    _kept: set[str] = field(default_factory=set)

    def prepare(self) -> None:
        """Copy the example, and have drydock set up both modules: their Python and their types.

        A user does that once for each version of a module; no round measures it.
        """
        shutil.copytree(EXAMPLE, self.place.repo, ignore=_NOT_COPIED)
        self._run("git", "init", "--quiet", "--initial-branch", "main")
        self._run("git", "add", "--all")
        self._run(*_GIT, "commit", "--quiet", "--message", "The example")
        for module in (ROOT, GREETER):
            self._run("drydock", "-q", "-m", str(module), "functions")
        self._kept = {path.name for path in self.place.cache.iterdir()}

    def fresh(self) -> None:
        """Start it with nothing: no base image, no layer, no pnpm store, no image archive."""
        self.stop()
        shutil.rmtree(self.place.data, ignore_errors=True)
        if self.place.data.exists():
            raise BenchError(f"{self.place.data} cannot be deleted; run ci/bench as root")
        for path in self.place.cache.iterdir():
            if path.name not in self._kept:
                shutil.rmtree(path)
        self._run("drydock", "up")
        found = _ADDRESS.search(self._run("drydock", "status"))
        if found is None:
            raise BenchError("drydock status told no address of a running daemon")
        self._address = found[0]

    def address(self) -> str:
        """The running daemon's, as `buildctl --addr` has it."""
        return self._address

    def stop(self) -> None:
        """Stop it, if it runs."""
        self._run("drydock", "down")

    def _run(self, *command: str) -> str:
        ran = run(
            [command],
            cwd=self.place.repo,
            environment=self.place.environment(),
            log=self.place.log,
        )
        return ran.outputs[0]


@contextmanager
def running() -> Iterator[Daemon]:
    """A daemon in a folder of its own, both gone at the end, also when that comes early.

    Raises:
        BenchError: If another benchmark runs.
    """
    folder = user_cache() / "slipway" / "bench"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BenchError(
                "another ci/bench runs: two at once would measure each other"
            ) from None
        _remove(folder)
        folder.mkdir()
        try:
            yield Daemon(Place(folder))
        finally:
            _remove(folder)


def _remove(folder: Path) -> None:
    """What a run made; a daemon that a killed run left is stopped first."""
    if (folder / "mindfulspace").exists():
        Daemon(Place(folder)).stop()
    shutil.rmtree(folder, ignore_errors=True)

"""What a run is asked for, where its things are, and the errors it shows to people."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "mindfulspace"
GREETER = ROOT / "tests" / "drydock" / "fixtures" / "greeter"


class BenchError(Exception):
    """What failed, with what to do about it, worded for the person at the terminal."""


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        rounds: How often nothing and each edit is built, by each side.
        cold_rounds: How often everything is built from nothing, by each side.
    """

    rounds: int = 5
    cold_rounds: int = 2


QUICK = Plan(rounds=2, cold_rounds=1)


@dataclass(frozen=True)
class Place:
    """The folder of one run: the copy of the example, and the daemon with everything it keeps.

    Attributes:
        folder: Emptied before a run and removed after it.
    """

    folder: Path

    @property
    def repo(self) -> Path:
        """The copy of the example, a Git repository of its own."""
        return self.folder / "mindfulspace"

    @property
    def log(self) -> Path:
        """What the measured commands print."""
        return self.folder / "log.txt"

    @property
    def data(self) -> Path:
        """What the daemon keeps, and nothing else."""
        return self.folder / "data" / "drydock"

    @property
    def cache(self) -> Path:
        """What drydock keeps for itself."""
        return self.folder / "cache" / "drydock"

    def environment(self) -> dict[str, str]:
        """Variables that give drydock a daemon and caches of its own; the user's are left alone."""
        inherited = {name: value for name, value in os.environ.items() if name != "BUILDKIT_HOST"}
        return inherited | {
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR") or str(user_cache() / "uv"),
        }


def user_cache() -> Path:
    """The user's own cache folder, by the XDG base directory specification."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute()

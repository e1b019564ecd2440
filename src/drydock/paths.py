"""Where drydock keeps things, by the XDG base directory specification."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from drydock.errors import DrydockError

SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def _base(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / default) / "drydock"


def data() -> Path:
    """The daemon's state and drydock's own binaries."""
    return _base("XDG_DATA_HOME", ".local/share")


def state() -> Path:
    """What may be lost with nothing but time: logs, the daemon's socket and pid."""
    return _base("XDG_STATE_HOME", ".local/state")


def cache() -> Path:
    """What can be made again: type definitions, Python environments, image archives."""
    return _base("XDG_CACHE_HOME", ".cache")


def config() -> Path:
    """The config file of the daemon that drydock starts.

    It is what DRYDOCK_CONFIG names, else what it named when the daemon was last started, else the user's own.
    """
    if named := os.environ.get("DRYDOCK_CONFIG"):
        return Path(named)
    remembered = state() / "config-path"
    if remembered.exists() and (path := Path(remembered.read_text())).exists():
        return path
    return _base("XDG_CONFIG_HOME", ".config") / "config.toml"


def remember_config() -> None:
    """Start the daemon with this config file from now on, also from a shell without DRYDOCK_CONFIG."""
    path = config()
    (private(state()) / "config-path").write_text(str(path.absolute()))


def private(folder: Path) -> Path:
    """Make a folder that only its owner can read."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def write(file: Path, data: bytes) -> None:
    """Write a file that only its owner can read; others see all of it or nothing, whatever happens."""
    descriptor, name = tempfile.mkstemp(dir=private(file.parent), prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as new:
            new.write(data)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def which(name: str) -> Path | None:
    """A program on PATH, or where Debian keeps root's own (runc, iptables), which is on no other user's PATH."""
    found = shutil.which(name) or shutil.which(name, path=SBIN)
    return Path(found) if found else None


def found(name: str) -> Path | None:
    """A program on PATH, else among drydock's own; None if it is in neither place."""
    own = data() / "bin" / name
    if path := shutil.which(name):
        return Path(path)
    return own if own.exists() else None


def binary(name: str) -> Path:
    """A program on PATH, else among drydock's own.

    Raises:
        DrydockError: If it is in neither place.
    """
    if path := found(name):
        return path
    raise DrydockError(
        f"{name} is not on PATH and not in {data() / 'bin'}. Run ci/setup in slipway's repository, which builds it."
    )

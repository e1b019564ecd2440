"""A module's own Python environment: the one it has, else one made with uv and kept.

Nothing is ever written into the module's folder.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from drydock import paths, temporary
from drydock.errors import DrydockError
from drydock.source import PROJECT_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drydock.source import ModuleSource

SDK_VERSION = "0.21.8"
"""The dagger-io of the engine whose API drydock serves, which modules without a lock get."""
SERVED = "0.21"
"""Modules may lock any release of this series: the protocol between engine and SDK is the same in all of them."""

SHOWN_AFTER = 2.0
"""Seconds before an environment in the making is announced."""


def python_of(source: ModuleSource) -> Path:
    """The Python interpreter to run a module with; makes its environment when there is none.

    Raises:
        DrydockError: If the environment cannot be made.
    """
    own = source.source / ".venv"
    if is_served(sdk_version(own)):
        return own / "bin" / "python"
    kept = paths.cache() / "venvs" / _digest(source)
    if not is_served(sdk_version(kept)):
        _make(source, kept)
    return kept / "bin" / "python"


def sdk_version(environment: Path) -> str | None:
    """Version of the Dagger SDK in an environment; None when it is not usable."""
    if not os.access(environment / "bin" / "python", os.X_OK):
        return None
    found = next(environment.glob("lib/python3*/site-packages/dagger_io-*.dist-info"), None)
    return found.name.removeprefix("dagger_io-").removesuffix(".dist-info") if found else None


def is_served(version: str | None) -> bool:
    """Whether drydock runs modules that have this version of dagger-io."""
    return version is not None and version.startswith(f"{SERVED}.")


def _digest(source: ModuleSource) -> str:
    parts = [SDK_VERSION, platform.python_version(), sys.executable]
    for name in PROJECT_FILES:
        file = source.source / name
        parts.append(hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _make(source: ModuleSource, target: Path) -> None:
    paths.private(target.parent)
    with _announced(f"making the Python environment of module {source.name}"):
        building = temporary.make(".new-", target.parent)
        try:
            _create(source, building)
            if _is_locked(source):
                _sync(source, building)
            else:
                _install(source, building)
            _publish(building, target)
        finally:
            shutil.rmtree(building, ignore_errors=True)


def _create(source: ModuleSource, building: Path) -> None:
    request = _python_request(source)
    # Relocatable: it is renamed when it is whole, and its programs must work then.
    try:
        _uv(["venv", "--relocatable", "--allow-existing", "--python", request, str(building)])
    except UvError as error:
        last = str(error).strip().splitlines()[-1]
        raise DrydockError(
            f"module {source.name} needs Python {request}: uv found none on this machine and could "
            f"not get one ({last.strip()}). Install it, for example with: uv python install"
        ) from error


def _publish(building: Path, target: Path) -> None:
    if target.exists() and sdk_version(target) is None:
        shutil.rmtree(target)
    try:
        building.rename(target)
    except OSError:
        if sdk_version(target) is None:
            raise


def _is_locked(source: ModuleSource) -> bool:
    """Whether uv.lock names a dagger-io of the package index.

    The one of Dagger's template is a folder beside it, which is never committed.
    """
    sources = source.pyproject.get("tool", {}).get("uv", {}).get("sources", {})
    return (source.source / "uv.lock").is_file() and "dagger-io" not in sources


def _sync(source: ModuleSource, building: Path) -> None:
    options = ["--frozen", "--no-dev", "--no-install-project", "--compile-bytecode"]
    _uv(["sync", *options, "--project", str(source.source)], UV_PROJECT_ENVIRONMENT=str(building))
    if not is_served(version := sdk_version(building)):
        raise DrydockError(
            f"{source.source / 'uv.lock'}: locks dagger-io {version}, drydock serves {SERVED}.x. Set "
            f"dagger-io=={SDK_VERSION} in pyproject.toml and run: uv lock"
        )


def _install(source: ModuleSource, building: Path) -> None:
    """Install what pyproject.toml asks for, in the versions of the module's lock where they suit.

    As the Dagger engine does, whose lock is made anew with its own SDK in it
    (v0.21, `sdk/python/runtime`).
    """
    with temporary.folder() as folder:
        own, lock = folder / "requirements.in", folder / "requirements.txt"
        own.write_text(f"dagger-io=={SDK_VERSION}\n")
        lock.write_text(_locked(source))
        asked = [str(own)]
        if "project" in source.pyproject:
            asked.append(str(source.source / "pyproject.toml"))
        python = ["--python", str(building / "bin" / "python")]
        sources = ["--no-sources-package", "dagger-io", "--override", str(own)]
        _uv(["pip", "compile", *python, *sources, "--output-file", str(lock), *asked])
        _uv(["pip", "install", *python, "--compile-bytecode", "--requirements", str(lock)])


def _locked(source: ModuleSource) -> str:
    """What the module's lock says of everything but the SDK."""
    lock = source.source / "requirements.lock"
    if lock.is_file():
        return lock.read_text()
    if not (source.source / "uv.lock").is_file():
        return ""
    leave_out = ["--no-emit-project", "--no-emit-package", "dagger-io", "--no-emit-local"]
    options = ["--frozen", "--no-dev", "--no-hashes", *leave_out]
    return _uv(["export", *options, "--project", str(source.source)])


def _python_request(source: ModuleSource) -> str:
    pinned = source.source / ".python-version"
    if source.pyproject and pinned.is_file() and (version := pinned.read_text().strip()):
        return version
    return str(source.pyproject.get("project", {}).get("requires-python") or sys.executable)


class UvError(DrydockError):
    """uv failed; the message is what it said."""


def _uv(arguments: list[str], **variables: str) -> str:
    """Run uv; returns its output."""
    uv = shutil.which("uv") or str(paths.data() / "bin" / "uv")
    environment = {**os.environ, "UV_NO_PROGRESS": "1", **variables}
    environment.pop("VIRTUAL_ENV", None)
    try:
        done = subprocess.run(
            [uv, *arguments], env=environment, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise DrydockError(
            "uv is not on PATH: it makes the Python environment of a module. Install it, or make "
            f"the module's own .venv with dagger-io=={SDK_VERSION}."
        ) from error
    if done.returncode:
        raise UvError(f"uv {arguments[0]} failed:\n{done.stderr.strip()}")
    return done.stdout


@contextmanager
def _announced(what: str) -> Iterator[None]:
    timer = threading.Timer(SHOWN_AFTER, lambda: sys.stderr.write(f"{what} …\n"))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()

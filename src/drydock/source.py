"""A module's source: where it is, what its configuration says, what it consists of."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drydock.errors import DrydockError
from drydock.naming import camel, kebab

if TYPE_CHECKING:
    from collections.abc import Iterator

SKIPPED_FOLDERS = frozenset({"__pycache__", "sdk", "tests", "node_modules", "build", "dist"})
"""Folders of a module that hold no code of its own; so do those that begin with a dot."""

REMOTE = re.compile(r"^(\w+://|git@|[\w.-]+\.\w+/[\w./-]+$)")


@dataclass(frozen=True)
class ModuleSource:
    """A module on this machine.

    `root` is the folder of its dagger.json, `source` the folder of its pyproject.toml.
    """

    root: Path
    name: str
    source: Path
    pyproject: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def main_object(self) -> str:
        """Name of the module's main class."""
        return camel(self.name)

    @property
    def package(self) -> str:
        """The package that the SDK imports.

        As the Dagger engine finds it (v0.21, `sdk/python/runtime/discovery.go`): the entry point,
        else the project's name, else the module's.
        """
        project = self.pyproject.get("project", {})
        entry_points = project.get("entry-points", {}).get("dagger.mod", {})
        if "main_object" in entry_points:
            return str(entry_points["main_object"]).partition(":")[0].strip()
        name = project.get("name") or re.sub(r"[._-]+", "-", kebab(camel(self.name)))
        return str(name).replace("-", "_")

    @property
    def import_path(self) -> Path:
        """The folder that holds the package."""
        return self.source / "src" if (self.source / "src").is_dir() else self.source

    @property
    def context(self) -> Path:
        """The repository that holds the module, else the module's own folder."""
        for folder in (self.root, *self.root.parents):
            if (folder / ".git").exists():
                return folder
        return self.root

    @cached_property
    def digest(self) -> str:
        """Hex digest of everything that the module's type definitions depend on."""
        sha = hashlib.sha256()
        named = [self.root / "dagger.json", self.source / "pyproject.toml", self.source / "uv.lock"]
        for file in (*named, *_python_files(self.import_path)):
            if file.is_file():
                relative = os.path.relpath(file, self.root)
                sha.update(
                    f"{relative}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode()
                )
        return sha.hexdigest()


def find(reference: str | None, cwd: Path) -> ModuleSource:
    """The module that `reference` names: a folder at or below a dagger.json; by default `cwd`.

    Raises:
        DrydockError: If there is none, or it needs what drydock does not serve.
    """
    start = _folder(reference, cwd)
    for folder in (start, *start.parents):
        if (folder / "dagger.json").is_file():
            return read(folder)
    if reference:
        raise DrydockError(f"no dagger.json in {start} or in a folder above it")
    raise DrydockError(
        f"no dagger.json in {start} or in a folder above it. Go to a module's folder, or name one "
        "with -m PATH."
    )


def _folder(reference: str | None, cwd: Path) -> Path:
    text = (reference or ".").removeprefix("file://")
    folder = (cwd / Path(text).expanduser()).resolve()
    if folder.is_dir():
        return folder
    if folder.exists():
        raise DrydockError(f"-m {reference}: a module is a folder, {folder} is a file")
    if REMOTE.match(text):
        raise DrydockError(
            f"-m {reference}: drydock runs modules on this machine only. Clone it, then give the "
            "folder."
        )
    raise DrydockError(f"-m {reference}: {folder} does not exist")


def read(root: Path) -> ModuleSource:
    """The module whose dagger.json is in `root`.

    Raises:
        DrydockError: If its files cannot be read, or it needs what drydock does not serve.
    """
    config = _json(root / "dagger.json")
    if (
        not isinstance(config, dict)
        or not isinstance(config.get("name"), str)
        or not config["name"]
    ):
        raise DrydockError(f'{root / "dagger.json"}: "name" is missing')
    sdk = config.get("sdk") or {}
    sdk_name = sdk.get("source") if isinstance(sdk, dict) else sdk
    if sdk_name != "python":
        raise DrydockError(
            f"{root / 'dagger.json'}: drydock runs Python modules, this one's SDK is {sdk_name!r}. "
            "Run it on a Dagger engine."
        )
    if config.get("dependencies"):
        raise DrydockError(
            f"{root / 'dagger.json'}: drydock does not serve modules that depend on other modules. "
            "Run this one on a Dagger engine."
        )
    source = (root / config.get("source", ".")).resolve()
    if not source.is_relative_to(root):
        raise DrydockError(f'{root / "dagger.json"}: "source" leads out of the module: {source}')
    return ModuleSource(root, config["name"], source, _toml(source / "pyproject.toml"))


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise DrydockError(f"{file}: cannot be read: {error}") from error


def _toml(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        return tomllib.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise DrydockError(f"{file}: cannot be read: {error}") from error


def _python_files(folder: Path) -> Iterator[Path]:
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS and f[0] != ".")
        yield from (Path(path) / name for name in sorted(files) if name.endswith(".py"))

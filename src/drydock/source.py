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

SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "sdk"})
"""Folders that hold no code of a module's own; so do those that begin with a dot."""

PROJECT_FILES = ("pyproject.toml", "uv.lock", "requirements.lock", ".python-version")

_SUFFIXES = re.compile(r"\.(pyi?|json|toml|ya?ml|txt|ini|cfg|csv|sql|sh|graphqls?|lock)$")
"""Files that a module's code consists of, or may read while it is imported."""

REMOTE = re.compile(r"^(\w+://|git@|[\w.-]+\.\w+/[\w./-]+$)")


@dataclass(frozen=True)
class ModuleSource:
    """A module on this machine.

    `root` is the folder of its dagger.json, `source` the folder of its pyproject.toml. `name` is
    what a dependent calls it, `original` what it calls itself.
    """

    root: Path
    name: str
    source: Path
    pyproject: dict[str, Any] = field(default_factory=dict, repr=False)
    original: str = ""
    dependencies: tuple[ModuleSource, ...] = ()

    def __post_init__(self) -> None:
        """By default it has one name."""
        if not self.original:
            object.__setattr__(self, "original", self.name)

    @property
    def main_object(self) -> str:
        """Name of the module's main class."""
        return camel(self.original)

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
        name = project.get("name") or re.sub(r"[._-]+", "-", kebab(camel(self.original)))
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

    @property
    def all(self) -> tuple[ModuleSource, ...]:
        """This module and all that it needs, each once and after what it needs itself.

        Raises:
            DrydockError: If two different modules have the same name.
        """
        found: dict[str, ModuleSource] = {}
        for module in (*(m for d in self.dependencies for m in d.all), self):
            known = found.setdefault(module.name, module)
            if known.root != module.root:
                raise DrydockError(
                    f"two modules are called {module.name}: {known.root} and {module.root}. Give "
                    'one of them another "name" among the "dependencies" of dagger.json.'
                )
        return tuple(found.values())

    @cached_property
    def digest(self) -> str:
        """Hex digest of everything that the module's type definitions depend on."""
        sha = hashlib.sha256()
        named = [self.root / "dagger.json"]
        named += [self.source / name for name in PROJECT_FILES]
        for file in (*named, *_files(self.import_path)):
            if file.is_file():
                relative = os.path.relpath(file, self.root)
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                sha.update(f"{relative}\0{digest}\n".encode(errors="surrogateescape"))
        for module in self.dependencies:
            sha.update(f"{module.name}\0{module.digest}\n".encode())
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


def read(root: Path, name: str | None = None, dependents: tuple[Path, ...] = ()) -> ModuleSource:
    """The module whose dagger.json is in `root`.

    Args:
        root: Its folder.
        name: What its dependent calls it (default: what it calls itself).
        dependents: The folders of the modules that need it.

    Raises:
        DrydockError: If its files cannot be read, or it needs what drydock does not serve.
    """
    file = root / "dagger.json"
    config = _json(file)
    original = config.get("name") if isinstance(config, dict) else None
    if not original or not isinstance(original, str):
        raise DrydockError(f'{file}: "name" is missing')
    if root in dependents:
        raise DrydockError(f"{file}: module {original} depends on itself")
    _check_served(file, config)
    source = (root / config.get("source", ".")).resolve()
    if not source.is_relative_to(root):
        raise DrydockError(f'{file}: "source" leads out of the module: {source}')
    needed = config.get("dependencies") or ()
    dependencies = tuple(_dependency(file, item, (*dependents, root)) for item in needed)
    pyproject = _toml(source / "pyproject.toml")
    return ModuleSource(root, name or original, source, pyproject, original, dependencies)


def _check_served(file: Path, config: dict[str, Any]) -> None:
    sdk = config.get("sdk") or {}
    sdk_name = sdk.get("source") if isinstance(sdk, dict) else sdk
    if sdk_name != "python":
        has = f"'s SDK is {sdk_name!r}" if sdk_name else " has no SDK"
        raise DrydockError(
            f"{file}: drydock runs Python modules, this one{has}. Run it on a Dagger engine."
        )
    for unserved in ("toolchains", "blueprint"):
        if config.get(unserved):
            raise DrydockError(
                f'{file}: drydock does not serve "{unserved}". Run this module on a Dagger engine.'
            )


def _dependency(file: Path, item: Any, dependents: tuple[Path, ...]) -> ModuleSource:
    """A module that dagger.json lists under "dependencies", as an object or as a plain path."""
    entry = item if isinstance(item, dict) else {"source": item}
    reference = entry.get("source")
    if not isinstance(reference, str):
        raise DrydockError(f'{file}: a dependency has no "source"')
    root = (file.parent / reference).resolve()
    if (root / "dagger.json").is_file():
        return read(root, entry.get("name"), dependents)
    if REMOTE.match(reference.partition("@")[0]) or entry.get("pin"):
        raise DrydockError(
            f"{file}: it depends on {reference}, and drydock takes modules of this machine only. "
            "Put a clone beside this module and give its folder, or run this on a Dagger engine."
        )
    raise DrydockError(f"{file}: dependency {reference}: no dagger.json in {root}")


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


def _files(folder: Path) -> Iterator[Path]:
    """Files below a folder, but for those of modules of their own."""
    for path, folders, files in os.walk(folder):
        nested = (f for f in folders if f not in SKIPPED_FOLDERS and f[0] != ".")
        folders[:] = sorted(f for f in nested if not (Path(path) / f / "dagger.json").exists())
        yield from (Path(path) / name for name in sorted(files) if _SUFFIXES.search(name))

"""The workspace: the repository that the caller stands in, and directories of this machine. Reads file names only."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pathspec import GitIgnoreSpec

from drydock.errors import ApiError
from drydock.graph import Local, Value
from drydock.objects import Directory, File
from drydock.patterns import literal


@dataclass(frozen=True, eq=False)
class Workspace(Value):
    """A repository of this machine, and where in it the caller stands."""

    type_name: ClassVar[str] = "Workspace"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    root: str
    """Absolute path of the nearest folder with a `.git`, else of the caller's folder."""
    path: str
    """The caller's folder, relative to the root."""

    @property
    def address(self) -> str:
        """The caller's folder as a URL."""
        return f"file://{posixpath.normpath(posixpath.join(self.root, self.path))}"

    def resolve(self, path: str) -> Path:
        """A path of the workspace on this machine: absolute ones start at the root.

        Raises:
            ApiError: If it leaves the workspace.
        """
        inside = path.lstrip("/") if path.startswith("/") else posixpath.join(self.path, path)
        inside = posixpath.normpath(inside or ".")
        if inside == ".." or inside.startswith("../"):
            raise ApiError(f'path "{inside}" resolves outside root "{self.root}"')
        return Path(self.root) / inside

    def find_up(self, name: str, start: str) -> str | None:
        """Path from the root, with a leading slash, of the nearest `name` in `start` or above it."""
        folder, root = self.resolve(start), Path(self.root)
        for candidate in (folder, *folder.parents):
            if (candidate / name).exists():
                return "/" + posixpath.normpath((candidate / name).relative_to(root))
            if candidate == root:
                return None
        return None


def find_workspace(cwd: Path) -> Workspace:
    """The workspace of a caller that stands in `cwd`."""
    here = cwd.resolve()
    for folder in (here, *here.parents):
        if (folder / ".git").exists():
            return Workspace(str(folder), here.relative_to(folder).as_posix())
    return Workspace(str(here), ".")


def host_directory(
    path: Path,
    exclude: list[str],
    include: list[str],
    *,
    gitignore: bool = False,
    root: Path | None = None,
) -> Directory:
    """A directory of this machine.

    Args:
        path: The directory.
        exclude: Patterns, as in a `.dockerignore`, of what is left out.
        include: Patterns of what alone is taken; all, when there are none.
        gitignore: Leave out what Git would ignore.
        root: The folder whose `.gitignore` is the first that counts (default: the nearest with a `.git`).

    Raises:
        ApiError: If there is no such directory.
    """
    if not path.exists():
        raise ApiError(f"{path}: no such file or directory")
    if not path.is_dir():
        raise ApiError(f"path {path} is a file, not a directory")
    ignored = ignored_paths(path, root or Path(find_workspace(path).root)) if gitignore else ()
    excluded = (*(p for p in exclude if _inside(p)), *ignored)
    return Directory(Local(str(path), tuple(p for p in include if _inside(p)), excluded))


def host_file(path: Path) -> File:
    """A file of this machine.

    Raises:
        ApiError: If there is no such file.
    """
    if not path.exists():
        raise ApiError(f"stat {path}: no such file or directory")
    if path.is_dir():
        raise ApiError(f"path {path} is a directory, not a file")
    return File(Local(str(path.parent), (literal(path.name),)), f"/{path.name}")


def ignored_paths(path: Path, root: Path) -> tuple[str, ...]:
    """Patterns, relative to `path`, of what the `.gitignore` files from `root` down leave out."""
    specs = []
    for folder in [*reversed(path.parents), path]:
        if folder.is_relative_to(root):
            specs.extend(_ignore_file(folder))
    return tuple(_walk(path, path, specs))


def _ignore_file(folder: Path) -> list[tuple[Path, GitIgnoreSpec]]:
    file = folder / ".gitignore"
    if not file.is_file():
        return []
    return [(folder, GitIgnoreSpec.from_lines(file.read_text(errors="replace").splitlines()))]


def _walk(top: Path, folder: Path, specs: list[tuple[Path, GitIgnoreSpec]]) -> Iterator[str]:
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        is_dir = entry.is_dir(follow_symlinks=False)
        path = Path(entry.path)
        if _ignored(path, specs, is_dir=is_dir):
            yield literal(path.relative_to(top).as_posix())
        elif is_dir and entry.name != ".git":
            yield from _walk(top, path, [*specs, *_ignore_file(path)])


def _ignored(path: Path, specs: list[tuple[Path, GitIgnoreSpec]], *, is_dir: bool) -> bool:
    verdict = False
    for folder, spec in specs:  # the nearest file has the last word
        name = path.relative_to(folder).as_posix() + ("/" if is_dir else "")
        include = spec.check_file(name).include
        verdict = verdict if include is None else include
    return verdict


def _inside(pattern: str) -> bool:
    # As the Dagger engine (v0.21, core/schema/host.go): a pattern that points out of the directory says nothing.
    plain = pattern.removeprefix("!")
    return not plain.startswith("/") and ".." not in plain.split("/")

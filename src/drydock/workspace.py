"""The workspace: the repository that the caller stands in, and directories of this machine. Reads file names only."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from drydock.errors import ApiError, MissingPathError
from drydock.gitignore import host_patterns
from drydock.graph import Local, Value
from drydock.objects import Directory, File
from drydock.patterns import literal


@dataclass(frozen=True, eq=False)
class Workspace(Value):
    """A repository of this machine, and where in it the caller stands."""

    type_name: ClassVar[str] = "Workspace"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)
    durable: ClassVar[bool] = False

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
    ignored = host_patterns(path, root or Path(find_workspace(path).root)) if gitignore else ()
    excluded = (*(p for p in exclude if _inside(p)), *ignored)
    return Directory(Local(str(path), tuple(p for p in include if _inside(p)), excluded))


def host_file(path: Path) -> File:
    """A file of this machine.

    Raises:
        ApiError: If there is no such file.
    """
    if not path.exists():
        raise MissingPathError(str(path))
    if path.is_dir():
        raise ApiError(f"path {path} is a directory, not a file")
    return File(Local(str(path.parent), (literal(path.name),)), f"/{path.name}")


def _inside(pattern: str) -> bool:
    # As the Dagger engine (v0.21, core/schema/host.go): a pattern that points out of the directory says nothing.
    plain = pattern.removeprefix("!")
    return not plain.startswith("/") and ".." not in plain.split("/")

"""Writing to directories of this machine. Files get their names when they are whole."""

from __future__ import annotations

import shutil
from pathlib import Path


def existing_parent(path: Path) -> Path:
    """The nearest folder at a path or above it."""
    while not path.is_dir():
        path = path.parent
    return path


def make_folders(folder: Path) -> None:
    """Make a folder and those above it, for their owner alone, as the Dagger engine does (v0.21)."""
    if not folder.is_dir():
        make_folders(folder.parent)
        folder.mkdir(mode=0o700)


def replace_file(source: Path, target: Path) -> None:
    """Move a file to where another may be; that one's mode stays, and a link to it stays a link."""
    real = target.resolve()
    if real.is_file():
        source.chmod(real.stat().st_mode & 0o7777)
    source.replace(real)


def empty(folder: Path, *, but: Path) -> None:
    """Remove what is in a folder, but one entry."""
    for entry in folder.iterdir():
        if entry != but:
            remove(entry)


def remove(path: Path) -> None:
    """Remove a file or a whole directory; nothing when there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def merge(source: Path, target: Path) -> None:
    """Move what is in one folder into another; what is in the way is replaced."""
    for entry in sorted(source.iterdir()):
        into = target / entry.name
        if _is_folder(entry) and _is_folder(into):
            merge(entry, into)
            into.chmod(entry.stat().st_mode & 0o7777)
            continue
        if _is_folder(entry) or _is_folder(into):
            remove(into)
        entry.replace(into)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()

"""What is at a path, as far as a file system's recipe or this machine tell it without a build."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from drydock import hostfs
from drydock.graph import Copy, Fs, Local, MakeDir, MakeFile, Remove, Scratch, Symlink
from drydock.objects import File


@dataclass(frozen=True)
class Known:
    """Something that is there."""

    is_dir: bool
    source: bytes | Path = b""
    """Of a file: its content, or where it is on this machine."""

    def read(self) -> bytes:
        """The content of a file."""
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()


DIRECTORY = Known(is_dir=True)


def known(fs: Fs, path: str) -> Known | None:
    """What is at a path; None where only a build can tell, or would fail."""
    return _find(fs, path) if _settled(fs) else None


def _settled(fs: Fs) -> bool:
    """Whether no command, image or download is part of a file system: nothing that can fail or change."""
    pending, seen = [fs], set()
    while pending:
        current = pending.pop()
        if current.key in seen:
            continue
        seen.add(current.key)
        if isinstance(current, Copy):
            pending += [current.base, current.source]
        elif isinstance(current, (MakeFile, MakeDir, Remove, Symlink)):
            pending.append(current.base)
        elif not isinstance(current, (Scratch, Local)):
            return False
    return True


def _find(fs: Fs, path: str) -> Known | None:
    while path != "/":
        if isinstance(fs, Local):
            found = hostfs.file_path(File(fs, path))
            return Known(is_dir=False, source=found) if found else None
        if not isinstance(fs, (Copy, MakeFile, MakeDir)):
            return None
        dest = fs.dest if isinstance(fs, Copy) else fs.path
        if dest.startswith(path + "/"):
            return DIRECTORY
        if path == dest or path.startswith(dest.rstrip("/") + "/"):
            return _made(fs, path, dest)
        fs = fs.base
    return DIRECTORY


def _made(fs: Copy | MakeFile | MakeDir, path: str, dest: str) -> Known | None:
    """What an operation put at or below the path that it wrote to."""
    if isinstance(fs, MakeFile):
        return Known(is_dir=False, source=fs.data) if path == dest else None
    if isinstance(fs, MakeDir):
        return DIRECTORY if path == dest else _find(fs.base, path)
    if fs.contents and path == dest:
        return DIRECTORY
    if fs.contents and (fs.include or fs.exclude):
        return None
    if not fs.contents and (path != dest or not isinstance(fs.base, Scratch)):
        return None  # a file that is copied onto a directory goes into it
    below = path[len(dest.rstrip("/")) :]
    found = _find(fs.source, (fs.src.rstrip("/") + below) or "/")
    return found if found and not found.is_dir else None

"""Writing to this machine what was built: whole before anything there is touched."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from drydock import hostfs, hostwrite, temporary
from drydock.errors import ApiError
from drydock.graph import Copy, Fs, Local, Scratch
from drydock.objects import Directory, File
from drydock.unpack import unpack

if TYPE_CHECKING:
    from drydock.engine import Engine


class Exports:
    """The exports of one session."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def directory(
        self, directory: Directory, path: str, *, wipe: bool = False, removed: tuple[str, ...] = ()
    ) -> str:
        """Write a directory into one of this machine; returns the absolute path.

        Args:
            directory: What to write.
            path: Where; what is there already stays, unless it is in the way.
            wipe: Remove whatever else is there.
            removed: Paths below `path` to remove.
        """
        target = self._engine.host(path)
        with _beside(hostwrite.existing_parent(target)) as folder:
            await self.fetch(directory, folder)
            hostwrite.make_folders(target)
            for name in removed:
                hostwrite.remove(target / name)
            if wipe:
                hostwrite.empty(target, but=folder)
            hostwrite.merge(folder, target)
        return str(target)

    async def fetch(self, directory: Directory, folder: Path) -> None:
        """Write a directory's content into an empty folder."""
        if isinstance(directory.fs, Local):
            await asyncio.to_thread(hostfs.copy, directory, folder)
            return
        copied = Copy(Scratch(), directory.fs, directory.path, "/", contents=True)
        if not isinstance(directory.fs, Scratch):
            await self._written(copied, folder)

    async def file(self, file: File, path: str, *, into_directory: bool = False) -> str:
        """Write a file to this machine; returns the absolute path.

        Raises:
            ApiError: If there is a directory, and the file is not to go into it.
        """
        target = self._engine.host(path)
        if target.is_dir() or path.endswith("/"):
            if not into_directory:
                raise ApiError(
                    f'destination "{path}" is a directory; must be a file path unless allowParentDirPath is set'
                )
            await self.file(file, str(target / file.name))
            return str(target)
        with _beside(hostwrite.existing_parent(target.parent)) as folder:
            await self._fetch_file(file, folder)
            hostwrite.make_folders(target.parent)
            hostwrite.replace_file(folder / "file", target)
        return str(target)

    async def _fetch_file(self, file: File, folder: Path) -> None:
        """Write a file's content to `file` in an empty folder."""
        if isinstance(file.fs, Local) and (found := hostfs.file_path(file)):
            await asyncio.to_thread(shutil.copy2, found, folder / "file")
            return
        await self._written(Copy(Scratch(), file.fs, file.path, "/file", contents=False), folder)

    async def _written(self, fs: Fs, folder: Path) -> None:
        await unpack(folder, lambda output: self._engine.solve(fs, output))


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A folder on the same disk, from where things can be moved into place at once."""
    with temporary.folder_in(folder, ".drydock-") as path:
        yield path

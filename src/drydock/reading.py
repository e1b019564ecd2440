"""Questions about what is in a file system: answered by this machine where it can, else by one build each."""

from __future__ import annotations

import asyncio
import posixpath
import stat as modes
import tarfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from drydock import hostfs, temporary
from drydock.buildkit import exporter
from drydock.errors import ApiError, MissingPathError
from drydock.graph import Copy, Exec, ExecOutput, Fs, Local, Scratch
from drydock.inflight import InFlight
from drydock.known import known
from drydock.objects import Directory, File, Stat
from drydock.patterns import literal, matcher

if TYPE_CHECKING:
    from drydock.engine import Engine

OUTPUT_KEPT = 1 << 20
"""Bytes up to which an exec's output is kept in memory for the next question."""
LINKS_FOLLOWED = 40
"""As Linux does (path_resolution(7))."""
_KINDS = {"file": "REGULAR", "directory": "DIRECTORY", "symlink": "SYMLINK"}


class Reader:
    """Reads the file systems of one session."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._fetched: InFlight[Path] = InFlight()
        self._outputs: dict[str, dict[str, bytes]] = {}
        self._texts: dict[str, str] = {}

    # -- whole trees -----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def archive(self, fs: Fs) -> AsyncIterator[tarfile.TarFile]:
        """The content of a file system, while the context lasts; fetched once for all who ask meanwhile."""
        async with self._fetched.hold(fs.key, partial(self._fetch, fs)) as path:
            with await asyncio.to_thread(tarfile.open, path) as archive:
                yield archive

    @asynccontextmanager
    async def _fetch(self, fs: Fs) -> AsyncIterator[Path]:
        with temporary.folder() as folder:
            path = folder / "content.tar"
            await self._engine.solve(fs, exporter("tar", {"dest": str(path)}))
            yield path

    # -- files -----------------------------------------------------------------------------------------------------

    async def read(self, file: File, limit: int | None = None) -> bytes:
        """The content of a file.

        Args:
            file: The file.
            limit: Bytes that it may have (default: any number).

        Raises:
            MissingPathError: If it is not there.
            ApiError: If it is a directory, or too big.
        """
        found = known(file.fs, file.path)
        if found and not found.is_dir:
            return found.read()
        async with self.archive(copied(file.fs, file.path)) as archive:
            content = archive.extractfile("entry")
            if content is None:
                raise ApiError(f"path {file.path} is a directory, not a file")
            size = archive.getmember("entry").size
            if limit is not None and size > limit:
                raise ApiError(f"file size {size} exceeds limit {limit}")
            return content.read()

    async def remembered(self, file: File) -> str:
        """The text of a small file that is asked for often."""
        if file.key not in self._texts:
            self._texts[file.key] = (await self.read(file)).decode(errors="replace")
        return self._texts[file.key]

    async def output(self, spec: Exec, name: str) -> bytes:
        """What an exec left: its `stdout`, `stderr`, `combined` output or `exitCode`."""
        if spec.key in self._outputs:
            return self._outputs[spec.key][name]
        async with self.archive(ExecOutput(spec)) as archive:
            files = {m.name: archive.extractfile(m) for m in archive.getmembers() if m.isfile()}
            found = {Path(path).name: content.read() for path, content in files.items() if content}
        # A directory of this machine may have changed when the next question comes.
        alike = list((await self._engine.lowered(ExecOutput(spec))).locals.values()) == [
            self._engine.shim
        ]
        if alike and sum(map(len, found.values())) <= OUTPUT_KEPT:
            self._outputs[spec.key] = found
        return found[name]

    async def stat(self, fs: Fs, path: str, *, follow: bool = True) -> Stat:
        """What is at a path: of a symbolic link what it leads to, unless `follow` is false.

        Raises:
            MissingPathError: If there is nothing.
        """
        if path == "/":
            return Stat("/", "DIRECTORY", 0, 0o755)
        found = known(fs, path)
        if found and isinstance(found.source, Path):
            status = found.source.stat()
            mode = modes.S_IMODE(status.st_mode) & 0o777
            return Stat(posixpath.basename(path), "REGULAR", status.st_size, mode)
        stat = await self._link_stat(fs, path)
        if stat.file_type != "SYMLINK" or not follow:
            return stat
        async with self.archive(copied(fs, path)) as archive:
            return _stat(path, archive.getmember("entry"))

    async def _link_stat(self, fs: Fs, path: str) -> Stat:
        folder, name = posixpath.split(path)
        for _hop in range(LINKS_FOLLOWED):
            members = await self._alone(fs, folder, name, path)
            above, base = posixpath.split(folder)
            if base == name or base not in members or not members[base].issym():
                break
            folder = posixpath.normpath(posixpath.join(above, members[base].linkname))
        if name not in members:
            raise MissingPathError(path)
        return _stat(path, members[name])

    async def _alone(
        self, fs: Fs, folder: str, name: str, asked: str
    ) -> dict[str, tarfile.TarInfo]:
        # By the folder that it is in, and of a directory nothing that is in it: BuildKit's cache knows a file that is
        # copied with patterns by nothing, as they are for what is below it.
        patterns = (literal(name),), (literal(name) + "/*",)
        try:
            async with self.archive(Copy(Scratch(), fs, folder, "/", True, *patterns)) as archive:
                return {member.name.strip("/"): member for member in archive.getmembers()}
        except MissingPathError as error:
            raise MissingPathError(asked if error.path == folder else error.path) from None

    async def kind(self, fs: Fs, path: str, *, follow: bool = True) -> str | None:
        """The type of what is at a path (the API's `FileType`); None for nothing."""
        if follow and (found := known(fs, path)):
            return "DIRECTORY" if found.is_dir else "REGULAR"
        try:
            return (await self.stat(fs, path, follow=follow)).file_type
        except MissingPathError as error:
            if error.path.rstrip("/") != path.rstrip("/"):
                # A link's end is missing, or something that the file system itself is made of.
                await self._engine.sync(fs)
            return None

    async def exists(self, fs: Fs, path: str, expected: str | None, *, follow: bool) -> bool:
        """Whether there is something at a path, of the API's `ExistsType` where one is given."""
        kind = await self.kind(fs, path, follow=follow and expected != "SYMLINK_TYPE")
        return kind is not None and expected in (None, f"{kind}_TYPE")

    # -- directories -----------------------------------------------------------------------------------------------

    async def entries(self, directory: Directory) -> list[str]:
        """Names in a directory, sorted; a directory's ends with a slash.

        Raises:
            MissingPathError: If it is not there.
            ApiError: If it is a file.
        """
        if isinstance(directory.fs, Local):
            return _on_host(hostfs.entries, directory)
        names = await self._names(directory, include=("*",), exclude=("*/*",))
        return [name for name in names if "/" not in name[:-1]]

    async def glob(self, directory: Directory, pattern: str) -> list[str]:
        """Paths in a directory that match a pattern, sorted; a directory's ends with a slash."""
        matches = matcher(pattern)
        if isinstance(directory.fs, Local):
            return [name for name in _on_host(hostfs.names, directory) if matches(name.rstrip("/"))]
        # What is below a match matches as well in BuildKit's eyes: leave out what is too deep to match here.
        deeper = () if "**" in pattern else ("*/" * (pattern.strip("/").count("/") + 1) + "*",)
        names = await self._names(directory, include=(pattern,), exclude=deeper)
        return [name for name in names if matches(name.rstrip("/"))]

    async def _names(
        self, directory: Directory, *, include: tuple[str, ...], exclude: tuple[str, ...]
    ) -> list[str]:
        if isinstance(directory.fs, Scratch) and directory.path == "/":
            return []
        base = posixpath.basename(directory.path)
        try:
            names = await self._copied_names(directory, include, exclude)
        except MissingPathError:
            names = []
        if not base or (names and names != [base]):
            return names
        # A file is copied as what it is, or not found; and by such patterns BuildKit's cache takes it and an empty
        # directory for the same. Nobody but the path itself can tell.
        if (await self.stat(directory.fs, directory.path)).file_type != "DIRECTORY":
            raise ApiError(f"path {directory.path} is a file, not a directory")
        return await self._copied_names(directory, (), ()) if names else names

    async def _copied_names(
        self, directory: Directory, include: tuple[str, ...], exclude: tuple[str, ...]
    ) -> list[str]:
        fs, path = directory.fs, directory.path
        taken = Copy(Scratch(), fs, path, "/", contents=True, include=include, exclude=exclude)
        async with self.archive(taken) as archive:
            members = [(m.name.strip("/"), m.isdir()) for m in archive.getmembers()]
        # As a walk meets them: what is in a directory right after it.
        members.sort(key=lambda member: member[0].split("/"))
        return [name + "/" if is_dir else name for name, is_dir in members if name not in ("", ".")]


def copied(fs: Fs, path: str) -> Copy:
    """What is at a path, or what a link there leads to, as `/entry`."""
    return Copy(Scratch(), fs, path, "/entry", contents=False)


def _stat(path: str, member: tarfile.TarInfo) -> Stat:
    kind = _KINDS.get(kind_of(member), "UNKNOWN")
    return Stat(posixpath.basename(path), kind, member.size, member.mode & 0o777)


def kind_of(member: tarfile.TarInfo) -> str:
    """What an archive's entry is: `file`, `directory`, `symlink` or `other`."""
    if member.isdir():
        return "directory"
    if member.issym():
        return "symlink"
    return "file" if member.isreg() or member.islnk() else "other"


def _on_host(ask: Callable[[Directory], Iterable[str]], directory: Directory) -> list[str]:
    try:
        return list(ask(directory))
    except FileNotFoundError:
        raise MissingPathError(directory.path) from None

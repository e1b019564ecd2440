"""Questions that take a whole tree to answer: what changed, where a text is, what `.gitignore` leaves out, a digest."""

from __future__ import annotations

import asyncio
import hashlib
import posixpath
import stat
import tarfile
from pathlib import Path

from drydock import gitignore, hostfs
from drydock.changesets import Changeset, Entry, Paths, compare
from drydock.errors import MissingPathError
from drydock.graph import Copy, Fs, Local, Scratch
from drydock.objects import Directory
from drydock.reading import Reader, copied, kind_of
from drydock.search import IGNORE_FILES, Query, SearchResult, search, selected


class Trees:
    """Whole trees of the file systems of one session."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._changed: dict[str, Paths] = {}

    async def tree(self, directory: Directory) -> dict[str, Entry]:
        """Every path in a directory, relative to it, with what it holds; of the empty directory none."""
        if isinstance(directory.fs, Scratch):
            return {}
        if isinstance(directory.fs, Local):
            return await asyncio.to_thread(_host_tree, directory, Path(directory.fs.path))
        async with self._reader.archive(copied(directory.fs, directory.path)) as archive:
            return await asyncio.to_thread(_tree, archive)

    async def changed(self, changes: Changeset) -> Paths:
        """The paths that differ between two directories, found out once."""
        if changes.key not in self._changed:
            before, after = [await self.tree(side) for side in (changes.before, changes.after)]
            self._changed[changes.key] = compare(before, after)
        return self._changed[changes.key]

    async def search(self, directory: Directory, query: Query) -> list[SearchResult]:
        """The matches in a directory's files, sorted by path."""
        if isinstance(directory.fs, Scratch):
            return []
        async with self._reader.archive(copied(directory.fs, directory.path)) as archive:
            return await asyncio.to_thread(_search, archive, query)

    async def gitignored(self, directory: Directory) -> list[str]:
        """Patterns of what the `.gitignore` files of a directory's file system leave out of it."""
        wanted = (gitignore.NAME, f"**/{gitignore.NAME}")
        files = Copy(Scratch(), directory.fs, "/", "/entry", contents=True, include=wanted)
        async with self._reader.archive(files) as archive:
            found = {_below(m): archive.extractfile(m) for m in archive.getmembers() if m.isreg()}
            rules = tuple(
                (posixpath.dirname(path), file.read().decode(errors="replace"))
                for path, file in sorted(found.items())
                if file
            )
        if not rules:
            return []
        prefix = directory.path.strip("/")
        tree = await self.tree(directory)
        paths = [
            (posixpath.join(prefix, path), entry.kind == "directory")
            for path, entry in sorted(tree.items(), key=lambda item: item[0].split("/"))
        ]
        return list(gitignore.patterns(paths, rules, prefix))

    async def digest(self, fs: Fs) -> str:
        """Digest of a file system's content: names, modes, owners and bytes, not times."""
        total = hashlib.sha256()
        for path, entry in sorted((await self.tree(Directory(fs))).items()):
            total.update(repr((path, entry)).encode())
        return f"sha256:{total.hexdigest()}"


def _below(member: tarfile.TarInfo) -> str:
    return member.name.strip("/").removeprefix("entry").lstrip("/")


def _tree(archive: tarfile.TarFile) -> dict[str, Entry]:
    found = {}
    for member in archive.getmembers():
        if path := _below(member):
            content = archive.extractfile(member) if member.isreg() or member.islnk() else None
            digest = hashlib.file_digest(content, "sha256").hexdigest() if content else ""  # type: ignore[arg-type]
            found[path] = Entry(
                kind_of(member),
                member.mode & 0o7777,
                digest or member.linkname,
                (member.uid, member.gid),
            )
    return found


def _host_tree(directory: Directory, top: Path) -> dict[str, Entry]:
    try:
        names = list(hostfs.names(directory))
    except FileNotFoundError:
        raise MissingPathError(directory.path) from None
    found = {}
    for name in names:
        path = top / directory.path.strip("/") / name
        status = path.lstat()
        if path.is_symlink():
            kind, content = "symlink", str(path.readlink())
        elif path.is_file():
            kind, content = "file", hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            kind, content = "directory" if path.is_dir() else "other", ""
        # What comes from this machine is root's, as the API has it.
        found[name.rstrip("/")] = Entry(kind, stat.S_IMODE(status.st_mode), content, (0, 0))
    return found


def _search(archive: tarfile.TarFile, query: Query) -> list[SearchResult]:
    members = {_below(m): m for m in archive.getmembers() if m.isreg() or m.islnk()}

    def content(path: str) -> bytes:
        file = archive.extractfile(members[path])
        return file.read() if file else b""

    rules = tuple(
        (posixpath.dirname(path), content(path).decode(errors="replace"))
        for path in sorted(members if query.skip_ignored else ())
        if posixpath.basename(path) in IGNORE_FILES
    )
    takes = selected(query, rules)
    return search(((path, content(path)) for path in sorted(members) if takes(path)), query)

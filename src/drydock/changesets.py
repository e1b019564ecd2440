"""What changed between two directories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from drydock.graph import Copy, Diff, Fs, Remove, Scratch, Value
from drydock.objects import Directory

SYNCED = ("Node", "Syncer", "Exportable")


@dataclass(frozen=True, eq=False)
class Changeset(Value):
    """Two directories to compare."""

    type_name: ClassVar[str] = "Changeset"
    interfaces: ClassVar[tuple[str, ...]] = SYNCED

    before: Directory
    after: Directory

    @property
    def layer(self) -> Directory:
        """What `after` has, and `before` has not, or not like this."""
        return Directory(Diff(self.before.alone, self.after.alone))


@dataclass(frozen=True, eq=False)
class DiffStat(Value):
    """How one path changed."""

    type_name: ClassVar[str] = "DiffStat"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    path: str
    kind: str
    """As the API's `DiffStatKind`."""
    added_lines: int = 0
    removed_lines: int = 0
    old_path: str | None = None


@dataclass(frozen=True)
class Entry:
    """One path of a tree, by what it holds."""

    kind: str
    """`file`, `directory`, `symlink` or `other`."""
    mode: int
    content: str
    """Of a file the SHA-256 of its bytes, of a symbolic link its target."""
    owner: tuple[int, int]


@dataclass(frozen=True)
class Paths:
    """Paths that changed, sorted; a directory's ends with a slash."""

    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    """Files alone: what happens to a directory is told by what is in it."""
    removed: tuple[str, ...] = ()
    """Of a directory that is gone nothing that was in it."""
    all_removed: tuple[str, ...] = ()

    @property
    def only_directories(self) -> bool:
        """Whether no file changed, for which `git diff` says that nothing did."""
        files = [path for path in (*self.added, *self.all_removed) if not path.endswith("/")]
        return not files and not self.modified


def compare(before: dict[str, Entry], after: dict[str, Entry]) -> Paths:
    """Compare two trees as Git does: by content, type and whether a file can be executed."""
    gone = [path for path in before if _type(before, path) != _type(after, path)]
    new = [path for path in after if _type(before, path) != _type(after, path)]
    changed = [
        path
        for path in after
        if path in before
        and path not in new
        and after[path].kind != "directory"
        and _content(before[path]) != _content(after[path])
    ]
    removed = sorted(_shown(before, path) for path in gone)
    return Paths(
        tuple(sorted(_shown(after, path) for path in new)),
        tuple(sorted(changed)),
        tuple(path for path in removed if not _covered(path, set(removed))),
        tuple(removed),
    )


def apply(base: Directory, changes: Changeset, paths: Paths) -> Directory:
    """A directory with the changes made to it."""
    fs: Fs = base.fs
    for path in paths.removed:
        fs = Remove(fs, base.join(path))
    if paths.added or paths.modified:
        fs = Copy(fs, changes.layer.fs, "/", base.path, contents=True)
    return base.with_fs(fs) if paths != Paths() else base


def _type(tree: dict[str, Entry], path: str) -> str:
    # A file and a link are both blobs to Git: one in place of the other is a change of it.
    kind = tree[path].kind if path in tree else ""
    return "file" if kind == "symlink" else kind


def _content(entry: Entry) -> tuple[str, bool, str]:
    return entry.kind, bool(entry.mode & 0o100) and entry.kind == "file", entry.content


def _shown(tree: dict[str, Entry], path: str) -> str:
    return path + "/" if tree[path].kind == "directory" else path


def _covered(path: str, removed: set[str]) -> bool:
    parts = path.rstrip("/").split("/")
    return any("/".join(parts[:depth]) + "/" in removed for depth in range(1, len(parts)))


EMPTY = Changeset(Directory(Scratch()), Directory(Scratch()))

"""Changes of files to BuildKit's low-level build language (LLB): several in one operation where they can."""

from __future__ import annotations

from drydock import ops_pb2 as pb
from drydock.errors import MissingPathError
from drydock.graph import Copy, Fs, MakeDir, MakeFile, Owner, Remove, Scratch, Symlink
from drydock.llb_assembly import NO_INPUT, Assembly, Ref

KEEP = -1  # of a mode or time stamp: as it is in the source
TOGETHER = 64
"""Changes in one operation, in long chains. Each operation is a layer, and an overlay takes only some hundreds."""

Change = Copy | MakeFile | MakeDir | Symlink | Remove


def alone(fs: Fs) -> bool:
    """Whether a change needs nothing but what it changes: such ones can share an operation."""
    if isinstance(fs, Copy):
        return isinstance(fs.source, MakeFile) and isinstance(fs.source.base, Scratch)
    return isinstance(fs, (MakeFile, MakeDir, Symlink, Remove))


def together(fs: Change) -> list[Change]:
    """The changes that share an operation with this one, which is the last of them.

    Sixty-four of them do, counted from where their run begins; those after the last sixty-four are alone. So what two
    directories have in common is one operation for both, and no difference between them.
    """
    run: list[Change] = []
    current: Fs = fs
    while isinstance(current, Change) and alone(current):
        run.append(current)
        current = current.base
    return run[:TOGETHER][::-1] if run and len(run) % TOGETHER == 0 else [fs]


def lower_files(lowering: Assembly, run: list[Change]) -> Ref | None:
    """Lower changes, each of which is made to what the one before it leaves; None for an empty result."""
    [first, *_rest] = run
    base = lowering.fs(first.base)
    apart = isinstance(first, Copy) and not alone(first)
    source = lowering.fs(first.source) if isinstance(first, Copy) and apart else None
    op = lowering.new(*(ref for ref in (base, source) if ref))
    actions = _Actions(op)
    current = 0 if base else NO_INPUT
    for change in run:
        current = actions.change(change, current, (1 if base else 0) if source else NO_INPUT)
    if not op.file.actions:
        return base
    op.file.actions[-1].output = 0
    return Ref(lowering.add(op, _name(run)), 0)


class _Actions:
    """The actions of one operation; each gives the number of its result."""

    def __init__(self, op: pb.Op) -> None:
        self._op = op

    def change(self, change: Change, base: int, source: int) -> int:
        if isinstance(change, Copy):
            return self._copy(change, base, source)
        if isinstance(change, MakeFile):
            return self._make_file(change, self._parents(change.path, base))
        if isinstance(change, MakeDir):
            return self._make_dir(change.path, change.mode, change.owner, base)
        if isinstance(change, Symlink):
            return self._link(change, self._parents(change.path, base))
        return self._remove(change, base)

    def _add(self, base: int, second: int = NO_INPUT) -> pb.FileAction:
        return self._op.file.actions.add(input=base, secondaryInput=second, output=NO_INPUT)

    def _last(self) -> int:
        return len(self._op.inputs) + len(self._op.file.actions) - 1

    def _copy(self, change: Copy, base: int, source: int) -> int:
        if source == NO_INPUT and isinstance(change.source, MakeFile):
            parents = self._parents(change.source.path, NO_INPUT)
            source = self._make_file(change.source, parents)
        if source == NO_INPUT and change.src != "/":
            raise MissingPathError(change.src)
        if source == NO_INPUT:
            return self._make_dir(change.dest, change.mode or 0o755, change.owner, base)
        if change.mode is not None or change.owner is not None:
            # They are for what is copied: BuildKit would give them to the directories above it too.
            base = self._parents(change.dest, base)
        copy = self._add(base, source).copy
        copy.src, copy.dest = change.src, change.dest
        copy.mode = KEEP if change.mode is None else change.mode
        copy.timestamp = KEEP if change.timestamp is None else change.timestamp * 1_000_000_000
        copy.createDestPath = True
        # With patterns BuildKit would follow every link that they take, and fail at one that leads nowhere.
        copy.followSymlink = not (change.include or change.exclude)
        copy.alwaysReplaceExistingDestPaths = True
        copy.dirCopyContents = change.contents
        copy.include_patterns.extend(change.include)
        copy.exclude_patterns.extend(change.exclude)
        self._chown(copy.owner, change.owner)
        return self._last()

    def _make_file(self, change: MakeFile, base: int) -> int:
        made = self._add(base).mkfile
        made.path, made.mode, made.timestamp = change.path, change.mode, KEEP
        made.data = change.data
        self._chown(made.owner, change.owner)
        return self._last()

    def _make_dir(self, path: str, mode: int, owner: Owner | None, base: int) -> int:
        made = self._add(base).mkdir
        made.path, made.mode, made.makeParents, made.timestamp = path, mode, True, KEEP
        self._chown(made.owner, owner)
        return self._last()

    def _parents(self, path: str, base: int) -> int:
        parent = path.rstrip("/").rsplit("/", 1)[0]
        return self._make_dir(parent, 0o755, None, base) if parent else base

    def _link(self, change: Symlink, base: int) -> int:
        made = self._add(base).symlink
        made.oldpath, made.newpath, made.timestamp = change.target, change.path, KEEP
        return self._last()

    def _remove(self, change: Remove, base: int) -> int:
        if base == NO_INPUT:
            return base
        removed = self._add(base).rm
        removed.path, removed.allowNotFound, removed.allowWildcard = (
            change.path,
            True,
            change.wildcard,
        )
        return self._last()

    def _chown(self, target: pb.ChownOpt, owner: Owner | None) -> None:
        if owner is not None:
            target.user.byID, target.group.byID = owner.user, owner.group


def _name(run: list[Change]) -> str:
    last = run[-1]
    rest = f", and {len(run) - 1} more" if len(run) > 1 else ""
    if isinstance(last, Copy):
        return f"copy {last.src} to {last.dest}{rest}"
    if isinstance(last, Symlink):
        return f"link {last.path} to {last.target}{rest}"
    word = {MakeFile: "write", MakeDir: "make directory", Remove: "remove"}[type(last)]
    return f"{word} {last.path}{rest}"

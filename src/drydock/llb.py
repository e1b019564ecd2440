"""`graph` values to BuildKit's low-level build language (LLB): pure and deterministic.

The message fields and their meaning are those of BuildKit's solver/pb/ops.proto (v0.34).
"""

from __future__ import annotations

import functools
import hashlib

from drydock.graph import (
    Copy,
    Diff,
    Exec,
    ExecMount,
    ExecOutput,
    ExecRoot,
    Fs,
    Http,
    Image,
    Local,
    MakeDir,
    MakeFile,
    OciLayout,
    Remove,
    Scratch,
    Symlink,
)
from drydock.llb_assembly import Assembly, Lowered, Ref, Settings
from drydock.llb_exec import OUTPUT_DIR, lower_exec
from drydock.llb_files import Change, lower_files, together


def lower(fs: Fs, settings: Settings) -> Lowered:
    """Lower a file system to a definition.

    Args:
        fs: What to build.
        settings: The machine's facts.

    Returns:
        The serialized definition with its side inputs. The empty file system gives empty bytes: BuildKit has no
        operation for it.
    """
    lowering = _Lowering(settings)
    ref = lowering.fs(fs)
    lowering.result.definition = lowering.finish(ref)
    return lowering.result


class _Lowering(Assembly):
    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.done: dict[str, Ref | None] = {}
        self.exec_done: dict[str, tuple[str, dict[str, int]]] = {}

    # -- file systems ----------------------------------------------------------------------------------------------

    def fs(self, fs: Fs) -> Ref | None:
        """The reference of a file system; None for the empty one."""
        # A long chain of values is deeper than Python's stack likes: lower the bases first.
        for pending in _bases_first(fs, self.done):
            self.done[pending.key] = self._fs(pending)
        return self.done[fs.key]

    @functools.singledispatchmethod
    def _fs(self, fs: Fs) -> Ref | None:
        raise TypeError(f"cannot lower {type(fs).__name__}")

    @_fs.register
    def _(self, _fs: Scratch) -> Ref | None:
        return None

    @_fs.register
    def _(self, fs: Image) -> Ref | None:
        op = self.new(platform=fs.platform)
        op.source.identifier = "docker-image://" + fs.ref
        # Named in full: another build that resolves this very image is told of the operation by this name.
        return Ref(self.add(op, f"pull {fs.ref}"), 0)

    @_fs.register
    def _(self, fs: OciLayout) -> Ref | None:
        name = hashlib.sha256(fs.store.encode()).hexdigest()[:24]
        self.result.layouts[name] = fs.store
        op = self.new()
        op.source.identifier = f"oci-layout://drydock/{name}@{fs.digest}"
        op.source.attrs["oci.store"] = name
        return Ref(self.add(op, "load image"), 0)

    @_fs.register
    def _(self, fs: Http) -> Ref | None:
        op = self.new()
        op.source.identifier = fs.url
        op.source.attrs["http.filename"] = fs.name
        op.source.attrs["http.perm"] = f"0{fs.mode:o}"
        if fs.checksum:
            op.source.attrs["http.checksum"] = fs.checksum
        if fs.authorization:
            op.source.attrs["http.authheadersecret"] = self.secret(fs.authorization)
        return Ref(self.add(op, f"download {fs.url}"), 0)

    @_fs.register
    def _(self, fs: Local) -> Ref | None:
        return self.local(fs.path, fs.include, fs.exclude, f"read {fs.path}")

    @_fs.register(Copy)
    @_fs.register(MakeFile)
    @_fs.register(MakeDir)
    @_fs.register(Symlink)
    @_fs.register(Remove)
    def _(self, fs: Change) -> Ref | None:
        return lower_files(self, together(fs))

    @_fs.register
    def _(self, fs: Diff) -> Ref | None:
        upper, lower_ref = self.fs(fs.upper), self.fs(fs.lower)
        if upper is None or lower_ref is None:
            return upper
        op = self.new(lower_ref, upper)
        op.diff.lower.input, op.diff.upper.input = 0, 1
        return Ref(self.add(op, "diff"), 0)

    @_fs.register
    def _(self, fs: ExecRoot) -> Ref | None:
        digest, outputs = self.exec(fs.exec)
        return Ref(digest, outputs["/"])

    @_fs.register
    def _(self, fs: ExecMount) -> Ref | None:
        digest, outputs = self.exec(fs.exec)
        return Ref(digest, outputs[fs.dest])

    @_fs.register
    def _(self, fs: ExecOutput) -> Ref | None:
        digest, outputs = self.exec(fs.exec)
        return Ref(digest, outputs[OUTPUT_DIR])

    # -- execs -----------------------------------------------------------------------------------------------------

    def exec(self, spec: Exec) -> tuple[str, dict[str, int]]:
        if spec.key not in self.exec_done:
            self.exec_done[spec.key] = lower_exec(self, spec)
        return self.exec_done[spec.key]


def _bases_first(fs: Fs, done: dict[str, Ref | None]) -> list[Fs]:
    chain: list[Fs] = []
    current: Fs | None = fs
    while current is not None and current.key not in done:
        chain.append(current)
        current = _base(current)
    return chain[::-1]


def _base(fs: Fs) -> Fs | None:
    if isinstance(fs, Change):
        return together(fs)[0].base
    if isinstance(fs, (ExecRoot, ExecMount, ExecOutput)):
        return fs.exec.root
    return None

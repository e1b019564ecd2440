"""`graph` values to BuildKit's low-level build language (LLB): pure and deterministic.

The message fields and their meaning are those of BuildKit's solver/pb/ops.proto (v0.34).
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from drydock import ops_pb2 as pb
from drydock.graph import (
    CacheMount,
    Copy,
    Diff,
    Exec,
    ExecMount,
    ExecOutput,
    ExecRoot,
    Fs,
    FsMount,
    Image,
    Local,
    MakeDir,
    MakeFile,
    Mount,
    OciLayout,
    Owner,
    Remove,
    Scratch,
    SecretMount,
    Symlink,
    TmpfsMount,
)

SHIM_DIR = "/dev/.drydock/bin"
OUTPUT_DIR = "/dev/.drydock/io"
INPUT_DIR = "/dev/.drydock/in"
# /dev is a file system in memory, so none of these leaves a mount point in the image.

KEEP = -1  # of a mode or time stamp: as it is in the source
NO_INPUT = -1


@dataclass(frozen=True)
class Ref:
    """One output of one operation."""

    digest: str
    index: int


@dataclass
class Lowered:
    """A definition, and what the client has to offer beside it."""

    definition: bytes = b""
    locals: dict[str, str] = field(default_factory=dict)
    """Name in the definition → folder of this machine."""
    layouts: dict[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    execs: dict[str, Exec] = field(default_factory=dict)
    """Name of the operation → the exec it runs, to explain a failure."""
    insecure: bool = False


@dataclass(frozen=True)
class Settings:
    """What lowering needs to know of the machine: where the shim is, for which platform."""

    shim: str
    """Folder that holds the program `drydock-shim`."""
    platform: str = "linux/amd64"
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Service key → IP address, for execs that are bound to running services."""


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


def local_name(path: str, include: tuple[str, ...], exclude: tuple[str, ...]) -> str:
    """Name of a local source: one per folder and filter, so that each keeps its own state in the daemon."""
    return hashlib.sha256(json.dumps([path, include, exclude]).encode()).hexdigest()[:24]


class _Lowering:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.result = Lowered()
        self.ops: dict[str, bytes] = {}
        self.names: dict[str, str] = {}
        self.done: dict[str, Ref | None] = {}
        self.exec_done: dict[str, tuple[str, dict[str, int]]] = {}

    # -- assembling ------------------------------------------------------------------------------------------------

    def new(self, *inputs: Ref, platform: str | None = None) -> pb.Op:
        os_name, _, rest = (platform or self.settings.platform).partition("/")
        architecture, _, variant = rest.partition("/")
        op = pb.Op(platform=pb.Platform(OS=os_name, Architecture=architecture, Variant=variant))
        op.constraints.SetInParent()
        for ref in inputs:
            op.inputs.add(digest=ref.digest, index=ref.index)
        return op

    def add(self, op: pb.Op, name: str) -> str:
        raw = op.SerializeToString(deterministic=True)
        digest = "sha256:" + hashlib.sha256(raw).hexdigest()
        if digest not in self.ops:
            self.ops[digest] = raw
            self.names[digest] = name
        return digest

    def finish(self, ref: Ref | None) -> bytes:
        if ref is None:
            return b""
        last = pb.Op()
        last.inputs.add(digest=ref.digest, index=ref.index)
        definition = pb.Definition()
        getattr(definition, "def").extend(
            [*self.ops.values(), last.SerializeToString(deterministic=True)]
        )
        for digest, name in self.names.items():
            definition.metadata[digest].description["llb.customname"] = name
        return definition.SerializeToString(deterministic=True)

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
    def _(self, fs: Local) -> Ref | None:
        return self.local(fs.path, fs.include, fs.exclude, f"read {fs.path}")

    def local(
        self, path: str, include: tuple[str, ...], exclude: tuple[str, ...], label: str
    ) -> Ref:
        name = local_name(path, include, exclude)
        self.result.locals[name] = path
        op = self.new()
        op.source.identifier = "local://" + name
        if include:
            op.source.attrs["local.includepattern"] = json.dumps(include)
        if exclude:
            op.source.attrs["local.excludepatterns"] = json.dumps(exclude)
        return Ref(self.add(op, label), 0)

    @_fs.register
    def _(self, fs: Copy) -> Ref | None:
        source = self.fs(fs.source)
        if source is None:
            return (
                self.make_dir(fs.base, fs.dest, fs.mode or 0o755, fs.owner)
                if fs.contents
                else _missing(fs)
            )
        op, base, second = self.file_op(fs.base, source)
        action = op.file.actions.add(input=base, secondaryInput=second, output=0)
        copy = action.copy
        copy.src, copy.dest = fs.src, fs.dest
        copy.mode = KEEP if fs.mode is None else fs.mode
        copy.timestamp = KEEP if fs.timestamp is None else fs.timestamp * 1_000_000_000
        copy.createDestPath = True
        copy.dirCopyContents = fs.contents
        copy.include_patterns.extend(fs.include)
        copy.exclude_patterns.extend(fs.exclude)
        self.chown(op, copy.owner, fs.owner)
        return Ref(self.add(op, f"copy {fs.src} to {fs.dest}"), 0)

    @_fs.register
    def _(self, fs: MakeFile) -> Ref | None:
        op, base, _second = self.file_op(self.with_parent(fs.base, fs.path))
        action = op.file.actions.add(input=base, secondaryInput=NO_INPUT, output=0)
        made = action.mkfile
        made.path, made.mode, made.data, made.timestamp = fs.path, fs.mode, fs.data, KEEP
        self.chown(op, made.owner, fs.owner)
        return Ref(self.add(op, f"write {fs.path}"), 0)

    def with_parent(self, base: Fs, path: str) -> Fs:
        parent = path.rsplit("/", 1)[0]
        if not parent:
            return base
        made = MakeDir(base, parent)
        self.fs(made)
        return made

    @_fs.register
    def _(self, fs: MakeDir) -> Ref | None:
        return self.make_dir(fs.base, fs.path, fs.mode, fs.owner)

    def make_dir(self, base_fs: Fs, path: str, mode: int, owner: Owner | None) -> Ref | None:
        op, base, _second = self.file_op(base_fs)
        action = op.file.actions.add(input=base, secondaryInput=NO_INPUT, output=0)
        made = action.mkdir
        made.path, made.mode, made.makeParents, made.timestamp = path, mode, True, KEEP
        self.chown(op, made.owner, owner)
        return Ref(self.add(op, f"make directory {path}"), 0)

    @_fs.register
    def _(self, fs: Symlink) -> Ref | None:
        op, base, _second = self.file_op(self.with_parent(fs.base, fs.path))
        action = op.file.actions.add(input=base, secondaryInput=NO_INPUT, output=0)
        action.symlink.oldpath, action.symlink.newpath, action.symlink.timestamp = (
            fs.target,
            fs.path,
            KEEP,
        )
        return Ref(self.add(op, f"link {fs.path} to {fs.target}"), 0)

    @_fs.register
    def _(self, fs: Remove) -> Ref | None:
        if self.fs(fs.base) is None:
            return None
        op, base, _second = self.file_op(fs.base)
        action = op.file.actions.add(input=base, secondaryInput=NO_INPUT, output=0)
        action.rm.path, action.rm.allowNotFound, action.rm.allowWildcard = fs.path, True, True
        return Ref(self.add(op, f"remove {fs.path}"), 0)

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

    # -- file operations -------------------------------------------------------------------------------------------

    def file_op(self, base: Fs, second: Ref | None = None) -> tuple[pb.Op, int, int]:
        """An operation on `base`: itself, and the input indexes of `base` and `second` (-1: none)."""
        base_ref = self.fs(base)
        refs = [ref for ref in (base_ref, second) if ref is not None]
        op = self.new(*refs)
        return (
            op,
            0 if base_ref else NO_INPUT,
            len(refs) - 1 if second else NO_INPUT,
        )

    def chown(self, op: pb.Op, target: pb.ChownOpt, owner: Owner | None) -> None:
        if owner is None:
            return
        names = self.fs(owner.names) if owner.names else None
        for value, option in ((owner.user, target.user), (owner.group, target.group)):
            if value.isdigit():
                option.byID = int(value)
            else:
                option.byName.name = value
                option.byName.input = self.input_index(op, names)

    def input_index(self, op: pb.Op, ref: Ref | None) -> int:
        if ref is None:
            return NO_INPUT
        for index, known in enumerate(op.inputs):
            if (known.digest, known.index) == (ref.digest, ref.index):
                return index
        op.inputs.add(digest=ref.digest, index=ref.index)
        return len(op.inputs) - 1

    # -- execs -----------------------------------------------------------------------------------------------------

    def exec(self, spec: Exec) -> tuple[str, dict[str, int]]:
        if spec.key not in self.exec_done:
            self.exec_done[spec.key] = self._exec(spec)
        return self.exec_done[spec.key]

    def _exec(self, spec: Exec) -> tuple[str, dict[str, int]]:
        op = self.new()
        meta = op.exec.meta
        meta.args.extend([*shim_command(spec), *spec.args])
        meta.env.extend(f"{name}={value}" for name, value in spec.env)
        meta.cwd, meta.user = spec.cwd, spec.user
        meta.removeMountStubsRecursive = True
        for alias, service in spec.hosts:
            meta.extraHosts.add(Host=alias, IP=self.settings.addresses[service])
        if spec.insecure:
            op.exec.security = pb.INSECURE
            self.result.insecure = True
        for name, secret in spec.secret_env:
            op.exec.secretenv.add(ID=secret.id, name=name)
            self.result.secrets.add(secret.id)
        outputs = self.mounts(op, spec)
        name = "exec " + " ".join(spec.args)
        # By name: BuildKit may normalise an operation, and then reports it under another digest.
        self.result.execs[name] = spec
        return self.add(op, name), outputs

    def mounts(self, op: pb.Op, spec: Exec) -> dict[str, int]:
        outputs: dict[str, int] = {}

        def bind(dest: str, ref: Ref | None, *, src: str = "/", readonly: bool = False) -> None:
            mount = op.exec.mounts.add(
                input=self.input_index(op, ref), dest=dest, readonly=readonly
            )
            mount.selector = "" if src == "/" else src
            mount.output = NO_INPUT if readonly else len(outputs)
            if not readonly:
                outputs[dest] = len(outputs)

        bind("/", self.fs(_by_content(spec.root)))
        bind(OUTPUT_DIR, self.fs(_output_files()))
        shim = self.local(self.settings.shim, ("drydock-shim",), (), "read drydock's exec shim")
        bind(SHIM_DIR, shim, readonly=True)
        if spec.stdin:
            bind(
                INPUT_DIR,
                self.fs(MakeFile(Scratch(), "/stdin", spec.stdin.encode())),
                readonly=True,
            )
        for mount in sorted(spec.mounts, key=lambda m: m.dest):
            if isinstance(mount, FsMount):
                source = mount.source if mount.readonly else _by_content(mount.source)
                bind(mount.dest, self.fs(source), src=mount.src, readonly=mount.readonly)
            else:
                self.special_mount(op, mount)
        return outputs

    def special_mount(self, op: pb.Op, mount: Mount) -> None:
        made = op.exec.mounts.add(input=NO_INPUT, output=NO_INPUT, dest=mount.dest)
        if isinstance(mount, CacheMount):
            made.mountType = pb.CACHE
            made.input = self.input_index(op, self.fs(mount.base) if mount.base else None)
            made.cacheOpt.ID = mount.volume
            made.cacheOpt.sharing = pb.CacheSharingOpt.Name(mount.sharing.value)  # type: ignore[assignment]
        elif isinstance(mount, TmpfsMount):
            made.mountType = pb.TMPFS
            made.TmpfsOpt.size = mount.size
        elif isinstance(mount, SecretMount):
            made.mountType = pb.SECRET
            made.secretOpt.ID = mount.secret.id
            made.secretOpt.uid, made.secretOpt.gid, made.secretOpt.mode = (
                mount.uid,
                mount.gid,
                mount.mode,
            )
            self.result.secrets.add(mount.secret.id)
        else:
            raise TypeError(f"cannot mount {type(mount).__name__}")


def shim_command(spec: Exec) -> list[str]:
    """The shim's command line up to and with `--`: it keeps output and exit code, and hides secrets."""
    options = ["-out", OUTPUT_DIR]
    if spec.stdin:
        options += ["-stdin", f"{INPUT_DIR}/stdin"]
    for flag, path in (
        ("-stdin", spec.redirect_stdin),
        ("-stdout", spec.redirect_stdout),
        ("-stderr", spec.redirect_stderr),
    ):
        if path:
            options += [flag, path]
    for name, _secret in spec.secret_env:
        options += ["-secret-env", name]
    for mount in spec.mounts:
        if isinstance(mount, SecretMount):
            options += ["-secret-file", mount.dest]
    options += ["-expect", spec.expect.value.lower()]
    if spec.service:
        options += ["-service", spec.service]
    for port in spec.ready:
        options += ["-ready", str(port)]
    return [f"{SHIM_DIR}/drydock-shim", *options, "--"]


def _output_files() -> Fs:
    # Made beforehand and writable by all: the exec's user may be anybody, the mount's root belongs to root.
    fs: Fs = Scratch()
    for name in ("stdout", "stderr", "combined", "exitCode"):
        fs = MakeFile(fs, f"/{name}", b"", mode=0o666)
    return fs


def _by_content(fs: Fs) -> Fs:
    # BuildKit knows a local directory by its session, and what an exec may write to by that alone: a copy is known
    # by its content, so that the exec is found in the cache by the next session too.
    return Copy(Scratch(), fs, "/", "/", contents=True) if isinstance(fs, Local) else fs


def _missing(fs: Copy) -> Ref:
    raise FileNotFoundError(fs.src)


def _bases_first(fs: Fs, done: dict[str, Ref | None]) -> list[Fs]:
    chain: list[Fs] = []
    current: Fs | None = fs
    while current is not None and current.key not in done:
        chain.append(current)
        current = _base(current)
    return chain[::-1]


def _base(fs: Fs) -> Fs | None:
    if isinstance(fs, (Copy, MakeFile, MakeDir, Symlink, Remove)):
        return fs.base
    if isinstance(fs, (ExecRoot, ExecMount, ExecOutput)):
        return fs.exec.root
    return None

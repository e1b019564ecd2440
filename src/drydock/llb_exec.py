"""Execs and their mounts to BuildKit's low-level build language (LLB)."""

from __future__ import annotations

import hashlib

from drydock import ops_pb2 as pb
from drydock.graph import (
    CacheMount,
    Copy,
    Exec,
    Fs,
    FsMount,
    Local,
    MakeFile,
    Mount,
    Scratch,
    SecretMount,
    SocketMount,
    TmpfsMount,
)
from drydock.llb_assembly import LINK, NO_INPUT, Assembly, Ref

SHIM_DIR = "/dev/.drydock/bin"
OUTPUT_DIR = "/dev/.drydock/io"
INPUT_DIR = "/dev/.drydock/in"
LINK_SOCKET = "/dev/.drydock/link"
# /dev is a file system in memory, so none of these leaves a mount point in the image.
HOSTS = "/etc/hosts"


def lower_exec(lowering: Assembly, spec: Exec) -> tuple[str, dict[str, int]]:
    """Lower an exec: the digest of its operation, and the index of each output by where it is mounted."""
    op = lowering.new()
    meta = op.exec.meta
    meta.args.extend([*shim_command(spec), *spec.args])
    meta.env.extend(f"{name}={value}" for name, value in spec.env)
    meta.cwd, meta.user = spec.cwd, spec.user
    meta.removeMountStubsRecursive = True
    lowering.result.services.update((service.key, service) for _alias, service in spec.hosts)
    if spec.insecure:
        op.exec.security = pb.INSECURE
        lowering.result.insecure = True
    for name, secret in (*spec.secret_env, *spec.volatile):
        op.exec.secretenv.add(ID=lowering.secret(secret), name=name)
    outputs = _mounts(lowering, op, spec)
    name = f"forward ports {spec.forward}" if spec.forward else "exec " + " ".join(spec.args)
    # By name: BuildKit may normalise an operation, and then reports it under another digest.
    lowering.result.execs[name] = spec
    return lowering.add(op, name), outputs


def _mounts(lowering: Assembly, op: pb.Op, spec: Exec) -> dict[str, int]:
    outputs: dict[str, int] = {}

    def bind(dest: str, ref: Ref | None, *, src: str = "/", readonly: bool = False) -> None:
        mount = op.exec.mounts.add(
            input=lowering.input_index(op, ref), dest=dest, readonly=readonly
        )
        mount.selector = "" if src == "/" else src
        mount.output = NO_INPUT if readonly else len(outputs)
        if not readonly:
            outputs[dest] = len(outputs)

    bind("/", lowering.fs(_by_content(spec.root)))
    bind(OUTPUT_DIR, lowering.fs(_output_files()))
    shim = lowering.local(lowering.settings.shim, ("drydock-shim",), (), "read drydock's exec shim")
    bind(SHIM_DIR, shim, readonly=True)
    if spec.stdin:
        bind(
            INPUT_DIR,
            lowering.fs(MakeFile(Scratch(), "/stdin", spec.stdin.encode())),
            readonly=True,
        )
    if _linked(spec):
        _socket(lowering, op, LINK_SOCKET, pb.SSHOpt(ID=LINK, mode=0o666), "")
    if _hosts_filled(spec):
        bind(HOSTS, lowering.fs(_hosts_file()), src="/hosts")
    for mount in sorted(spec.mounts, key=lambda m: m.dest):
        if isinstance(mount, FsMount):
            source = mount.source if mount.readonly else _by_content(mount.source)
            bind(mount.dest, lowering.fs(source), src=mount.src, readonly=mount.readonly)
        else:
            _special_mount(lowering, op, mount)
    return outputs


def _socket(lowering: Assembly, op: pb.Op, dest: str, options: pb.SSHOpt, path: str) -> None:
    made = op.exec.mounts.add(input=NO_INPUT, output=NO_INPUT, dest=dest, mountType=pb.SSH)
    made.SSHOpt.MergeFrom(options)
    lowering.result.sockets[options.ID] = path


def _linked(spec: Exec) -> bool:
    return bool(spec.hosts or spec.service)


def _hosts_filled(spec: Exec) -> bool:
    # A file that the client mounts there is the client's business.
    return bool(spec.hosts) and all(mount.dest != HOSTS for mount in spec.mounts)


def _hosts_file() -> Fs:
    # Not BuildKit's own way, by addresses in the definition: they are known when the exec runs, and it is cached by
    # what its services are. Writable by all, because the shim runs as the exec's user.
    return MakeFile(Scratch(), "/hosts", b"", mode=0o666)


def _special_mount(lowering: Assembly, op: pb.Op, mount: Mount) -> None:
    if isinstance(mount, SocketMount):
        name = "socket-" + hashlib.sha256(mount.path.encode()).hexdigest()[:24]
        options = pb.SSHOpt(ID=name, uid=mount.uid, gid=mount.gid, mode=0o600)
        _socket(lowering, op, mount.dest, options, mount.path)
        return
    made = op.exec.mounts.add(input=NO_INPUT, output=NO_INPUT, dest=mount.dest)
    if isinstance(mount, CacheMount):
        made.mountType = pb.CACHE
        made.input = lowering.input_index(op, lowering.fs(mount.base) if mount.base else None)
        made.cacheOpt.ID = mount.volume
        made.selector = "" if mount.src == "/" else mount.src
        made.cacheOpt.sharing = pb.CacheSharingOpt.Name(mount.sharing.value)  # type: ignore[assignment]
    elif isinstance(mount, TmpfsMount):
        made.mountType = pb.TMPFS
        made.TmpfsOpt.size = mount.size
    elif isinstance(mount, SecretMount):
        made.mountType = pb.SECRET
        made.secretOpt.ID = lowering.secret(mount.secret)
        made.secretOpt.uid, made.secretOpt.gid, made.secretOpt.mode = (
            mount.uid,
            mount.gid,
            mount.mode,
        )
    else:
        raise TypeError(f"cannot mount {type(mount).__name__}")


def shim_command(spec: Exec) -> list[str]:
    """The shim's command line up to and with `--`: it keeps output and exit code, and hides secrets."""
    files = [mount.dest for mount in spec.mounts if isinstance(mount, SecretMount)]
    options = [
        ("-out", OUTPUT_DIR),
        ("-stdin", f"{INPUT_DIR}/stdin" if spec.stdin else spec.redirect_stdin),
        ("-stdout", spec.redirect_stdout),
        ("-stderr", spec.redirect_stderr),
        *(("-secret-env", name) for name, _secret in spec.secret_env),
        *(("-secret-file", path) for path in files),
        ("-expect", spec.expect.value.lower()),
        *_service_options(spec),
    ]
    given = [part for option in options if option[1] for part in option]
    return [f"{SHIM_DIR}/drydock-shim", *given, "--"]


def _service_options(spec: Exec) -> list[tuple[str, str]]:
    return [
        ("-link", LINK_SOCKET if _linked(spec) else ""),
        *(("-bind", f"{alias}={service.key}") for alias, service in spec.hosts),
        ("-hosts", HOSTS if _hosts_filled(spec) else ""),
        ("-service", spec.service),
        *(("-ready", str(port)) for port in spec.ready),
        *(("-forward", str(port)) for port in spec.forward),
        ("-health", spec.health),
    ]


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

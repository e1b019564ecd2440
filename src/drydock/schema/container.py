"""Fields of Container that change or ask its file system and what runs in it."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from drydock.errors import ApiError
from drydock.execs import after, make_exec
from drydock.execs import expand as expanded
from drydock.graph import (
    CacheMount,
    Copy,
    Expect,
    FsMount,
    MakeDir,
    MakeFile,
    Owner,
    Remove,
    Scratch,
    Sharing,
    Symlink,
    TmpfsMount,
)
from drydock.objects import CacheVolume, Container, Directory, File, Secret, SecretFile
from drydock.schema.copying import copy_directory, copy_file, parse_owner
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.graph import Exec, Fs
    from drydock.session import Session


def _path(container: Container, path: str, expand: bool) -> str:
    """Absolute path, keeping the trailing slash that makes it a directory."""
    text = expanded(container, path) if expand else path
    absolute = container.absolute(text)
    return (
        absolute + "/"
        if text.endswith("/") and text.startswith("/") and absolute != "/"
        else absolute
    )


# -- running ---------------------------------------------------------------------------------------------------------


@core.serves("Container", "withExec")
async def with_exec(
    session: Session,
    container: Container,
    *,
    args: list[str],
    use_entrypoint: bool = False,
    stdin: str = "",
    redirect_stdin: str = "",
    redirect_stdout: str = "",
    redirect_stderr: str = "",
    expect: str = "SUCCESS",
    insecure_root_capabilities: bool = False,
    expand: bool = False,
    no_init: bool = False,  # noqa: ARG001  # the shim is the first process either way
) -> Container:
    """Run a command."""
    if stdin and redirect_stdin:
        raise ApiError("cannot set both stdin and redirectStdin")
    command = container.command(args, use_entrypoint=use_entrypoint)
    if expand:
        command = [expanded(container, arg) for arg in command]
    redirects = [
        _path(container, path, expand) if path else ""
        for path in (redirect_stdin, redirect_stdout, redirect_stderr)
    ]
    spec = await make_exec(
        session.engine,
        container,
        command,
        stdin=stdin,
        redirect_stdin=redirects[0],
        redirect_stdout=redirects[1],
        redirect_stderr=redirects[2],
        expect=Expect(expect),
        insecure=insecure_root_capabilities,
    )
    return after(container, spec)


def _last(container: Container) -> Exec:
    if container.last is None:
        raise ApiError("no command has been set")
    return container.last


@core.serves("Container", "stdout")
async def stdout(session: Session, container: Container) -> str:
    """What the last exec printed on standard output."""
    return await session.engine.output(_last(container), "stdout")


@core.serves("Container", "stderr")
async def stderr(session: Session, container: Container) -> str:
    """What the last exec printed on standard error."""
    return await session.engine.output(_last(container), "stderr")


@core.serves("Container", "combinedOutput")
async def combined_output(session: Session, container: Container) -> str:
    """What the last exec printed on both, in order."""
    return await session.engine.output(_last(container), "combined")


@core.serves("Container", "exitCode")
async def exit_code(session: Session, container: Container) -> int:
    """The exit code of the last exec."""
    return int(await session.engine.output(_last(container), "exitCode"))


@core.serves("Container", "sync")
async def sync(session: Session, container: Container) -> str:
    """Build it; returns its id."""
    await session.engine.sync(container.fs)
    return session.ids.put(container)


# -- asking ----------------------------------------------------------------------------------------------------------


@core.serves("Container", "rootfs")
def rootfs(_session: Session, container: Container) -> Directory:
    """The root file system, without mounts."""
    return Directory(container.fs)


@core.serves("Container", "directory")
def directory(
    _session: Session, container: Container, *, path: str, expand: bool = False
) -> Directory:
    """A directory in it."""
    _mount, fs, inside = container.locate(_path(container, path, expand).rstrip("/") or "/")
    return Directory(fs, inside)


@core.serves("Container", "file")
def file(_session: Session, container: Container, *, path: str, expand: bool = False) -> File:
    """A file in it."""
    _mount, fs, inside = container.locate(_path(container, path, expand).rstrip("/"))
    return File(fs, inside)


@core.serves("Container", "exists")
async def exists(
    session: Session,
    container: Container,
    *,
    path: str,
    expected_type: str | None = None,
    do_not_follow_symlinks: bool = False,
    expand: bool = False,
) -> bool:
    """Whether there is something at a path."""
    _mount, fs, inside = container.locate(_path(container, path, expand).rstrip("/") or "/")
    return await session.engine.exists(fs, inside, expected_type, follow=not do_not_follow_symlinks)


# -- writing ---------------------------------------------------------------------------------------------------------


@core.serves("Container", "withRootfs")
def with_rootfs(_session: Session, container: Container, *, directory: Directory) -> Container:
    """Another root file system, everything else as it was."""
    fs = directory.fs
    if directory.path != "/":
        fs = Copy(Scratch(), directory.fs, directory.path, "/", contents=True)
    return container.changed(fs=fs)


@core.serves("Container", "withDirectory")
def with_directory(
    _session: Session,
    container: Container,
    *,
    path: str,
    source: Directory,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    owner: str = "",
    expand: bool = False,
    permissions: int | None = None,  # noqa: ARG001  # the Dagger engine ignores it here too (v0.21)
) -> Container:
    """A directory's content merged into a path."""
    mount, fs, inside = container.locate(_path(container, path, expand).rstrip("/") or "/")
    owned = parse_owner(owner, container.fs)
    return container.written(mount, copy_directory(fs, inside, source, include, exclude, owned))


def _write_file(
    container: Container, path: str, source: File, permissions: int | None, owner: str
) -> Container:
    mount, fs, inside = container.locate(path.rstrip("/") or "/")
    if mount is not None and mount.dest == path:
        return _write_file(_unmounted(container, path), path, source, permissions, owner)
    dest = inside + "/" if path.endswith("/") else inside
    return container.written(
        mount, copy_file(fs, dest, source, permissions, parse_owner(owner, container.fs))
    )


@core.serves("Container", "withFile")
def with_file(
    _session: Session,
    container: Container,
    *,
    path: str,
    source: File,
    permissions: int | None = None,
    owner: str = "",
    expand: bool = False,
) -> Container:
    """A file at a path, or in it where that ends with a slash."""
    return _write_file(container, _path(container, path, expand), source, permissions, owner)


@core.serves("Container", "withFiles")
def with_files(
    _session: Session,
    container: Container,
    *,
    path: str,
    sources: list[File],
    permissions: int | None = None,
    owner: str = "",
    expand: bool = False,
) -> Container:
    """Files in a directory, by their own names."""
    folder = _path(container, path, expand)
    for source in sources:
        container = _write_file(
            container, posixpath.join(folder, source.name), source, permissions, owner
        )
    return container


@core.serves("Container", "withNewFile")
def with_new_file(
    _session: Session,
    container: Container,
    *,
    path: str,
    contents: str,
    permissions: int = 0o644,
    owner: str = "",
    expand: bool = False,
) -> Container:
    """A new file."""
    mount, fs, inside = container.locate(_path(container, path, expand).rstrip("/"))
    owned = parse_owner(owner, container.fs)
    return container.written(
        mount, MakeFile(fs, inside, contents.encode(), permissions or 0o644, owned)
    )


@core.serves("Container", "withSymlink")
def with_symlink(
    _session: Session, container: Container, *, target: str, link_name: str, expand: bool = False
) -> Container:
    """A symbolic link."""
    mount, fs, inside = container.locate(_path(container, link_name, expand).rstrip("/"))
    return container.written(mount, Symlink(fs, inside, target))


def _without(container: Container, path: str, expand: bool) -> Container:
    absolute = _path(container, path, expand).rstrip("/")
    mount, fs, inside = container.locate(absolute)
    if mount is not None and mount.dest == absolute:
        return _unmounted(container, absolute)
    return container.written(mount, Remove(fs, inside))


@core.serves("Container", "withoutDirectory", "withoutFile")
def without_path(
    _session: Session, container: Container, *, path: str, expand: bool = False
) -> Container:
    """Without what is at a path."""
    return _without(container, path, expand)


@core.serves("Container", "withoutFiles")
def without_files(
    _session: Session, container: Container, *, paths: list[str], expand: bool = False
) -> Container:
    """Without what is at several paths."""
    for path in paths:
        container = _without(container, path, expand)
    return container


# -- mounts ----------------------------------------------------------------------------------------------------------


def _unmounted(container: Container, path: str) -> Container:
    last = next((m for m in reversed(container.mounts) if m.dest == path), None)
    return container.changed(mounts=tuple(m for m in container.mounts if m is not last))


@core.serves("Container", "withMountedDirectory")
def with_mounted_directory(
    _session: Session,
    container: Container,
    *,
    path: str,
    source: Directory,
    owner: str = "",
    read_only: bool = False,
    expand: bool = False,
) -> Container:
    """A directory that an exec sees; it is no part of the image."""
    dest = _path(container, path, expand).rstrip("/") or "/"
    fs, src = source.fs, source.path
    if owner:
        fs, src = (
            copy_directory(Scratch(), "/", source, None, None, parse_owner(owner, container.fs)),
            "/",
        )
    return container.with_mount(FsMount(dest, fs, src, read_only))


@core.serves("Container", "withMountedFile")
def with_mounted_file(
    _session: Session,
    container: Container,
    *,
    path: str,
    source: File,
    owner: str = "",
    expand: bool = False,
) -> Container:
    """A file that an exec sees; it is no part of the image."""
    dest = _path(container, path, expand).rstrip("/")
    fs, src = source.fs, source.path
    if owner:
        fs, src = (
            copy_file(Scratch(), "/file", source, None, parse_owner(owner, container.fs)),
            "/file",
        )
    return container.with_mount(FsMount(dest, fs, src))


@core.serves("Container", "withMountedCache")
def with_mounted_cache(
    _session: Session,
    container: Container,
    *,
    path: str,
    cache: CacheVolume,
    source: Directory | None = None,
    sharing: str = "SHARED",
    owner: str = "",
    expand: bool = False,
) -> Container:
    """A cache volume."""
    dest = _path(container, path, expand).rstrip("/")
    base: Fs | None = None
    volume = cache.volume
    if source is not None or owner:
        owned = parse_owner(owner, container.fs)
        seed = source or Directory()
        base = copy_directory(Scratch(), "/", seed, None, None, owned) if source else None
        if owned and base is None:
            base = _owned_root(owned)
        # The seed and its owner are part of what a volume is, as on the Dagger engine.
        volume += f"-{seed.key[:8]}{owner.replace(':', '-')}"
    # PRIVATE serialises its users there too (v0.21, core/container_exec.go).
    shared = Sharing.SHARED if sharing == "SHARED" else Sharing.LOCKED
    return container.with_mount(CacheMount(dest, volume, shared, base))


def _owned_root(owner: Owner) -> Fs:
    return Copy(
        Scratch(), MakeDir(Scratch(), "/volume"), "/volume", "/", contents=True, owner=owner
    )


@core.serves("Container", "withMountedTemp")
def with_mounted_temp(
    _session: Session,
    container: Container,
    *,
    path: str,
    size: int | None = None,
    expand: bool = False,
) -> Container:
    """A directory in memory, empty for each exec."""
    return container.with_mount(TmpfsMount(_path(container, path, expand).rstrip("/"), size or 0))


@core.serves("Container", "withMountedSecret")
def with_mounted_secret(
    _session: Session,
    container: Container,
    *,
    path: str,
    source: Secret,
    owner: str = "",
    mode: int = 0o400,
    expand: bool = False,
) -> Container:
    """A secret as a file."""
    owned = parse_owner(owner, container.fs)
    if owned and not (owned.user.isdigit() and owned.group.isdigit()):
        raise ApiError(
            f'the owner of a mounted secret must be numeric on drydock, for example "1000:1000"; got "{owner}"'
        )
    uid, gid = (int(owned.user), int(owned.group)) if owned else (0, 0)
    dest = _path(container, path, expand).rstrip("/")
    kept = tuple(m for m in container.mounts if m.dest != dest)
    return container.changed(mounts=(*kept, SecretFile(dest, source, uid, gid, mode & 0o777)))


@core.serves("Container", "withoutMount")
def without_mount(
    _session: Session, container: Container, *, path: str, expand: bool = False
) -> Container:
    """Without what is mounted at a path."""
    return _unmounted(container, _path(container, path, expand).rstrip("/") or "/")


@core.serves("Container", "mounts")
def mounts(_session: Session, container: Container) -> list[str]:
    """Where something is mounted."""
    return [m.dest for m in container.mounts if not isinstance(m, SecretFile)]


# -- secrets ---------------------------------------------------------------------------------------------------------


@core.serves("Container", "withSecretVariable")
def with_secret_variable(
    _session: Session, container: Container, *, name: str, secret: Secret
) -> Container:
    """A secret as an environment variable; it wins over a plain one of its name."""
    kept = tuple(pair for pair in container.secret_env if pair[0] != name)
    return replace(container, image_ref="", secret_env=(*kept, (name, secret)))


@core.serves("Container", "withoutSecretVariable")
def without_secret_variable(_session: Session, container: Container, *, name: str) -> Container:
    """Without a secret variable."""
    return replace(
        container,
        image_ref="",
        secret_env=tuple(pair for pair in container.secret_env if pair[0] != name),
    )

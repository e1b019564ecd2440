"""Fields of Container that change or ask its file system and what runs in it."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from drydock.engine import DEFAULT_PLATFORM
from drydock.errors import ApiError
from drydock.execs import after, make_exec
from drydock.execs import expand as expanded
from drydock.graph import (
    Copy,
    Expect,
    Owner,
    Remove,
    Scratch,
    Symlink,
)
from drydock.objects import Container, Directory, File, Stat
from drydock.schema.containerpaths import container_path, unmounted
from drydock.schema.copying import copy_directory, copy_file, without_ignored
from drydock.schema.directoryreading import stat_as
from drydock.schema.owners import resolve_owner
from drydock.schema.query import new_file
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.graph import Exec
    from drydock.session import Session


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
    if container.platform != DEFAULT_PLATFORM:
        raise ApiError(
            f"drydock runs commands for {DEFAULT_PLATFORM}, and this container is for "
            f"{container.platform}; run this on a Dagger engine"
        )
    command = container.command(args, use_entrypoint=use_entrypoint)
    if expand:
        command = [expanded(container, arg) for arg in command]
    redirects = [
        container_path(container, path, expand) if path else ""
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


async def _output(session: Session, container: Container, name: str) -> str:
    data = await session.engine.reader.output(_last(container), name)
    return data.decode(errors="replace")


@core.serves("Container", "stdout")
async def stdout(session: Session, container: Container) -> str:
    """What the last exec printed on standard output."""
    return await _output(session, container, "stdout")


@core.serves("Container", "stderr")
async def stderr(session: Session, container: Container) -> str:
    """What the last exec printed on standard error."""
    return await _output(session, container, "stderr")


@core.serves("Container", "combinedOutput")
async def combined_output(session: Session, container: Container) -> str:
    """What the last exec printed on both, in order."""
    return await _output(session, container, "combined")


@core.serves("Container", "exitCode")
async def exit_code(session: Session, container: Container) -> int:
    """The exit code of the last exec."""
    return int(await _output(session, container, "exitCode"))


@core.serves("Container", "withError")
def with_error(_session: Session, container: Container, *, err: str) -> Container:
    """The same container, or the error where one is given.

    Raises:
        ApiError: With this text, unless it is empty.
    """
    if err:
        raise ApiError(err)
    return container


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
    _mount, fs, inside = container.locate(
        container_path(container, path, expand).rstrip("/") or "/"
    )
    return Directory(fs, inside)


@core.serves("Container", "file")
def file(_session: Session, container: Container, *, path: str, expand: bool = False) -> File:
    """A file in it."""
    _mount, fs, inside = container.locate(container_path(container, path, expand).rstrip("/"))
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
    _mount, fs, inside = container.locate(
        container_path(container, path, expand).rstrip("/") or "/"
    )
    return await session.engine.reader.exists(
        fs, inside, expected_type, follow=not do_not_follow_symlinks
    )


@core.serves("Container", "stat")
async def stat(
    session: Session, container: Container, *, path: str, do_not_follow_symlinks: bool = False
) -> Stat:
    """What is at a path."""
    absolute = container_path(container, path, expand=False).rstrip("/") or "/"
    _mount, fs, inside = container.locate(absolute)
    return await stat_as(session, fs, inside, path, follow=not do_not_follow_symlinks)


# -- writing ---------------------------------------------------------------------------------------------------------


@core.serves("Container", "withRootfs")
def with_rootfs(_session: Session, container: Container, *, directory: Directory) -> Container:
    """Another root file system, everything else as it was."""
    fs = directory.fs
    if directory.path != "/":
        fs = Copy(Scratch(), directory.fs, directory.path, "/", contents=True)
    return container.changed(fs=fs)


@core.serves("Container", "withDirectory")
async def with_directory(
    session: Session,
    container: Container,
    *,
    path: str,
    source: Directory,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    gitignore: bool = False,
    owner: str = "",
    expand: bool = False,
    permissions: int | None = None,  # noqa: ARG001  # the Dagger engine ignores it here too (v0.21)
) -> Container:
    """A directory's content merged into a path."""
    mount, fs, inside = container.locate(container_path(container, path, expand).rstrip("/") or "/")
    owned = await resolve_owner(session, container.fs, owner)
    if gitignore:
        source = await without_ignored(session, source)
    return container.written(mount, copy_directory(fs, inside, source, include, exclude, owned))


def _written(
    container: Container, path: str, source: File, permissions: int | None, owner: Owner | None
) -> Container:
    mount, fs, inside = container.locate(path.rstrip("/") or "/")
    if mount is not None and mount.dest == path:
        return _written(unmounted(container, path), path, source, permissions, owner)
    dest = inside + "/" if path.endswith("/") else inside
    return container.written(mount, copy_file(fs, dest, source, permissions, owner))


@core.serves("Container", "withFile")
async def with_file(
    session: Session,
    container: Container,
    *,
    path: str,
    source: File,
    permissions: int | None = None,
    owner: str = "",
    expand: bool = False,
) -> Container:
    """A file at a path, or in it where that ends with a slash."""
    owned = await resolve_owner(session, container.fs, owner)
    target = container_path(container, path, expand)
    return _written(container, target, source, permissions, owned)


@core.serves("Container", "withFiles")
async def with_files(
    session: Session,
    container: Container,
    *,
    path: str,
    sources: list[File],
    permissions: int | None = None,
    owner: str = "",
    expand: bool = False,
) -> Container:
    """Files in a directory, by their own names."""
    folder = container_path(container, path, expand)
    owned = await resolve_owner(session, container.fs, owner)
    for source in sources:
        target = posixpath.join(folder, source.name)
        container = _written(container, target, source, permissions, owned)
    return container


@core.serves("Container", "withNewFile")
async def with_new_file(
    session: Session,
    container: Container,
    *,
    path: str,
    contents: str,
    permissions: int = 0o644,
    owner: str = "",
    expand: bool = False,
) -> Container:
    """A new file."""
    target = container_path(container, path, expand)
    made = new_file(posixpath.basename(target.rstrip("/")), contents, permissions)
    owned = await resolve_owner(session, container.fs, owner)
    return _written(container, target, made, None, owned)


@core.serves("Container", "withSymlink")
def with_symlink(
    _session: Session, container: Container, *, target: str, link_name: str, expand: bool = False
) -> Container:
    """A symbolic link."""
    mount, fs, inside = container.locate(container_path(container, link_name, expand).rstrip("/"))
    return container.written(mount, Symlink(fs, inside, target))


def _without(container: Container, path: str, expand: bool) -> Container:
    absolute = container_path(container, path, expand).rstrip("/")
    mount, fs, inside = container.locate(absolute)
    if mount is not None and mount.dest == absolute:
        return unmounted(container, absolute)
    return container.written(mount, Remove(fs, inside, "*" in path))


@core.serves("Container", "withoutDirectory", "withoutFile")
def withoutcontainer_path(
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

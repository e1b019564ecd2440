"""Fields of Container that mount something while an exec runs: directories, files, caches, secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from drydock.graph import (
    CacheMount,
    Copy,
    FsMount,
    MakeDir,
    Scratch,
    Sharing,
    SocketMount,
    TmpfsMount,
)
from drydock.objects import CacheVolume, Container, Directory, File, Secret, SecretFile
from drydock.schema.containerpaths import container_path, unmounted
from drydock.schema.copying import copy_file
from drydock.schema.owners import owner_ids, resolve_owner
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.graph import Fs, Owner
    from drydock.session import Session


OWNED = "/mounted"
"""Where the copy that is mounted lies: below a root, whose own mode and owner no copy changes."""


def _owned(source: Directory, owner: Owner | None) -> Fs:
    return Copy(Scratch(), source.fs, source.path, OWNED, contents=False, owner=owner)


@core.serves("Container", "withMountedDirectory")
async def with_mounted_directory(
    session: Session,
    container: Container,
    *,
    path: str,
    source: Directory,
    owner: str = "",
    read_only: bool = False,
    expand: bool = False,
) -> Container:
    """A directory that an exec sees; it is no part of the image."""
    dest = container_path(container, path, expand).rstrip("/") or "/"
    fs, src = source.fs, source.path
    if owned := await resolve_owner(session, container.fs, owner):
        fs, src = _owned(source, owned), OWNED
    return container.with_mount(FsMount(dest, fs, src, read_only))


@core.serves("Container", "withMountedFile")
async def with_mounted_file(
    session: Session,
    container: Container,
    *,
    path: str,
    source: File,
    owner: str = "",
    expand: bool = False,
) -> Container:
    """A file that an exec sees; it is no part of the image."""
    dest = container_path(container, path, expand).rstrip("/")
    fs, src = source.fs, source.path
    if owned := await resolve_owner(session, container.fs, owner):
        fs, src = copy_file(Scratch(), OWNED, source, None, owned), OWNED
    return container.with_mount(FsMount(dest, fs, src))


@core.serves("Container", "withMountedCache")
async def with_mounted_cache(
    session: Session,
    container: Container,
    *,
    path: str,
    cache: CacheVolume,
    source: Directory | None = None,
    sharing: str = "SHARED",
    owner: str = "",
    expand: bool = False,
) -> Container:
    """A cache volume; what is given here counts instead of what it was made with."""
    volume = replace(
        cache,
        source=source or cache.source,
        sharing=cache.sharing if sharing == "SHARED" else sharing,
        owner=owner or cache.owner,
    )
    owned = await resolve_owner(session, container.fs, volume.owner)
    seed = volume.source or (Directory(MakeDir(Scratch(), OWNED), OWNED) if owned else None)
    base = _owned(seed, owned) if seed else None
    name = volume.volume
    if replace(volume, volume="") != CacheVolume(""):
        # All of it is part of what a volume is, as on the Dagger engine.
        name += f"-{volume.key[:16]}"
    # PRIVATE serialises its users there too (v0.21, core/container_exec.go).
    shared = Sharing.SHARED if volume.sharing == "SHARED" else Sharing.LOCKED
    dest = container_path(container, path, expand).rstrip("/")
    return container.with_mount(CacheMount(dest, name, shared, base, OWNED if base else "/"))


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
    return container.with_mount(
        TmpfsMount(container_path(container, path, expand).rstrip("/"), size or 0)
    )


@core.serves("Container", "withMountedSecret")
async def with_mounted_secret(
    session: Session,
    container: Container,
    *,
    path: str,
    source: Secret,
    owner: str = "",
    mode: int = 0o400,
    expand: bool = False,
) -> Container:
    """A secret as a file.

    Raises:
        ApiError: If the container does not know its owner.
    """
    uid, gid = await owner_ids(session, container, owner)
    dest = container_path(container, path, expand).rstrip("/")
    kept = tuple(m for m in container.mounts if m.dest != dest)
    return container.changed(mounts=(*kept, SecretFile(dest, source, uid, gid, mode & 0o777)))


@core.serves("Container", "withoutMount")
def without_mount(
    _session: Session, container: Container, *, path: str, expand: bool = False
) -> Container:
    """Without what is mounted at a path."""
    return unmounted(container, container_path(container, path, expand).rstrip("/") or "/")


@core.serves("Container", "mounts")
def mounts(_session: Session, container: Container) -> list[str]:
    """Where something is mounted."""
    return [m.dest for m in container.mounts if not isinstance(m, (SecretFile, SocketMount))]


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

"""The API's objects: immutable values on top of `graph`, each change a new one."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from typing import ClassVar

from drydock.errors import ApiError
from drydock.graph import CacheMount, Copy, Exec, Fs, FsMount, Mount, Scratch, TmpfsMount, Value

Pairs = tuple[tuple[str, str], ...]
SYNCED = ("Node", "Syncer", "Exportable")


@dataclass(frozen=True, eq=False)
class Directory(Value):
    """A directory: a path in a file system."""

    type_name: ClassVar[str] = "Directory"
    interfaces: ClassVar[tuple[str, ...]] = SYNCED

    fs: Fs = Scratch()
    path: str = "/"

    def join(self, path: str) -> str:
        """Absolute path of `path` in the file system; `..` cannot leave it."""
        inside = posixpath.normpath("/" + self.path.strip("/") + "/" + path)
        return "/" + inside.lstrip("/")

    def with_fs(self, fs: Fs) -> Directory:
        """The same path in another file system."""
        return replace(self, fs=fs)

    @property
    def alone(self) -> Fs:
        """Its content as a file system, without what is around it."""
        return (
            self.fs if self.path == "/" else Copy(Scratch(), self.fs, self.path, "/", contents=True)
        )


@dataclass(frozen=True, eq=False)
class File(Value):
    """A file: a path in a file system."""

    type_name: ClassVar[str] = "File"
    interfaces: ClassVar[tuple[str, ...]] = SYNCED

    fs: Fs
    path: str

    @property
    def name(self) -> str:
        """The last part of its path."""
        return posixpath.basename(self.path)


@dataclass(frozen=True, eq=False)
class Stat(Value):
    """What is at a path."""

    type_name: ClassVar[str] = "Stat"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    name: str
    file_type: str
    """As the API's `FileType`."""
    size: int
    """Bytes."""
    permissions: int


@dataclass(frozen=True, eq=False)
class Secret(Value):
    """A secret: where its plaintext comes from, never the plaintext itself."""

    type_name: ClassVar[str] = "Secret"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    uri: str = ""
    name: str = ""
    digest: str = ""
    """Keyed digest of a plaintext that a client gave by value; the engine keeps that in memory."""
    cache_key: str = ""
    """What execs are cached by instead of the plaintext."""
    of_module: bool = False
    """Whether a module's function named it: it has none of the caller's variables."""


@dataclass(frozen=True, eq=False)
class CacheVolume(Value):
    """A directory that outlives the execs that mount it."""

    type_name: ClassVar[str] = "CacheVolume"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    volume: str
    source: Directory | None = None
    """What it holds when it is new."""
    sharing: str = "SHARED"
    """As the API's `CacheSharingMode`."""
    owner: str = ""


@dataclass(frozen=True, eq=False)
class Port(Value):
    """A port that a container listens on."""

    type_name: ClassVar[str] = "Port"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    port: int
    protocol: str = "TCP"
    description: str | None = None
    experimental_skip_healthcheck: bool = False


@dataclass(frozen=True, eq=False)
class Named(Value):
    """A name and its value: a variable, a label."""

    type_name: str
    name: str
    value: str


@dataclass(frozen=True, eq=False)
class SecretFile(Mount):
    """A secret, mounted as a file."""

    secret: Secret
    uid: int = 0
    gid: int = 0
    mode: int = 0o400


@dataclass(frozen=True, eq=False)
class ImageConfig(Value):
    """What an image says of how it is run (OCI image specification, `config`)."""

    env: Pairs = ()
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    user: str = ""
    workdir: str = ""
    labels: Pairs = ()
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    extra: str = "{}"
    """JSON of what is only carried along: `Healthcheck`, `OnBuild`, `Shell`."""


@dataclass(frozen=True, eq=False)
class Container(Value):
    """A container: a root file system, how to run in it, and what is mounted while running."""

    type_name: ClassVar[str] = "Container"
    interfaces: ClassVar[tuple[str, ...]] = SYNCED

    platform: str
    fs: Fs = Scratch()
    config: ImageConfig = ImageConfig()
    mounts: tuple[Mount, ...] = ()
    secret_env: tuple[tuple[str, Secret], ...] = ()
    volatile: Pairs = ()
    """Variables whose values no exec is cached by."""
    bindings: tuple[tuple[str, Value], ...] = ()
    ports: tuple[Port, ...] = ()
    annotations: Pairs = ()
    last: Exec | None = None
    image_ref: str = ""
    args_given: bool = False
    """Whether the default arguments were set by the client; a service then leaves the entrypoint out."""

    # -- paths -----------------------------------------------------------------------------------------------------

    def absolute(self, path: str) -> str:
        """`path` from the working directory."""
        return posixpath.normpath(posixpath.join("/", self.config.workdir, path))

    def locate(self, path: str) -> tuple[FsMount | None, Fs, str]:
        """Where an absolute path is: the mount that holds it (None: the root), its file system, the path there.

        Raises:
            ApiError: If the path lies in a cache volume or a temporary mount, which nothing but an exec can see.
        """
        for mount in reversed(self.mounts):
            if path != mount.dest and not path.startswith(mount.dest.rstrip("/") + "/"):
                continue
            if isinstance(mount, (CacheMount, TmpfsMount)):
                kind = "cache" if isinstance(mount, CacheMount) else "tmpfs"
                raise ApiError(f"{path}: cannot retrieve path from {kind}")
            if isinstance(mount, FsMount):
                rest = path[len(mount.dest) :].lstrip("/")
                return mount, mount.source, posixpath.normpath(posixpath.join(mount.src, rest))
        return None, self.fs, path

    # -- changes ---------------------------------------------------------------------------------------------------

    def changed(self, **fields: object) -> Container:
        """A copy with other fields; it is no longer the image that `from` gave."""
        return replace(self, **{"image_ref": "", **fields})  # type: ignore[arg-type]

    def configured(self, **fields: object) -> Container:
        """A copy with another image config."""
        return self.changed(config=replace(self.config, **fields))  # type: ignore[arg-type]

    def with_mount(self, mount: Mount) -> Container:
        """A copy with a mount, in place of any at or below its path."""
        below = mount.dest.rstrip("/") + "/"
        kept = [m for m in self.mounts if m.dest != mount.dest and not m.dest.startswith(below)]
        return self.changed(mounts=(*kept, mount))

    def written(self, mount: FsMount | None, fs: Fs) -> Container:
        """A copy whose root, or whose mount, has become `fs`."""
        if mount is None:
            return self.changed(fs=fs)
        return self.changed(
            mounts=tuple(replace(m, source=fs) if m is mount else m for m in self.mounts)
        )

    # -- running ---------------------------------------------------------------------------------------------------

    def command(self, args: list[str], *, use_entrypoint: bool) -> list[str]:
        """What an exec with these arguments runs.

        Raises:
            ApiError: If there is nothing to run.
        """
        command = [
            *((self.config.entrypoint or ()) if use_entrypoint else ()),
            *(args or self.config.cmd or ()),
        ]
        if not command:
            raise ApiError("no command has been set")
        return command


@dataclass(frozen=True, eq=False)
class Service(Value):
    """A container that runs until its session ends."""

    type_name: ClassVar[str] = "Service"
    interfaces: ClassVar[tuple[str, ...]] = ("Node", "Syncer")

    container: Container
    args: tuple[str, ...]
    insecure: bool = False
    alias: str = ""

    @property
    def hostname(self) -> str:
        """The name that other containers know it by."""
        return self.alias or self.key[:13]


def with_pair(pairs: Pairs, name: str, value: str) -> Pairs:
    """`pairs` with `name` set: in its old place, else at the end."""
    if any(known == name for known, _ in pairs):
        return tuple((known, value if known == name else old) for known, old in pairs)
    return (*pairs, (name, value))


def without_pair(pairs: Pairs, name: str) -> Pairs:
    """`pairs` without `name`."""
    return tuple((known, value) for known, value in pairs if known != name)

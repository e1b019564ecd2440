"""What a file system *is*: immutable values, compared by the digest of their recipe.

Nothing here reads, writes or runs anything. `llb` turns these values into BuildKit's language; `objects` are the
API's own types on top of them.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar


class Value:
    """An immutable value whose identity is the digest of its fields."""

    key: ClassVar[str]
    """Hex digest of this value's type and fields; equal recipes have equal keys."""
    durable: ClassVar[bool] = True
    """Whether it means the same in another session, on another day."""

    def __post_init__(self) -> None:
        """Take the digest at once: what a value is made of has its own already, however long the chain."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]  # every subclass is a dataclass
        parts = [type(self).__name__, *(_token(getattr(self, f.name)) for f in fields)]
        object.__setattr__(self, "key", hashlib.sha256("\0".join(parts).encode()).hexdigest())

    def __eq__(self, other: object) -> bool:
        """Two values are equal when their recipes are."""
        return isinstance(other, Value) and self.key == other.key

    def __hash__(self) -> int:
        """Agrees with equality."""
        return hash(self.key)


def _token(field: Any) -> str:
    if isinstance(field, Value):
        return field.key
    if isinstance(field, tuple):
        return "(" + ",".join(_token(item) for item in field) + ")"
    return repr(field)


class Expect(enum.Enum):
    """Which exit codes of an exec are a success.

    128 to 191 (ended by a signal) never are, as on the Dagger engine (v0.21, `core/container.go`).
    """

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    ANY = "ANY"


class Sharing(enum.Enum):
    """How concurrent execs use one cache volume."""

    SHARED = 0
    PRIVATE = 1
    LOCKED = 2


@dataclass(frozen=True, eq=False)
class Fs(Value):
    """A file system; subclasses say where it comes from."""


@dataclass(frozen=True, eq=False)
class Scratch(Fs):
    """The empty file system."""


@dataclass(frozen=True, eq=False)
class Image(Fs):
    """An image's root file system; `ref` is pinned: `name@sha256:…`."""

    ref: str
    platform: str


@dataclass(frozen=True, eq=False)
class SecretRef(Value):
    """A secret as a build sees it: `id` names its plaintext without telling it."""

    id: str
    plaintext: str = ""
    """What the session knows the plaintext by, where the id is that of several."""


@dataclass(frozen=True, eq=False)
class Http(Fs):
    """A file that is downloaded, as `name`; asked for anew by each build, fetched when it changed."""

    url: str
    name: str
    mode: int = 0o600
    checksum: str = ""
    """`sha256:…`; another content is refused."""
    authorization: SecretRef | None = None
    """The `Authorization` header."""


@dataclass(frozen=True, eq=False)
class OciLayout(Fs):
    """An image kept as an OCI layout in the folder `store` of this machine."""

    store: str
    digest: str


@dataclass(frozen=True, eq=False)
class Local(Fs):
    """A directory of this machine, as it is when it is first needed.

    `include` and `exclude` are patterns relative to `path`.
    """

    path: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Owner(Value):
    """Ids of a user and a group."""

    user: int
    group: int


@dataclass(frozen=True, eq=False)
class Copy(Fs):
    """`base` with `source`'s path `src` copied to `dest`.

    With `contents`, `src` is a directory and its entries are merged into `dest`. A symbolic link at `src` stands for
    what it leads to, unless there are patterns.
    """

    base: Fs
    source: Fs
    src: str
    dest: str
    contents: bool
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    owner: Owner | None = None
    mode: int | None = None
    timestamp: int | None = None


@dataclass(frozen=True, eq=False)
class MakeFile(Fs):
    """`base` with a new file."""

    base: Fs
    path: str
    data: bytes
    mode: int = 0o644
    owner: Owner | None = None


@dataclass(frozen=True, eq=False)
class MakeDir(Fs):
    """`base` with a directory, and its parents."""

    base: Fs
    path: str
    mode: int = 0o755
    owner: Owner | None = None


@dataclass(frozen=True, eq=False)
class Symlink(Fs):
    """`base` with a symbolic link at `path` to `target`."""

    base: Fs
    path: str
    target: str


@dataclass(frozen=True, eq=False)
class Remove(Fs):
    """`base` without `path`; with `wildcard`, `*`, `?` and `[…]` in it match within a folder."""

    base: Fs
    path: str
    wildcard: bool = False


@dataclass(frozen=True, eq=False)
class Diff(Fs):
    """What `upper` has and `lower` has not."""

    lower: Fs
    upper: Fs


@dataclass(frozen=True, eq=False)
class Mount(Value):
    """Something at `dest` while an exec runs."""

    dest: str


@dataclass(frozen=True, eq=False)
class FsMount(Mount):
    """`source`'s path `src`, a directory or a file; what the exec writes there is kept, unless read-only."""

    source: Fs
    src: str = "/"
    readonly: bool = False


@dataclass(frozen=True, eq=False)
class CacheMount(Mount):
    """A cache volume."""

    volume: str
    sharing: Sharing = Sharing.SHARED
    base: Fs | None = None
    src: str = "/"
    """The part of the volume that is mounted."""


@dataclass(frozen=True, eq=False)
class TmpfsMount(Mount):
    """A file system in memory, of `size` bytes (0: no limit)."""

    size: int = 0


@dataclass(frozen=True, eq=False)
class SecretMount(Mount):
    """A secret as a file."""

    secret: SecretRef
    uid: int = 0
    gid: int = 0
    mode: int = 0o400


@dataclass(frozen=True, eq=False)
class SocketMount(Mount):
    """A socket of this machine, at `path` there."""

    path: str
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, eq=False)
class Exec(Value):
    """A command run in `root`."""

    root: Fs
    args: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    cwd: str = "/"
    user: str = ""
    mounts: tuple[Mount, ...] = ()
    secret_env: tuple[tuple[str, SecretRef], ...] = ()
    volatile: tuple[tuple[str, SecretRef], ...] = ()
    """Variables whose values the cache knows nothing of."""
    hosts: tuple[tuple[str, Value], ...] = ()
    """Services that it uses, by the name it knows them by."""
    stdin: str = ""
    redirect_stdin: str = ""
    redirect_stdout: str = ""
    redirect_stderr: str = ""
    expect: Expect = Expect.SUCCESS
    insecure: bool = False
    service: str = ""
    """Not empty for a long-running exec: the key of one run, never shared with another."""
    ready: tuple[int, ...] = ()
    """TCP ports that a long-running exec has to listen on before anything uses it."""
    health: str = ""
    """Instead of its ports: the check that tells when a long-running exec is ready (Docker's `Healthcheck`, JSON)."""
    forward: tuple[int, ...] = ()
    """Instead of a command: TCP ports that lead to this machine."""


@dataclass(frozen=True, eq=False)
class ExecRoot(Fs):
    """The root file system that an exec leaves."""

    exec: Exec


@dataclass(frozen=True, eq=False)
class ExecMount(Fs):
    """What an exec leaves in the mount at `dest`."""

    exec: Exec
    dest: str


@dataclass(frozen=True, eq=False)
class ExecOutput(Fs):
    """What an exec printed and its exit code: the files `stdout`, `stderr`, `combined` and `exitCode`."""

    exec: Exec

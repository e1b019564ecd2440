"""The parts that every definition in BuildKit's low-level build language (LLB) is put together from."""

from __future__ import annotations

import abc
import hashlib
import json
from dataclasses import dataclass, field

from drydock import ops_pb2 as pb
from drydock.graph import Exec, Fs, SecretRef, Value

NO_INPUT = -1
LINK = "drydock"
"""Id of the session's socket."""


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
    sockets: dict[str, str] = field(default_factory=dict)
    """Id in the definition → socket of this machine; of the session's own (`LINK`), the session knows where it is."""
    secrets: dict[str, str] = field(default_factory=dict)
    """Id in the definition → what the session knows the plaintext by."""
    services: dict[str, Value] = field(default_factory=dict)
    """Services that its execs are bound to, by their key."""
    execs: dict[str, Exec] = field(default_factory=dict)
    """Name of the operation → the exec it runs, to explain a failure."""
    insecure: bool = False


@dataclass(frozen=True)
class Settings:
    """What lowering needs to know of the machine: where the shim is, for which platform."""

    shim: str
    """Folder that holds the program `drydock-shim`."""
    platform: str = "linux/amd64"


def local_name(path: str, include: tuple[str, ...], exclude: tuple[str, ...]) -> str:
    """Name of a local source: one per folder and filter, so that each keeps its own state in the daemon."""
    return hashlib.sha256(json.dumps([path, include, exclude]).encode()).hexdigest()[:24]


class Assembly(abc.ABC):
    """A definition in the making: its operations by digest, and what the client has to offer beside it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.result = Lowered()
        self._ops: dict[str, bytes] = {}
        self._names: dict[str, str] = {}

    @abc.abstractmethod
    def fs(self, fs: Fs) -> Ref | None:
        """The reference of a file system; None for the empty one."""

    def new(self, *inputs: Ref, platform: str | None = None) -> pb.Op:
        """An operation on some inputs, for a platform (default: the machine's)."""
        os_name, _, rest = (platform or self.settings.platform).partition("/")
        architecture, _, variant = rest.partition("/")
        op = pb.Op(platform=pb.Platform(OS=os_name, Architecture=architecture, Variant=variant))
        op.constraints.SetInParent()
        for ref in inputs:
            op.inputs.add(digest=ref.digest, index=ref.index)
        return op

    def add(self, op: pb.Op, name: str) -> str:
        """Add an operation under the name that a person sees; returns its digest."""
        return self.keep(op.SerializeToString(deterministic=True), name)

    def keep(self, raw: bytes, name: str) -> str:
        """Add an operation that is serialized already; the first name that it is given stays."""
        digest = "sha256:" + hashlib.sha256(raw).hexdigest()
        if digest not in self._ops:
            self._ops[digest] = raw
            self._names[digest] = name
        return digest

    def finish(self, ref: Ref | None) -> bytes:
        """The serialized definition whose result is `ref`."""
        if ref is None:
            return b""
        last = pb.Op()
        last.inputs.add(digest=ref.digest, index=ref.index)
        definition = pb.Definition()
        getattr(definition, "def").extend(
            [*self._ops.values(), last.SerializeToString(deterministic=True)]
        )
        for digest, name in self._names.items():
            definition.metadata[digest].description["llb.customname"] = name
        return definition.SerializeToString(deterministic=True)

    def local(
        self, path: str, include: tuple[str, ...], exclude: tuple[str, ...], label: str
    ) -> Ref:
        """A folder of this machine, or what of it the patterns take."""
        name = local_name(path, include, exclude)
        self.result.locals[name] = path
        op = self.new()
        op.source.identifier = "local://" + name
        if include:
            op.source.attrs["local.includepattern"] = json.dumps(include)
        if exclude:
            op.source.attrs["local.excludepatterns"] = json.dumps(exclude)
        return Ref(self.add(op, label), 0)

    def secret(self, secret: SecretRef) -> str:
        """The id of a secret, which the client then offers."""
        self.result.secrets[secret.id] = secret.plaintext or secret.id
        return secret.id

    def input_index(self, op: pb.Op, ref: Ref | None) -> int:
        """The index of an operation's input, added where it is new."""
        if ref is None:
            return NO_INPUT
        for index, known in enumerate(op.inputs):
            if (known.digest, known.index) == (ref.digest, ref.index):
                return index
        op.inputs.add(digest=ref.digest, index=ref.index)
        return len(op.inputs) - 1

"""A module's type definitions: what its SDK registers, kept as immutable values.

They are objects of the API while a module registers, and JSON on disk afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from drydock.graph import Value

NODE = ("Node",)


@dataclass(frozen=True, eq=False)
class EnumMember(Value):
    """One value of an enum; `name` is what goes over the wire."""

    type_name: ClassVar[str] = "EnumValueTypeDef"
    interfaces: ClassVar[tuple[str, ...]] = NODE

    name: str
    value: str = ""
    description: str = ""
    deprecated: str | None = None


@dataclass(frozen=True, eq=False)
class Field(Value):
    """An attribute that an object exposes."""

    type_name: ClassVar[str] = "FieldTypeDef"
    interfaces: ClassVar[tuple[str, ...]] = NODE

    name: str
    type: TypeDef
    description: str = ""
    deprecated: str | None = None


@dataclass(frozen=True, eq=False)
class FunctionArg(Value):
    """An argument of a function; `default_value` is JSON, None when there is none."""

    type_name: ClassVar[str] = "FunctionArg"
    interfaces: ClassVar[tuple[str, ...]] = NODE

    name: str
    type: TypeDef
    description: str = ""
    default_value: str | None = None
    default_path: str = ""
    default_address: str = ""
    ignore: tuple[str, ...] = ()
    deprecated: str | None = None

    @property
    def is_workspace(self) -> bool:
        """Whether the engine gives this argument the caller's workspace."""
        return self.type.kind == "OBJECT_KIND" and self.type.name == "Workspace"

    @property
    def is_optional(self) -> bool:
        """Whether a call may leave it out."""
        return bool(
            self.type.optional
            or self.default_value is not None
            or self.default_path
            or self.default_address
            or self.is_workspace
        )


@dataclass(frozen=True, eq=False)
class Function(Value):
    """A function of an object; a constructor's name is empty."""

    type_name: ClassVar[str] = "Function"
    interfaces: ClassVar[tuple[str, ...]] = NODE

    name: str
    returns: TypeDef
    description: str = ""
    deprecated: str | None = None
    args: tuple[FunctionArg, ...] = ()
    cache_policy: str = "Default"
    time_to_live: float | None = None
    """Seconds that a result may be used again; None where the function does not say."""
    role: str = ""
    """`check`, `generator` or `up`; empty for a plain function."""


@dataclass(frozen=True, eq=False)
class TypeDef(Value):
    """A type, or a reference to one by kind and name."""

    type_name: ClassVar[str] = "TypeDef"
    interfaces: ClassVar[tuple[str, ...]] = NODE

    kind: str = ""
    optional: bool = False
    name: str = ""
    description: str = ""
    deprecated: str | None = None
    element: TypeDef | None = None
    fields: tuple[Field, ...] = ()
    functions: tuple[Function, ...] = ()
    constructor: Function | None = None
    members: tuple[EnumMember, ...] = ()


@dataclass(frozen=True, eq=False)
class Module(Value):
    """What a module offers."""

    type_name: ClassVar[str] = "Module"
    interfaces: ClassVar[tuple[str, ...]] = ("Node", "Syncer")

    name: str = ""
    description: str = ""
    objects: tuple[TypeDef, ...] = ()
    enums: tuple[TypeDef, ...] = ()
    interface_types: tuple[TypeDef, ...] = ()

"""Registration of a module's types, as the SDKs speak it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from drydock import durations
from drydock.errors import ApiError
from drydock.schema.registry import core
from drydock.typedefs import EnumMember, Field, Function, FunctionArg, Module, TypeDef

if TYPE_CHECKING:
    from drydock.session import Session


SHORTEST_TIME_TO_LIVE, LONGEST_TIME_TO_LIVE = 1.0, 7 * 24 * 3600.0
"""Seconds (v0.21, `core/modfunc.go`)."""


# -- types -----------------------------------------------------------------------------------------


@core.serves("Query", "module")
def module(_session: Session, _parent: None) -> Module:
    """A module without types yet."""
    return Module()


@core.serves("Query", "typeDef")
def type_def(_session: Session, _parent: None) -> TypeDef:
    """A type without a kind yet."""
    return TypeDef()


@core.serves("Query", "function")
def function(_session: Session, _parent: None, name: str, return_type: TypeDef) -> Function:
    """A function without arguments yet."""
    return Function(name=name, returns=return_type)


@core.serves("Module", "withDescription")
def with_module_description(_session: Session, parent: Module, description: str) -> Module:
    """Describe the module."""
    return replace(parent, description=description)


@core.serves("Module", "withObject")
def with_object(_session: Session, parent: Module, object: TypeDef) -> Module:  # noqa: A002
    """Add an object."""
    return replace(parent, objects=(*parent.objects, object))


@core.serves("Module", "withEnum")
def with_enum(_session: Session, parent: Module, enum: TypeDef) -> Module:
    """Add an enum."""
    return replace(parent, enums=(*parent.enums, enum))


@core.serves("Module", "withInterface")
def with_interface(_session: Session, parent: Module, iface: TypeDef) -> Module:
    """Add an interface."""
    return replace(parent, interface_types=(*parent.interface_types, iface))


@core.serves("TypeDef", "withKind")
def with_kind(_session: Session, parent: TypeDef, kind: str) -> TypeDef:
    """Make it a type of this kind."""
    return replace(parent, kind=kind)


@core.serves("TypeDef", "withOptional")
def with_optional(_session: Session, parent: TypeDef, optional: bool) -> TypeDef:
    """Allow null."""
    return replace(parent, optional=optional)


@core.serves("TypeDef", "withScalar")
def with_scalar(_session: Session, parent: TypeDef, name: str, description: str = "") -> TypeDef:
    """Make it a scalar of this name."""
    return replace(parent, kind="SCALAR_KIND", name=name, description=description)


@core.serves("TypeDef", "withListOf")
def with_list_of(_session: Session, parent: TypeDef, element_type: TypeDef) -> TypeDef:
    """Make it a list."""
    return replace(parent, kind="LIST_KIND", element=element_type)


@core.serves("TypeDef", "withObject")
def with_object_type(
    _session: Session,
    parent: TypeDef,
    name: str,
    description: str = "",
    deprecated: str | None = None,
) -> TypeDef:
    """Make it an object."""
    return replace(
        parent, kind="OBJECT_KIND", name=name, description=description, deprecated=deprecated
    )


@core.serves("TypeDef", "withInterface")
def with_interface_type(
    _session: Session, parent: TypeDef, name: str, description: str = ""
) -> TypeDef:
    """Make it an interface."""
    return replace(parent, kind="INTERFACE_KIND", name=name, description=description)


@core.serves("TypeDef", "withEnum")
def with_enum_type(_session: Session, parent: TypeDef, name: str, description: str = "") -> TypeDef:
    """Make it an enum."""
    return replace(parent, kind="ENUM_KIND", name=name, description=description)


@core.serves("TypeDef", "withEnumMember")
def with_enum_member(
    _session: Session,
    parent: TypeDef,
    name: str,
    value: str = "",
    description: str = "",
    deprecated: str | None = None,
) -> TypeDef:
    """Add a value of the enum."""
    added = EnumMember(name, value, description, deprecated)
    return replace(parent, members=(*parent.members, added))


@core.serves("TypeDef", "withField")
def with_field(
    _session: Session,
    parent: TypeDef,
    name: str,
    type_def: TypeDef,
    description: str = "",
    deprecated: str | None = None,
) -> TypeDef:
    """Add a field of the object."""
    added = Field(name, type_def, description, deprecated)
    return replace(parent, fields=(*parent.fields, added))


@core.serves("TypeDef", "withFunction")
def with_function(_session: Session, parent: TypeDef, function: Function) -> TypeDef:
    """Add a function of the object."""
    return replace(parent, functions=(*parent.functions, function))


@core.serves("TypeDef", "withConstructor")
def with_constructor(_session: Session, parent: TypeDef, function: Function) -> TypeDef:
    """Set the object's constructor."""
    return replace(parent, constructor=function)


# -- functions -------------------------------------------------------------------------------------


@core.serves("Function", "withDescription")
def with_description(_session: Session, parent: Function, description: str) -> Function:
    """Describe the function."""
    return replace(parent, description=description)


@core.serves("Function", "withDeprecated")
def with_deprecated(_session: Session, parent: Function, reason: str | None = None) -> Function:
    """Advise against the function."""
    return replace(parent, deprecated=reason or "")


@core.serves("Function", "withArg")
def with_arg(
    _session: Session,
    parent: Function,
    *,
    name: str,
    type_def: TypeDef,
    description: str = "",
    default_value: str | None = None,
    default_path: str = "",
    ignore: list[str] | None = None,
    deprecated: str | None = None,
    default_address: str = "",
) -> Function:
    """Add an argument."""
    added = FunctionArg(
        name,
        type_def,
        description,
        default_value,
        default_path,
        default_address,
        tuple(ignore or ()),
        deprecated,
    )
    return replace(parent, args=(*parent.args, added))


@core.serves("Function", "withCachePolicy")
def with_cache_policy(
    _session: Session, parent: Function, policy: str, time_to_live: str | None = None
) -> Function:
    """Say how long a result may be used again; `time_to_live` as Go writes durations.

    Raises:
        ApiError: If the time is none, or not from a second to seven days.
    """
    if time_to_live is None:
        return replace(parent, cache_policy=policy)
    if policy != "Default":
        raise ApiError("time to live can only be set with default cache policy")
    try:
        lasts = durations.seconds(time_to_live)
    except ValueError as error:
        raise ApiError(f"failed to parse time to live duration: {error}") from error
    if lasts == 0:
        return replace(parent, cache_policy="Never")
    if not SHORTEST_TIME_TO_LIVE <= lasts <= LONGEST_TIME_TO_LIVE:
        raise ApiError(
            f'time to live duration must be from "1s" to "168h0m0s", got "{time_to_live}"'
        )
    return replace(parent, time_to_live=lasts)


@core.serves("Function", "withCheck")
def with_check(_session: Session, parent: Function) -> Function:
    """Make it a check."""
    return replace(parent, role="check")


@core.serves("Function", "withGenerator")
def with_generator(_session: Session, parent: Function) -> Function:
    """Make it a generator."""
    return replace(parent, role="generator")


@core.serves("Function", "withUp")
def with_up(_session: Session, parent: Function) -> Function:
    """Make it a service to bring up."""
    return replace(parent, role="up")

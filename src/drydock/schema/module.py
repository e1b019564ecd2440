"""Registration of a module's types, and the calls of its functions, as the SDKs speak them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from drydock.calls import Call, CallError, current_call
from drydock.graph import Value
from drydock.schema.registry import core
from drydock.typedefs import EnumMember, Field, Function, FunctionArg, Module, TypeDef

if TYPE_CHECKING:
    from drydock.session import Session


@dataclass(frozen=True, eq=False)
class CallInput(Value):
    """One argument of a call; its value is JSON."""

    type_name: ClassVar[str] = "FunctionCallArgValue"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    name: str
    value: str


@dataclass(frozen=True, eq=False)
class CurrentModule(Value):
    """The module whose function asks."""

    type_name: ClassVar[str] = "CurrentModule"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    name: str


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
    """Say how long a result may be used again."""
    return replace(parent, cache_policy=policy, time_to_live=time_to_live)


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


# -- calls -----------------------------------------------------------------------------------------


@core.serves("Query", "currentFunctionCall")
def current_function_call(_session: Session, _parent: None) -> Call:
    """The call that this request comes from."""
    return current_call()


@core.serves("Query", "currentModule")
def current_module(_session: Session, _parent: None) -> CurrentModule:
    """The module that this request comes from."""
    return CurrentModule(current_call().module)


@core.serves("CurrentModule", "name")
def current_module_name(_session: Session, parent: CurrentModule) -> str:
    """The module's name."""
    return parent.name


@core.serves("FunctionCall", "name")
def call_name(_session: Session, parent: Call) -> str:
    """Name of the function, empty for a constructor."""
    return parent.name


@core.serves("FunctionCall", "parentName")
def call_parent_name(_session: Session, parent: Call) -> str:
    """Name of the object's type."""
    return parent.parent_name


@core.serves("FunctionCall", "parent")
def call_parent(_session: Session, parent: Call) -> str:
    """State of the object, as JSON."""
    return parent.parent


@core.serves("FunctionCall", "inputArgs")
def call_inputs(_session: Session, parent: Call) -> list[CallInput]:
    """Arguments of the call."""
    return [CallInput(name, value) for name, value in parent.inputs.items()]


@core.serves("FunctionCall", "returnValue")
def return_value(_session: Session, parent: Call, value: str) -> None:
    """Set the call's result."""
    parent.result = value


@core.serves("FunctionCall", "returnError")
def return_error(_session: Session, parent: Call, error: CallError) -> None:
    """Set why the call failed."""
    parent.error = error


@core.serves("FunctionCallArgValue", "name")
def input_name(_session: Session, parent: CallInput) -> str:
    """Name of the argument."""
    return parent.name


@core.serves("FunctionCallArgValue", "value")
def input_value(_session: Session, parent: CallInput) -> str:
    """Value of the argument, as JSON."""
    return parent.value


# -- errors ----------------------------------------------------------------------------------------


@core.serves("Query", "error")
def error(_session: Session, _parent: None, message: str) -> CallError:
    """An error to return from a function."""
    return CallError(message)


@core.serves("Error", "message")
def error_message(_session: Session, parent: CallError) -> str:
    """What went wrong."""
    return parent.message


@core.serves("Error", "withValue")
def with_value(_session: Session, parent: CallError, name: str, value: str) -> CallError:
    """Add a value, given as JSON."""
    json.loads(value)
    return replace(parent, values=(*parent.values, (name, value)))

"""Type definitions as a client reads them: of modules, and of what is being built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from drydock.graph import Value
from drydock.naming import camel, enum_member, lower_camel
from drydock.schema.registry import core
from drydock.typedefs import EnumMember, Field, Function, FunctionArg, Module, TypeDef

if TYPE_CHECKING:
    from collections.abc import Callable

    from drydock.session import Session

KINDS = {
    "asObject": ("OBJECT_KIND", "ObjectTypeDef"),
    "asInterface": ("INTERFACE_KIND", "InterfaceTypeDef"),
    "asEnum": ("ENUM_KIND", "EnumTypeDef"),
    "asList": ("LIST_KIND", "ListTypeDef"),
    "asScalar": ("SCALAR_KIND", "ScalarTypeDef"),
    "asInput": ("INPUT_KIND", "InputTypeDef"),
}


@dataclass(frozen=True, eq=False)
class OneKind(Value):
    """A type definition that is known to be of one kind."""

    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    type_name: str
    definition: TypeDef


def _serve(type_name: str, **readers: Callable[[Any], Any]) -> None:
    for field, read in readers.items():
        core.serves(type_name, field)(_resolver(read))


def _resolver(read: Callable[[Any], Any]) -> Callable[[Session, Any], Any]:
    def resolve(_session: Session, parent: Any) -> Any:
        return read(parent)

    return resolve


def _as_kind(field: str) -> Callable[[TypeDef], OneKind | None]:
    kind, type_name = KINDS[field]
    return lambda item: OneKind(type_name, item) if item.kind == kind else None


def _type_name(item: TypeDef) -> str:
    if item.element:
        return _type_name(item.element)
    return camel(item.name) if item.kind in ("OBJECT_KIND", "INTERFACE_KIND") else item.name


_serve(
    "TypeDef",
    kind=lambda item: item.kind,
    name=_type_name,
    optional=lambda item: item.optional,
    **{field: _as_kind(field) for field in KINDS},
)
for _kind in ("ObjectTypeDef", "InterfaceTypeDef", "EnumTypeDef", "ScalarTypeDef", "InputTypeDef"):
    _serve(
        _kind,
        name=lambda one: _type_name(one.definition),
        description=lambda one: one.definition.description,
        sourceModuleName=lambda _one: "",
        sourceMap=lambda _one: None,
        fields=lambda one: list(one.definition.fields),
        functions=lambda one: list(one.definition.functions),
        members=lambda one: list(one.definition.members),
        values=lambda one: list(one.definition.members),
        deprecated=lambda one: one.definition.deprecated,
        constructor=lambda one: one.definition.constructor,
    )
_serve("ListTypeDef", elementTypeDef=lambda one: one.definition.element)


def _serve_common(cls: type[Any], named: Callable[[str], str]) -> None:
    _serve(
        cls.type_name,
        name=lambda item: named(item.name),
        description=lambda item: item.description,
        deprecated=lambda item: item.deprecated,
        sourceMap=lambda _item: None,
    )


_serve_common(Field, lower_camel)
_serve_common(Function, lower_camel)
_serve_common(FunctionArg, lower_camel)
_serve_common(EnumMember, enum_member)
_serve("FieldTypeDef", typeDef=lambda item: item.type)
_serve("EnumValueTypeDef", value=lambda item: item.value)
_serve(
    "Function",
    args=lambda item: list(item.args),
    returnType=lambda item: item.returns,
    sourceModuleName=lambda _item: "",
)
_serve(
    "FunctionArg",
    typeDef=lambda item: item.type,
    defaultValue=lambda item: item.default_value or "",
    defaultPath=lambda item: item.default_path,
    defaultAddress=lambda item: item.default_address,
    ignore=lambda item: list(item.ignore),
)


def _types(field: str) -> Callable[[Module], list[TypeDef]]:
    return lambda module: list(getattr(module, field))


_serve(
    "Module",
    name=lambda module: module.name,
    description=lambda module: module.description,
    objects=_types("objects"),
    enums=_types("enums"),
    interfaces=_types("interface_types"),
)


@core.serves("Module", "sync")
def sync(session: Session, module: Module) -> str:
    """The module itself: it is known as soon as it is named."""
    return session.ids.put(module)

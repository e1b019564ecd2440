"""A module's own types in the API: their definition, and resolvers that call the module."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from drydock.defaults import Place
from drydock.errors import DrydockError
from drydock.graph import Value
from drydock.naming import camel, enum_member, lower_camel, type_name
from drydock.typedefs import Field, Function, FunctionArg, Module, TypeDef

if TYPE_CHECKING:
    from collections.abc import Container

    from drydock.defaults import UserDefaults

BUILT_IN = {
    "STRING_KIND": "String",
    "INTEGER_KIND": "Int",
    "FLOAT_KIND": "Float",
    "BOOLEAN_KIND": "Boolean",
    "VOID_KIND": "Void",
}

REFERENCES = frozenset({"OBJECT_KIND", "INTERFACE_KIND"})
"""Kinds whose values are given by id."""


@dataclass(frozen=True, eq=False)
class ModuleObject(Value):
    """An object of a module: its type's name in the API and in Python, and its state as JSON."""

    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    type_name: str
    original: str
    state: str

    @property
    def fields(self) -> dict[str, Any]:
        """The state by attribute."""
        return dict(json.loads(self.state) or {})


class Names:
    """How a module's types are called in the API."""

    def __init__(self, name: str, module: Module, original: str | None = None) -> None:
        """Take the names from a module's registration; `original` is what it calls itself."""
        self.module_name = name
        self.main = camel(name)

        def named(types: tuple[TypeDef, ...]) -> dict[str, str]:
            return {t.name: type_name(name, t.name, original) for t in types}

        self.objects, self.enums = named(module.objects), named(module.enums)
        self.interfaces = named(module.interface_types)
        self.members = {
            t.name: {enum_member(member.name): member.name for member in t.members}
            for t in module.enums
        }

    @property
    def constructor(self) -> str:
        """The field of `Query` that makes the main object; a field of the API itself stays."""
        from drydock.session import core_schema  # noqa: PLC0415  # it imports this file

        name = lower_camel(self.module_name)
        query = core_schema().query_type
        return f"{name}_" if query and name in query.fields else name

    def of(self, definition: TypeDef) -> str:
        """A type's name in the API."""
        own = {
            "OBJECT_KIND": self.objects,
            "INTERFACE_KIND": self.interfaces,
            "ENUM_KIND": self.enums,
        }
        if definition.kind in own:
            return own[definition.kind].get(definition.name, definition.name)
        return BUILT_IN.get(definition.kind, definition.name)

    def given_to(self, value: Any) -> Any:
        """Type definitions with the API's names in them."""
        if isinstance(value, tuple):
            return tuple(self.given_to(item) for item in value)
        if not is_dataclass(value) or isinstance(value, type):
            return value
        changed = {f.name: self.given_to(getattr(value, f.name)) for f in fields(value)}
        if isinstance(value, TypeDef) and value.name:
            changed["name"] = self.of(value)
        return replace(value, **changed)

    def check_own(self, module: Module, needed: Names) -> None:
        """Refuse a module that offers a type of one that it needs, as the Dagger engine does.

        Raises:
            DrydockError: If it does.
        """
        foreign = {*needed.objects.values(), *needed.interfaces.values(), *needed.enums.values()}
        for item in (*module.objects, *module.interface_types):
            used = [(f.name, f.type) for f in item.fields]
            for function in item.functions:
                used += [(function.name, function.returns)]
                used += [(function.name, arg.type) for arg in function.args]
            for name, definition in used:
                if (inner := definition.element or definition).name in foreign:
                    raise DrydockError(
                        f"module {self.module_name}: {item.name}.{name} offers {inner.name}, a type "
                        f"of module {needed.module_name}. A module can only offer its own types and "
                        "the API's: return what they hold, or declare an interface."
                    )

    def place(self, item: TypeDef, function: Function) -> Place:
        """Where a function's arguments stand in the user's defaults."""
        is_main = self.objects.get(item.name) == self.main
        return Place("" if is_main else item.name, function.name)


class Definition:
    """Writes a module's types in GraphQL's schema language."""

    def __init__(self, names: Names, module: Module, defaults: UserDefaults) -> None:
        """Begin with a registration, and the defaults that make some arguments optional."""
        self.names, self.module, self.defaults = names, module, defaults

    def text(self) -> str:
        """The definition of all types, and of the constructor in `Query`."""
        parts = [
            *map(self._enum, self.module.enums),
            *map(self._interface, self.module.interface_types),
            *map(self._object, self.module.objects),
        ]
        constructor = main_object(self.names, self.module).constructor
        field = self.names.constructor
        arguments = self._arguments(Place(), constructor) if constructor else ""
        description = constructor.description if constructor else ""
        query = f"{_doc(description)}{field}{arguments}: {self.names.main}!"
        return "\n".join([*parts, f"extend type Query {{ {query} }}"])

    def _enum(self, enum: TypeDef) -> str:
        members = "\n".join(
            f"{_doc(m.description)}{enum_member(m.name)} @enumValue(value: {_quoted(m.value)})"
            f"{_deprecated(m.deprecated)}"
            for m in enum.members
        )
        return f"{_doc(enum.description)}enum {self.names.enums[enum.name]} {{\n{members}\n}}"

    def _object(self, item: TypeDef) -> str:
        name = self.names.objects[item.name]
        return f"{_doc(item.description)}type {name} implements Node {{\n{self._body(item)}\n}}"

    def _interface(self, item: TypeDef) -> str:
        name = self.names.interfaces[item.name]
        return f"{_doc(item.description)}interface {name} {{\n{self._body(item)}\n}}"

    def _body(self, item: TypeDef) -> str:
        return "\n".join(
            ["id: ID!", *map(self._field, item.fields)]
            + [self._function(item, function) for function in item.functions]
        )

    def _field(self, field: Field) -> str:
        kind = self._output(field.type)
        name, suffix = lower_camel(field.name), _deprecated(field.deprecated)
        return f"{_doc(field.description)}{name}: {kind}{suffix}"

    def _function(self, item: TypeDef, function: Function) -> str:
        arguments = self._arguments(self.names.place(item, function), function)
        name, suffix = lower_camel(function.name), _deprecated(function.deprecated)
        kind = self._output(function.returns)
        return f"{_doc(function.description)}{name}{arguments}: {kind}{suffix}"

    def _arguments(self, where: Place, function: Function) -> str:
        if not function.args:
            return ""
        return "(" + "\n".join(self._argument(where, arg) for arg in function.args) + ")"

    def _argument(self, where: Place, arg: FunctionArg) -> str:
        literal = self._default(where, arg)
        required = not (arg.is_optional or literal or self.defaults.text(where, arg) is not None)
        suffix = f" = {literal}" if literal else ""
        kind = self._input(arg.type) + ("!" if required else "") + suffix
        name = lower_camel(arg.name)
        return f"{_doc(arg.description)}{name}: {kind}{self._directives(arg)}"

    def _default(self, where: Place, arg: FunctionArg) -> str:
        value = self.defaults.json(where, arg)
        if value is None and arg.default_value is not None:
            value = json.loads(arg.default_value)
        return "" if value is None else self._literal(value, arg.type)

    def _literal(self, value: Any, definition: TypeDef) -> str:
        """A JSON value in GraphQL; empty where it cannot be written, as an object's state."""
        if isinstance(value, list):
            items = [self._literal(item, definition.element or TypeDef()) for item in value]
            return f"[{', '.join(items)}]" if all(items) else ""
        if definition.kind == "ENUM_KIND":
            return enum_member(value) if definition.name in self.names.enums else str(value)
        return "" if isinstance(value, dict) else json.dumps(value, ensure_ascii=False)

    def _directives(self, arg: FunctionArg) -> str:
        parts = []
        inner = arg.type.element or arg.type
        if inner.kind in REFERENCES:
            parts.append(f"@expectedType(name: {_quoted(self.names.of(inner))})")
        if arg.default_path:
            parts.append(f"@defaultPath(path: {_quoted(arg.default_path)})")
        if arg.default_address:
            parts.append(f"@defaultAddress(address: {_quoted(arg.default_address)})")
        if arg.ignore:
            patterns = ", ".join(map(_quoted, arg.ignore))
            parts.append(f"@ignorePatterns(patterns: [{patterns}])")
        return "".join(f" {part}" for part in parts)

    def _input(self, definition: TypeDef) -> str:
        if definition.element:
            inner = self._input(definition.element)
            return f"[{inner}{'' if definition.element.optional else '!'}]"
        return "ID" if definition.kind in REFERENCES else self.names.of(definition)

    def _output(self, definition: TypeDef) -> str:
        name = (
            f"[{self._output(definition.element)}]"
            if definition.element
            else self.names.of(definition)
        )
        nullable = definition.optional or definition.kind == "VOID_KIND"
        return name if nullable else f"{name}!"


def main_object(names: Names, module: Module) -> TypeDef:
    """The object whose constructor is the module's entry.

    Raises:
        DrydockError: If the module has none.
    """
    for item in module.objects:
        if names.objects[item.name] == names.main:
            return item
    raise DrydockError(f"module {names.module_name} has no main object {names.main}")


def check_names(names: Names, module: Module, taken: Container[str]) -> None:
    """Refuse what the API has a meaning of its own for, as the Dagger engine does.

    Args:
        names: What the module's types are called.
        module: Its types.
        taken: Names of the API's own types.

    Raises:
        DrydockError: If a type is called like one of them, a field or a function `id`.
    """
    name = names.module_name
    for owned in (*names.objects.values(), *names.interfaces.values(), *names.enums.values()):
        if owned in taken:
            raise DrydockError(
                f"module {name}: its type {owned} is called like a type of the API. "
                'Give the module another "name" in dagger.json.'
            )
    for item in (*module.objects, *module.interface_types):
        members = [*(field.name for field in item.fields), *(f.name for f in item.functions)]
        if "id" in map(lower_camel, members):
            raise DrydockError(
                f'module {name}: {item.name} has a field or function called "id", which every '
                "object of the API has already. Give it another name."
            )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _doc(text: str) -> str:
    return f"{_quoted(text)}\n" if text else ""


def _deprecated(reason: str | None) -> str:
    return "" if reason is None else f" @deprecated(reason: {_quoted(reason)})"

"""A module's own types in the API: their definition, and resolvers that call the module."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from drydock.defaults import Place
from drydock.errors import DrydockError
from drydock.graph import Value
from drydock.naming import enum_member, lower_camel, type_name
from drydock.typedefs import Function, FunctionArg, Module, TypeDef

if TYPE_CHECKING:
    from drydock.defaults import UserDefaults

BUILT_IN = {
    "STRING_KIND": "String",
    "INTEGER_KIND": "Int",
    "FLOAT_KIND": "Float",
    "BOOLEAN_KIND": "Boolean",
    "VOID_KIND": "Void",
}


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

    def __init__(self, name: str, module: Module) -> None:
        """Take the names from a module's registration."""
        self.module_name = name
        self.main = type_name(name, name)
        self.objects = {t.name: type_name(name, t.name) for t in module.objects}
        self.enums = {t.name: type_name(name, t.name) for t in module.enums}
        self.members = {
            t.name: {enum_member(member.name): member.name for member in t.members}
            for t in module.enums
        }

    def of(self, definition: TypeDef) -> str:
        """A type's name in the API."""
        if definition.kind == "OBJECT_KIND":
            return self.objects.get(definition.name, definition.name)
        if definition.kind == "ENUM_KIND":
            return self.enums.get(definition.name, definition.name)
        return BUILT_IN.get(definition.kind, definition.name)

    def place(self, item: TypeDef, function: Function) -> Place:
        """Where a function's arguments stand in the user's defaults."""
        return Place("" if self.objects[item.name] == self.main else item.name, function.name)


class Definition:
    """Writes a module's types in GraphQL's schema language."""

    def __init__(self, names: Names, module: Module, defaults: UserDefaults) -> None:
        """Begin with a registration, and the defaults that make some arguments optional."""
        self.names, self.module, self.defaults = names, module, defaults

    def text(self) -> str:
        """The definition of all types, and of the constructor in `Query`."""
        parts = [*map(self._enum, self.module.enums), *map(self._object, self.module.objects)]
        constructor = main_object(self.names, self.module).constructor
        field = lower_camel(self.names.module_name)
        arguments = self._arguments(Place(), constructor) if constructor else ""
        description = constructor.description if constructor else ""
        query = f"{_doc(description)}{field}{arguments}: {self.names.main}!"
        return "\n".join([*parts, f"extend type Query {{ {query} }}"])

    def _enum(self, enum: TypeDef) -> str:
        members = "\n".join(
            f"{_doc(m.description)}{enum_member(m.name)}{_deprecated(m.deprecated)}"
            for m in enum.members
        )
        return f"{_doc(enum.description)}enum {self.names.enums[enum.name]} {{\n{members}\n}}"

    def _object(self, item: TypeDef) -> str:
        lines = ["id: ID!"]
        for field in item.fields:
            name = lower_camel(field.name)
            suffix = _deprecated(field.deprecated)
            lines.append(f"{_doc(field.description)}{name}: {self._output(field.type)}{suffix}")
        for function in item.functions:
            name = lower_camel(function.name)
            arguments = self._arguments(self.names.place(item, function), function)
            suffix = _deprecated(function.deprecated)
            result = self._output(function.returns)
            lines.append(f"{_doc(function.description)}{name}{arguments}: {result}{suffix}")
        body = "\n".join(lines)
        name = self.names.objects[item.name]
        return f"{_doc(item.description)}type {name} implements Node {{\n{body}\n}}"

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
        if inner.kind == "OBJECT_KIND":
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
        return "ID" if definition.kind == "OBJECT_KIND" else self.names.of(definition)

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


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _doc(text: str) -> str:
    return f"{_quoted(text)}\n" if text else ""


def _deprecated(reason: str | None) -> str:
    return "" if reason is None else f" @deprecated(reason: {_quoted(reason)})"

"""Flags of a function, from its arguments in the schema: a module's own or the API's."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    get_nullable_type,
    value_from_ast_untyped,
)

from drydock.cli_options import hint
from drydock.cli_values import INPUTS, READERS
from drydock.errors import UsageError
from drydock.naming import kebab
from drydock.schema.registry import default_value
from drydock.values import SUPPORTED

if TYPE_CHECKING:
    from collections.abc import Mapping


class Choice(str):
    """An enum's member: a query has it without quotes."""

    __slots__ = ()


@dataclass(frozen=True)
class Address:
    """An object that a flag names; it becomes an id once the whole command line is understood."""

    type_name: str
    text: str
    flag: str
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flag:
    """One argument of a function, as it is typed."""

    argument: str
    type_name: str
    is_list: bool = False
    required: bool = False
    default: Any = None
    description: str = ""
    choices: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The flag without its dashes."""
        return kebab(self.argument)

    @property
    def needs_value(self) -> bool:
        """Whether a value has to follow."""
        return self.type_name != "Boolean" or self.is_list

    def parse(self, text: str) -> Any:
        """The value that a text gives; a list of them for a list.

        Raises:
            UsageError: If the text is none of the flag's type.
        """
        if not self.is_list:
            return self._one(text)
        if self.type_name == "String":
            return [self._one(item) for item in _split(text)]
        plain = text.translate(dict.fromkeys(map(ord, "\"'`")))
        return [self._one(item.strip()) for item in _split(plain)]

    def _one(self, text: str) -> Any:
        if self.choices:
            return self._choice(text)
        if self.type_name in SUPPORTED:
            return Address(self.type_name, text, self.name, self.ignore)
        if self.type_name not in READERS:
            return text
        read, wanted = READERS[self.type_name]
        try:
            return read(text)
        except ValueError:
            raise self._invalid(text, wanted) from None

    def _choice(self, text: str) -> Choice:
        for choice in self.choices:
            if choice.lower() == text.lower():
                return Choice(choice)
        raise self._invalid(text, f"one of {', '.join(self.choices)}{hint(text, self.choices)}")

    def _invalid(self, text: str, wanted: str) -> UsageError:
        return UsageError(f'--{self.name} "{text}": should be {wanted}')


def _split(text: str) -> list[str]:
    return next(csv.reader([text]), [])


def flags_of(arguments: Mapping[str, GraphQLArgument]) -> dict[str, Flag]:
    """The flags of a function by name; without those arguments that no text can give."""
    flags = (_flag(name, argument) for name, argument in arguments.items())
    return {flag.name: flag for flag in flags if flag}


def is_callable(arguments: Mapping[str, GraphQLArgument]) -> bool:
    """Whether every argument that has to be given can be given as a flag."""
    return all(_flag(n, a) for n, a in arguments.items() if _is_required(a))


def _is_required(argument: GraphQLArgument) -> bool:
    return isinstance(argument.type, GraphQLNonNull) and default_value(argument) is None


def _flag(name: str, argument: GraphQLArgument) -> Flag | None:
    kind: Any = get_nullable_type(argument.type)
    is_list = isinstance(kind, GraphQLList)
    inner: Any = get_nullable_type(kind.of_type) if is_list else kind
    named = get_named_type(inner)
    if isinstance(inner, GraphQLList):
        return None
    if isinstance(inner, GraphQLInputObjectType) and named.name not in INPUTS:
        return None
    directives = _directives(argument)
    type_name = directives.get("expectedType", {}).get("name", named.name)
    if named.name == "ID" and type_name not in SUPPORTED:
        return None
    return Flag(
        argument=name,
        type_name=type_name,
        is_list=is_list,
        required=_is_required(argument),
        default=default_value(argument),
        description=argument.description or "",
        choices=tuple(named.values) if isinstance(named, GraphQLEnumType) else (),
        ignore=tuple(directives.get("ignorePatterns", {}).get("patterns", ())),
    )


def _directives(argument: GraphQLArgument) -> dict[str, dict[str, Any]]:
    nodes = (argument.ast_node.directives if argument.ast_node else None) or ()
    return {
        node.name.value: {
            a.name.value: value_from_ast_untyped(a.value) for a in node.arguments or ()
        }
        for node in nodes
    }


def literal(value: Any) -> str:
    """A flag's value in a query."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {literal(item)}' for name, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return str(value) if isinstance(value, Choice) else json.dumps(value, ensure_ascii=False)

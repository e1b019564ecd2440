"""Which fields of the API are served, and how a query reaches them.

A resolver is a plain function `(session, parent, **arguments)`, registered under its type and field. Arguments
arrive in snake_case; an id arrives as the object that it names. What has no resolver refuses by name.
"""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from graphql import GraphQLError, GraphQLResolveInfo, value_from_ast_untyped

if TYPE_CHECKING:
    from graphql import GraphQLArgument

    from drydock.session import Session

Resolver = Callable[..., Any]
Function = TypeVar("Function", bound=Resolver)


@dataclass(frozen=True)
class Served:
    """A resolver and the arguments that it takes."""

    call: Resolver
    arguments: frozenset[str]


class Resolvers(dict[tuple[str, str], Served]):
    """Resolvers by type and field."""

    def serves(self, type_name: str, *fields: str) -> Callable[[Function], Function]:
        """Register a function as the resolver of one field, or of several that do the same."""

        def register(function: Function) -> Function:
            names = list(inspect.signature(function).parameters)[2:]
            for field in fields:
                self[type_name, field] = Served(function, frozenset(names))
            return function

        return register

    def plain(self, type_name: str, *fields: str) -> None:
        """Register fields that are the object's own attributes."""
        for field in fields:
            self[type_name, field] = Served(partial(_attribute, snake_case(field)), frozenset())


def _attribute(name: str, _session: Session, parent: Any) -> Any:
    value = getattr(parent, name)
    return list(value) if isinstance(value, tuple) else value


core = Resolvers()
"""The API's own fields; the modules beside this one fill it."""


@cache
def snake_case(name: str) -> str:
    """`redirectStdout` → `redirect_stdout`; a word of Python's own gets an underscore behind it."""
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
    return snake + "_" if keyword.iskeyword(snake) else snake


async def resolve(
    session: Session, parent: Any, info: GraphQLResolveInfo[Any], given: dict[str, Any]
) -> Any:
    """Answer one field of a query.

    Raises:
        GraphQLError: If drydock does not serve the field or an argument that was given.
    """
    type_name, field = info.parent_type.name, info.field_name
    if field == "id":
        return session.ids.put(parent)
    served = session.resolvers.get((type_name, field))
    if served is None:
        raise GraphQLError(
            f"drydock does not serve {type_name}.{field}; run this on a Dagger engine"
        )
    definitions = info.parent_type.fields[field].args
    arguments = {}
    for name, value in given.items():
        python_name = snake_case(name)
        if python_name in served.arguments:
            arguments[python_name] = _decode(session, value, definitions[name])
        elif value not in (None, default_value(definitions[name])):
            raise GraphQLError(
                f"drydock does not serve the argument {name} of {type_name}.{field}; run this on a Dagger engine"
            )
    result = served.call(session, parent, **arguments)
    return await result if inspect.isawaitable(result) else result


def default_value(definition: GraphQLArgument) -> Any:
    """The default that the API's definition gives an argument; None where it gives none."""
    node = definition.ast_node
    return value_from_ast_untyped(node.default_value) if node and node.default_value else None


def _decode(session: Session, value: Any, definition: GraphQLArgument) -> Any:
    expected = expected_type(definition)
    if expected is None or value is None:
        return value
    if isinstance(value, list):
        return [session.ids.get(item, expected) for item in value]
    return session.ids.get(value, expected)


def expected_type(definition: GraphQLArgument) -> str | None:
    """The object type that an id argument stands for; None for any other argument."""
    node = definition.ast_node
    for directive in (node.directives if node else None) or ():
        if directive.name.value == "expectedType":
            return str(value_from_ast_untyped((directive.arguments or ())[0].value))
    return None

"""Writes the Python client of modules, on top of the SDK's own client of the API."""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, cast

from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    TypeDefinitionNode,
    get_directive_values,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    parse,
)
from graphql.pyutils import camel_to_snake

from drydock.schema.interfaces import extended
from drydock.schema.registry import expected_type
from drydock.session import core_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import GraphQLArgument, GraphQLField, GraphQLNamedType, GraphQLSchema

HEAD = '''\
"""Written by drydock: the client of the modules that this one depends on."""

from typing import Protocol as _Protocol
from typing import runtime_checkable as _runtime_checkable

from dagger.client import gen as _gen
from dagger.client._core import Arg as _Arg
from dagger.client._guards import typecheck as _typecheck
from dagger.client.base import Enum as _Enum
from dagger.client.base import Type as _Type
from dagger.client.gen import *  # noqa: F403
'''

SCALARS = {"ID": "str", "String": "str", "Int": "int", "Float": "float", "Boolean": "bool"}
SHADOWING = frozenset({"str", "int", "float", "bool", "list", "type"})
"""Method names that would hide the types that the next method is annotated with."""

_CAPITALS = re.compile(r"([A-Z\d]+)(?=[A-Z\d]|$)")


def client_code(definition: str) -> str:
    """The code of the types of modules, and of `dag` with what they add to `Query`.

    Args:
        definition: Their types, in GraphQL's schema language.
    """
    schema = extended(core_schema(), definition)
    nodes = [d for d in parse(definition).definitions if isinstance(d, TypeDefinitionNode)]
    own = [schema.type_map[node.name.value] for node in nodes]
    return HEAD + "\n".join(_Writer(schema, own).lines()) + "\n"


def python_name(name: str) -> str:
    """What the SDK calls a field or an argument: `withHTTPPort` → `with_http_port`."""
    snake = camel_to_snake(_CAPITALS.sub(lambda found: found[0].title(), name))
    return f"{snake}_" if iskeyword(snake) or snake in SHADOWING else snake


class _Writer:
    """Writes classes; what a class of this file is annotated with may stand further down."""

    def __init__(self, schema: GraphQLSchema, own: list[GraphQLNamedType]) -> None:
        self._schema, self._own = schema, own
        self._names = {kind.name for kind in own}

    def lines(self) -> Iterator[str]:
        for kind in self._own:
            if isinstance(kind, GraphQLEnumType):
                yield from self._enum(kind)
            elif isinstance(kind, GraphQLInterfaceType):
                yield from self._protocol(kind)
                yield from self._class(f"_{kind.name}Client", kind.name, kind.fields)
            elif isinstance(kind, GraphQLObjectType):
                yield from self._class(kind.name, kind.name, kind.fields)
        yield from self._client()

    def _enum(self, kind: GraphQLEnumType) -> Iterator[str]:
        yield f"\n\nclass {kind.name}(_Enum):"
        directive = self._schema.get_directive("enumValue")
        for name, member in kind.values.items():
            given = get_directive_values(cast("Any", directive), cast("Any", member.ast_node))
            yield f"    {name} = {(given or {}).get('value') or name!r}"

    def _protocol(self, kind: GraphQLInterfaceType) -> Iterator[str]:
        yield f"\n\n@_runtime_checkable\nclass {kind.name}(_Protocol):"
        for name, field in kind.fields.items():
            yield f"    {self._signature(name, field)} ..."

    def _class(self, name: str, api_name: str, fields: dict[str, GraphQLField]) -> Iterator[str]:
        yield f"\n\n@_typecheck\nclass {name}(_Type):"
        yield f"    @classmethod\n    def _graphql_name(cls) -> str:\n        return {api_name!r}"
        yield "\n    def with_(self, cb):\n        return cb(self)"
        yield from self._methods(fields)

    def _client(self) -> Iterator[str]:
        query = cast("GraphQLObjectType", self._schema.query_type)
        known = cast("GraphQLObjectType", core_schema().query_type).fields
        yield "\n\n@_typecheck\nclass Client(_gen.Client):"
        yield from self._methods({n: f for n, f in query.fields.items() if n not in known})
        yield "\n\ndag = Client()"
        yield f"__all__ = [*_gen.__all__, {', '.join(map(repr, sorted(self._names)))}]  # noqa: F405"

    def _methods(self, fields: dict[str, GraphQLField]) -> Iterator[str]:
        for name, field in fields.items():
            yield f"\n    {self._signature(name, field)}"
            given = ", ".join(_argument(n, arg) for n, arg in field.args.items())
            yield f"        _ctx = self._select({name!r}, [{given}])"
            yield f"        {self._answer(field)}"

    def _answer(self, field: GraphQLField) -> str:
        named = get_named_type(field.type)
        made = f"_{named.name}Client" if isinstance(named, GraphQLInterfaceType) else named.name
        if named.name == "Void":
            return "await _ctx.execute()"
        if is_leaf_type(named):
            return f"return await _ctx.execute({_annotation(field.type)})"
        if _is_list(field.type):
            return f"return await _ctx.execute_object_list({made})"
        return f"return {made}(_ctx)"

    def _signature(self, name: str, field: GraphQLField) -> str:
        required = [n for n, arg in field.args.items() if _is_required(arg)]
        optional = [n for n in field.args if n not in required]
        parameters = ["self", *(self._parameter(n, field.args[n]) for n in required)]
        if optional:
            parameters += ["*", *(f"{self._parameter(n, field.args[n])} = None" for n in optional)]
        named = get_named_type(field.type)
        waits = is_leaf_type(named) or _is_list(field.type)
        # A single object is a query yet to be asked: none of them is None.
        result = self._quoted(_annotation(field.type) if waits else named.name)
        keyword = "async def" if waits else "def"
        return f"{keyword} {python_name(name)}({', '.join(parameters)}) -> {result}:"

    def _parameter(self, name: str, argument: GraphQLArgument) -> str:
        named = expected_type(argument) or ""
        kind = get_nullable_type(argument.type)
        text = _annotation(GraphQLNonNull(kind) if _is_required(argument) else kind, named)
        return f"{python_name(name)}: {self._quoted(text)}"

    def _quoted(self, annotation: str) -> str:
        words = set(re.findall(r"\w+", annotation))
        return repr(annotation) if words & self._names else annotation


def _argument(name: str, argument: GraphQLArgument) -> str:
    default = "" if _is_required(argument) else ", None"
    return f"_Arg({name!r}, {python_name(name)}{default})"


def _annotation(kind: Any, named: str = "") -> str:
    """A type in Python; `named` is the object that an id stands for."""
    inner = get_nullable_type(kind)
    if isinstance(inner, GraphQLList):
        # The API's lists hold no null.
        item = GraphQLNonNull(cast("Any", get_nullable_type(inner.of_type)))
        text = f"list[{_annotation(item, named)}]"
    else:
        text = "None" if inner.name == "Void" else named or SCALARS.get(inner.name, inner.name)
    return text if inner is not kind or text == "None" else f"{text} | None"


def _is_list(kind: Any) -> bool:
    return isinstance(get_nullable_type(kind), GraphQLList)


def _is_required(argument: GraphQLArgument) -> bool:
    node = argument.ast_node
    has_default = node is not None and node.default_value is not None
    return isinstance(argument.type, GraphQLNonNull) and not has_default

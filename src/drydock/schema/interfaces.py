"""Which types have what the interfaces of modules ask for: nobody declares it, the fields decide.

The rules are the Dagger engine's (v0.21, `dagql/interfaces.go`): a type implements an interface when
it has all of its fields, each with a result that fits, the interface's arguments, and no other
argument that has to be given. A field's type fits where it is the same, or itself implements the
one that is asked for; so all pairs are taken for granted first, and struck out until none is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import (
    InterfaceTypeDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    extend_schema,
    parse,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from graphql import (
        DefinitionNode,
        FieldDefinitionNode,
        GraphQLSchema,
        InputValueDefinitionNode,
        TypeNode,
    )

    Implements = Callable[[str, str], bool]
    Type = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode

INTERFACE = InterfaceTypeDefinitionNode


def extended(schema: GraphQLSchema, sdl: str) -> GraphQLSchema:
    """A schema with the types of modules added, and what implements their interfaces."""
    document = parse(sdl)
    found = implementations(document.definitions, schema)
    interfaces = {d.name.value for d in document.definitions if isinstance(d, INTERFACE)}
    for name, implemented in sorted(found.items()):
        keyword = "interface" if name in interfaces else "type"
        sdl += f"\nextend {keyword} {name} implements {' & '.join(sorted(implemented))}"
    return extend_schema(schema, parse(sdl) if found else document, assume_valid=True)


def implementations(
    definitions: Iterable[DefinitionNode], schema: GraphQLSchema
) -> dict[str, set[str]]:
    """The interfaces of these definitions that each type implements, by the type's name.

    Args:
        definitions: Of all modules in a session.
        schema: The API's own types, which may implement a module's interface as well.
    """
    own: list[Type] = [
        d for d in definitions if isinstance(d, (ObjectTypeDefinitionNode, INTERFACE))
    ]
    wanted = [d for d in own if isinstance(d, INTERFACE)]
    if not wanted:
        return {}
    core = [t.ast_node for t in schema.type_map.values()]
    candidates = [*own, *(node for node in core if isinstance(node, ObjectTypeDefinitionNode))]
    pairs = {(t.name.value, i.name.value): (t, i) for t in candidates for i in wanted if t is not i}
    while wrong := [k for k, (t, i) in pairs.items() if not _has_all(t, i, _known(pairs))]:
        for key in wrong:
            del pairs[key]
    found: dict[str, set[str]] = {}
    for type_name, interface in pairs:
        found.setdefault(type_name, set()).add(interface)
    return found


def _known(pairs: Mapping[tuple[str, str], object]) -> Implements:
    return lambda name, interface: (name, interface) in pairs


def _has_all(candidate: Type, interface: Type, implements: Implements) -> bool:
    fields = {field.name.value: field for field in candidate.fields or ()}
    return all(
        wanted.name.value in fields and _fits(fields[wanted.name.value], wanted, implements)
        for wanted in interface.fields or ()
    )


def _fits(field: FieldDefinitionNode, wanted: FieldDefinitionNode, implements: Implements) -> bool:
    return _result_fits(field.type, wanted.type, implements) and _arguments_fit(field, wanted)


def _result_fits(given: TypeNode, wanted: TypeNode, implements: Implements) -> bool:
    if isinstance(wanted, NonNullTypeNode):
        return isinstance(given, NonNullTypeNode) and _result_fits(
            given.type, wanted.type, implements
        )
    given = given.type if isinstance(given, NonNullTypeNode) else given
    if isinstance(given, ListTypeNode) and isinstance(wanted, ListTypeNode):
        return _result_fits(given.type, wanted.type, implements)
    if isinstance(given, NamedTypeNode) and isinstance(wanted, NamedTypeNode):
        names = given.name.value, wanted.name.value
        return names[0] == names[1] or implements(*names)
    return False


def _arguments_fit(field: FieldDefinitionNode, wanted: FieldDefinitionNode) -> bool:
    given = {arg.name.value: arg for arg in field.arguments or ()}
    asked = {arg.name.value: arg for arg in wanted.arguments or ()}
    same = all(name in given and _same(given[name].type, arg.type) for name, arg in asked.items())
    return same and not any(_is_required(a) for name, a in given.items() if name not in asked)


def _same(given: TypeNode, wanted: TypeNode) -> bool:
    """Whether an argument takes what is given for the interface's: null only where both do."""
    if isinstance(given, NamedTypeNode) and isinstance(wanted, NamedTypeNode):
        return given.name.value == wanted.name.value
    if isinstance(given, (NonNullTypeNode, ListTypeNode)) and type(given) is type(wanted):
        return _same(given.type, wanted.type)
    return isinstance(wanted, NonNullTypeNode) and _same(given, wanted.type)


def _is_required(argument: InputValueDefinitionNode) -> bool:
    return isinstance(argument.type, NonNullTypeNode) and argument.default_value is None

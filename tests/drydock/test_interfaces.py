"""Which types implement a module's interface."""

from __future__ import annotations

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, parse

from drydock.schema.interfaces import extended, implementations
from drydock.session import core_schema

DUCK = "interface Duck { id: ID! quack(loud: Boolean = false): String! friend: Duck! }"


def implement(sdl: str) -> dict[str, set[str]]:
    """What implements the interfaces in a definition."""
    return implementations(parse(sdl).definitions, core_schema())


@pytest.mark.parametrize(
    "fields",
    [
        "quack(loud: Boolean = false): String! friend: Duck!",
        "quack(loud: Boolean = true, times: Int = 1): String! friend: Mallard! more: Int",
        "quack(loud: Boolean): String! friend(name: String): Mallard!",
    ],
)
def test_a_type_implements_what_it_has_all_fields_of(fields: str) -> None:
    """Results may say more, arguments may be more, as long as nobody has to give them."""
    assert implement(f"{DUCK} type Mallard {{ id: ID! {fields} }}") == {"Mallard": {"Duck"}}


@pytest.mark.parametrize(
    "fields",
    [
        "quack(loud: Boolean): String!",
        "quack: String! friend: Duck!",
        "quack(loud: Boolean): String friend: Duck!",
        "quack(loud: Boolean): [String!]! friend: Duck!",
        "quack(loud: Boolean): Int! friend: Duck!",
        "quack(loud: Boolean!): String! friend: Duck!",
        "quack(loud: String): String! friend: Duck!",
        "quack(loud: Boolean, times: Int!): String! friend: Duck!",
        "quack(loud: Boolean): String! friend: Directory!",
    ],
)
def test_a_type_that_lacks_something_does_not(fields: str) -> None:
    """A field, an argument, a result that is always there; or it asks for more than is given."""
    assert implement(f"{DUCK} type Mallard {{ id: ID! {fields} }}") == {}


def test_types_that_return_each_other_are_found_together() -> None:
    """Each implements the interface because the other does; so does an interface that says more."""
    sdl = """
    interface Named { id: ID! name: String! next: Named! }
    interface Priced { id: ID! name: String! next: Priced! price: Int! }
    type A { id: ID! name: String! next: B! }
    type B { id: ID! name: String! next: A! price: Int! }
    """
    assert implement(sdl) == {"Priced": {"Named"}, "A": {"Named"}, "B": {"Named"}}


def test_the_api_s_own_types_may_implement_one() -> None:
    """Without having heard of it."""
    found = implement("interface Readable { id: ID! contents: String! name: String! }")
    assert found == {"File": {"Readable"}}


def test_a_schema_knows_what_implements_what() -> None:
    """So that a client can ask an interface, and gets the fields of the type behind it."""
    sdl = f"{DUCK} type Mallard implements Node {{ id: ID! quack(loud: Boolean): String! friend: Duck! }}"
    schema = extended(core_schema(), sdl)
    duck, mallard = schema.type_map["Duck"], schema.type_map["Mallard"]
    assert isinstance(duck, GraphQLInterfaceType)
    assert isinstance(mallard, GraphQLObjectType)
    assert schema.is_sub_type(duck, mallard)
    assert {interface.name for interface in mallard.interfaces} == {"Node", "Duck"}

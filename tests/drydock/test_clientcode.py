"""The client that is written for a module's dependencies, on the SDK's own."""

from __future__ import annotations

import importlib.util
import inspect
from typing import TYPE_CHECKING, Any

import pytest

from drydock.clientcode import client_code, python_name

if TYPE_CHECKING:
    from pathlib import Path

SDL = """
enum OvenLevel { LOW @enumValue(value: "low one") HIGH @enumValue(value: "high") }
interface OvenThing { id: ID! name: String! other: OvenThing! }
type OvenCake implements Node {
  id: ID! name: String! level: OvenLevel! class: Int
  other: OvenCake!
  box(source: ID! @expectedType(name: "Directory"), level: OvenLevel = LOW): Directory!
  eat: Void
}
type Oven implements Node {
  id: ID!
  cakes(names: [String!]!, notes: [String!] = ["a"]): [OvenCake]!
  things: [OvenThing]!
  put(things: [ID!] @expectedType(name: "OvenThing")): Oven!
}
extend type Query { oven(size: Int!, door: String = "shut"): Oven! }
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The written module, imported."""
    file: Path = tmp_path_factory.mktemp("client") / "dagger_gen.py"
    file.write_text(client_code(SDL))
    spec = importlib.util.spec_from_file_location("dagger_gen_of_the_test", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_has_what_the_sdk_has_and_the_dependencies(client: Any) -> None:
    """`from dagger_gen import *` stands for the SDK's client of the API."""
    for name in ("Container", "Client", "dag", "Oven", "OvenCake", "OvenLevel", "OvenThing"):
        assert name in client.__all__
    assert client.dag.container
    assert client.OvenLevel.LOW.value == "low one"


def test_names_and_signatures_are_those_of_the_sdk(client: Any) -> None:
    """Required arguments first, the others by name; objects at once, values to be awaited."""
    box = inspect.signature(client.OvenCake.box)
    kinds = [(p.name, p.kind.name, p.default is p.empty) for p in box.parameters.values()]
    assert kinds[1:] == [
        ("source", "POSITIONAL_OR_KEYWORD", True),
        ("level", "KEYWORD_ONLY", False),
    ]
    assert hasattr(client.OvenCake, "class_")
    assert inspect.iscoroutinefunction(client.Oven.cakes)
    assert inspect.iscoroutinefunction(client.OvenCake.eat)
    assert not inspect.iscoroutinefunction(client.OvenCake.box)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("withHTTPPort", "with_http_port"),
        ("v2Api", "v2_api"),
        ("import", "import_"),
        ("str", "str_"),
    ],
)
def test_fields_are_named_as_the_sdk_names_them(name: str, expected: str) -> None:
    """A word of Python's own gets an underscore behind it."""
    assert python_name(name) == expected


def test_what_is_chained_becomes_a_query(client: Any) -> None:
    """With the arguments that were given and no others."""
    oven = client.dag.oven(5).put(things=None)
    fields = [(field.name, field.args) for field in oven._ctx.selections]
    assert fields == [("oven", {"size": 5}), ("put", {})]


def test_a_wrong_type_is_refused_where_it_is_given(client: Any) -> None:
    """By the SDK's own check."""
    with pytest.raises(TypeError, match="size"):
        client.dag.oven("large")

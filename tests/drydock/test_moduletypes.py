"""A module's types in the API, and values on their way between the API and the SDK."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, extend_schema, parse

from drydock.defaults import UserDefaults
from drydock.errors import ApiError, DrydockError
from drydock.ids import Ids
from drydock.objects import Directory
from drydock.schema.modulecalls import Bridge
from drydock.schema.moduletypes import Definition, ModuleObject, Names
from drydock.session import Session, core_schema
from drydock.source import ModuleSource
from drydock.typedefs import EnumMember, Field, Function, FunctionArg, Module, TypeDef

if TYPE_CHECKING:
    from pathlib import Path

STRING = TypeDef(kind="STRING_KIND")
MAYBE = TypeDef(kind="STRING_KIND", optional=True)
VOID = TypeDef(kind="VOID_KIND", optional=True)
TONE = TypeDef(kind="ENUM_KIND", name="Tone")
GUEST = TypeDef(kind="OBJECT_KIND", name="Guest")
DIRECTORY = TypeDef(kind="OBJECT_KIND", name="Directory")
MODULE = Module(
    enums=(TypeDef(kind="ENUM_KIND", name="Tone", members=(EnumMember("veryWarm", "very warm"),)),),
    objects=(
        TypeDef(kind="OBJECT_KIND", name="Guest", fields=(Field("full_name", STRING),)),
        TypeDef(
            kind="OBJECT_KIND",
            name="Greeter",
            description='Says "hello"\n\nand \\ more.',
            constructor=Function("", TypeDef(kind="OBJECT_KIND", name="Greeter")),
            functions=(
                Function("nothing", VOID),
                Function("maybe", MAYBE),
                Function("tones", TypeDef(kind="LIST_KIND", element=TONE)),
                Function(
                    "greet",
                    GUEST,
                    deprecated="use hello",
                    args=(
                        FunctionArg("guests", TypeDef(kind="LIST_KIND", element=GUEST)),
                        FunctionArg("tone", TONE, default_value='"veryWarm"'),
                        FunctionArg("note", MAYBE, default_value="null"),
                        FunctionArg("source_dir", DIRECTORY, default_path="/", ignore=("*",)),
                        FunctionArg("name", STRING),
                        FunctionArg("ws", TypeDef(kind="OBJECT_KIND", name="Workspace")),
                    ),
                ),
            ),
        ),
    ),
)


def schema(dotenv: str = "") -> GraphQLSchema:
    """The API with the module in it."""
    defaults = UserDefaults("greeter", outer=dotenv, environment={})
    definition = Definition(Names("greeter", MODULE), MODULE, defaults)
    return extend_schema(core_schema(), parse(definition.text()))


def fields(name: str, dotenv: str = "") -> dict[str, Any]:
    """The fields of a type."""
    return dict(cast("GraphQLObjectType", schema(dotenv).type_map[name]).fields)


@pytest.fixture
def bridge(tmp_path: Path) -> Bridge:
    """The module, without a process; its folder is in a repository."""
    (tmp_path / ".git").mkdir()
    source = ModuleSource(tmp_path / "ci", "greeter", tmp_path / "ci")

    def no_process() -> Any:
        pytest.fail("no function is called here")

    return Bridge(source, MODULE, UserDefaults("greeter"), no_process)


@pytest.fixture
def session() -> Session:
    """As much of a session as values need."""
    return cast("Session", SimpleNamespace(ids=Ids()))


def test_types_are_namespaced_and_written_as_graphql() -> None:
    """With lists, null where it is allowed, and descriptions as they are."""
    greeter = fields("Greeter")
    kinds = {name: str(field.type) for name, field in greeter.items()}
    assert kinds == {
        "id": "ID!",
        "nothing": "Void",
        "maybe": "String",
        "tones": "[GreeterTone!]!",
        "greet": "GreeterGuest!",
    }
    assert str(fields("GreeterGuest")["fullName"].type) == "String!"
    assert schema().type_map["Greeter"].description == 'Says "hello"\n\nand \\ more.'
    assert greeter["greet"].deprecation_reason == "use hello"
    assert str(fields("Query")["greeter"].type) == "Greeter!"


def test_arguments_are_required_only_where_nothing_fills_them_in() -> None:
    """A default, a path in the repository, the caller's workspace, or the user's `.env`."""
    kinds = {name: str(arg.type) for name, arg in fields("Greeter")["greet"].args.items()}
    assert kinds == {
        "guests": "[ID!]!",
        "tone": "GreeterTone",
        "note": "String",
        "sourceDir": "ID",
        "name": "String!",
        "ws": "ID",
    }
    filled = fields("Greeter", "GREETER_GREET_NAME=Ada")["greet"].args["name"]
    assert str(filled.type) == "String"
    assert filled.ast_node.default_value.value == "Ada"


def test_enum_defaults_are_members_of_the_api() -> None:
    """Whatever they are called in Python."""
    default = fields("Greeter")["greet"].args["tone"].ast_node.default_value
    assert default.value == "VERY_WARM"


def test_values_go_to_the_sdk_as_it_expects_them(bridge: Bridge, session: Session) -> None:
    """Members by their Python names, own objects as dicts of their fields, the API's own as ids."""
    guest = ModuleObject("GreeterGuest", "Guest", '{"full_name": "Ada"}')
    many = TypeDef(kind="LIST_KIND", element=GUEST)
    assert bridge.from_api(session, "VERY_WARM", TONE) == "veryWarm"
    assert bridge.from_api(session, [guest], many) == [{"full_name": "Ada"}]
    assert bridge.from_api(session, None, MAYBE) is None
    identity = bridge.from_api(session, Directory(), DIRECTORY)
    assert session.ids.get(identity) == Directory()


def test_values_come_from_the_sdk_by_their_type(bridge: Bridge, session: Session) -> None:
    """The opposite way; what is missing is the empty value, as in Go."""
    identity = session.ids.put(Directory())
    assert bridge.to_api(session, identity, DIRECTORY) == Directory()
    assert bridge.to_api(session, "veryWarm", TONE) == "VERY_WARM"
    assert bridge.to_api(session, {"full_name": "Ada"}, GUEST).fields == {"full_name": "Ada"}
    assert bridge.to_api(session, None, STRING) == ""
    assert bridge.to_api(session, None, MAYBE) is None
    assert bridge.to_api(session, None, TypeDef(kind="LIST_KIND", element=STRING)) == []


@pytest.mark.parametrize(
    ("value", "definition", "message"),
    [
        ("cold", TONE, 'invalid enum value "cold" for "Tone"'),
        ("x", VOID, "cannot convert str to Void"),
        ("Directory@nothing", DIRECTORY, "no object with the id"),
    ],
)
def test_what_is_no_value_of_the_type_is_refused(
    bridge: Bridge, session: Session, value: object, definition: TypeDef, message: str
) -> None:
    """Rather than passed on."""
    with pytest.raises(ApiError, match=message):
        bridge.to_api(session, value, definition)


@pytest.mark.parametrize(
    ("path", "found"), [(".", "ci"), ("src", "ci/src"), ("/", "."), ("/apps", "apps"), ("..", ".")]
)
def test_default_paths_start_at_the_module_or_at_its_repository(
    bridge: Bridge, tmp_path: Path, path: str, found: str
) -> None:
    """Relative ones at dagger.json, absolute ones at the `.git`."""
    assert bridge._context_path(path) == str(tmp_path / found).removesuffix("/.")


@pytest.mark.parametrize("path", ["../..", "/..", "../../etc"])
def test_default_paths_stay_in_the_repository(bridge: Bridge, path: str) -> None:
    """A module reads nothing of the machine around it."""
    with pytest.raises(DrydockError, match="is outside of context directory"):
        bridge._context_path(path)


def test_a_module_with_interfaces_is_refused(tmp_path: Path) -> None:
    """By name, instead of a schema that half works."""
    speaker = TypeDef(kind="INTERFACE_KIND", name="Speaker")
    module = Module(objects=MODULE.objects, enums=MODULE.enums, interface_types=(speaker,))
    source = ModuleSource(tmp_path, "greeter", tmp_path)
    bridge = Bridge(source, module, UserDefaults("greeter"), lambda: pytest.fail("not called"))
    with pytest.raises(DrydockError, match=r"interfaces \(Speaker\)"):
        bridge.install(cast("Session", None))

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
from drydock.schema.moduletypes import Definition, ModuleObject, Names, check_names
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
    assert bridge.values.from_api(session, "VERY_WARM", TONE) == "veryWarm"
    assert bridge.values.from_api(session, [guest], many) == [{"full_name": "Ada"}]
    assert bridge.values.from_api(session, None, MAYBE) is None
    identity = bridge.values.from_api(session, Directory(), DIRECTORY)
    assert session.ids.get(identity) == Directory()


def test_values_come_from_the_sdk_by_their_type(bridge: Bridge, session: Session) -> None:
    """The opposite way; what is missing is the empty value, as in Go."""
    identity = session.ids.put(Directory())
    assert bridge.values.to_api(session, identity, DIRECTORY) == Directory()
    assert bridge.values.to_api(session, "veryWarm", TONE) == "VERY_WARM"
    assert bridge.values.to_api(session, {"full_name": "Ada"}, GUEST).fields == {"full_name": "Ada"}
    assert bridge.values.to_api(session, None, STRING) == ""
    assert bridge.values.to_api(session, None, MAYBE) is None
    assert bridge.values.to_api(session, None, TypeDef(kind="LIST_KIND", element=STRING)) == []


@pytest.mark.parametrize(
    ("value", "definition", "message"),
    [
        ("cold", TONE, 'invalid enum value "cold" for "Tone"'),
        ("x", VOID, "cannot convert str to Void"),
        ("x", TypeDef(kind="INTEGER_KIND"), "cannot convert str to Int: 'x'"),
        (True, TypeDef(kind="INTEGER_KIND"), "cannot convert bool to Int: True"),
        (5, STRING, "cannot convert int to String: 5"),
        ("ab", TypeDef(kind="LIST_KIND", element=STRING), "cannot convert str to a list: 'ab'"),
        ("Directory@nothing", DIRECTORY, "no object with the id"),
    ],
)
def test_what_is_no_value_of_the_type_is_refused(
    bridge: Bridge, session: Session, value: object, definition: TypeDef, message: str
) -> None:
    """Rather than passed on."""
    with pytest.raises(ApiError, match=message):
        bridge.values.to_api(session, value, definition)


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


def test_what_a_dependent_calls_a_module_names_its_types() -> None:
    """While a type that begins with the module's own name still does not say it twice."""
    names = Names("welcome", MODULE, "greeter")
    assert names.main == "Welcome"
    assert names.objects == {"Guest": "WelcomeGuest", "Greeter": "Welcome"}


def test_types_are_given_with_the_names_of_the_api(bridge: Bridge) -> None:
    """As a client reads them, however deep they are."""
    described = bridge.described
    assert described.name == "greeter"
    greeter = next(item for item in described.objects if item.name == "Greeter")
    greet = next(f for f in greeter.functions if f.name == "greet")
    assert greet.returns.name == "GreeterGuest"
    assert greet.args[0].type.element == TypeDef(kind="OBJECT_KIND", name="GreeterGuest")


def test_a_module_offers_no_type_of_another() -> None:
    """As on the Dagger engine, where it could not be loaded."""
    taker = Function(
        "seat",
        VOID,
        args=(
            FunctionArg(
                "guest",
                TypeDef(
                    kind="LIST_KIND", element=(TypeDef(kind="OBJECT_KIND", name="GreeterGuest"))
                ),
            ),
        ),
    )
    hotel = Module(objects=(TypeDef(kind="OBJECT_KIND", name="Hotel", functions=(taker,)),))
    with pytest.raises(
        DrydockError, match=r"Hotel.seat offers GreeterGuest, a type of module gree"
    ):
        Names("hotel", hotel).check_own(hotel, Names("greeter", MODULE))


def test_a_module_called_like_a_field_of_the_api_leaves_that_field() -> None:
    """`git` for one; a type of the API cannot be had twice, so that is refused."""
    git = Module(objects=(TypeDef(kind="OBJECT_KIND", name="Git"),))
    assert Names("git", git).constructor == "git_"
    file = Module(objects=(TypeDef(kind="OBJECT_KIND", name="File"),))
    with pytest.raises(DrydockError, match="its type File is called like a type of the API"):
        check_names(Names("file", file), file, core_schema().type_map)

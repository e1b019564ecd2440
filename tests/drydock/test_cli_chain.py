"""A command line becomes one query: flags, chains, options, mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from graphql import parse

from drydock.cli_chain import Parser, answer, functions_of, query
from drydock.cli_flags import Address
from drydock.cli_options import early
from drydock.cli_render import as_json, as_text, flattened, short_id
from drydock.defaults import UserDefaults
from drydock.errors import UsageError
from drydock.schema.moduletypes import Definition, Names
from drydock.session import core_schema
from drydock.typedefs import EnumMember, Field, Function, FunctionArg, Module, TypeDef

if TYPE_CHECKING:
    from graphql import GraphQLSchema

    from drydock.cli_chain import Chain

STRING, INTEGER = TypeDef(kind="STRING_KIND"), TypeDef(kind="INTEGER_KIND")
FLOAT, BOOLEAN = TypeDef(kind="FLOAT_KIND"), TypeDef(kind="BOOLEAN_KIND")
TONE = TypeDef(kind="ENUM_KIND", name="Tone")


def some(name: str) -> TypeDef:
    """An object by name."""
    return TypeDef(kind="OBJECT_KIND", name=name)


def many(element: TypeDef) -> TypeDef:
    """A list."""
    return TypeDef(kind="LIST_KIND", element=element)


MODULE = Module(
    enums=(
        TypeDef(kind="ENUM_KIND", name="Tone", members=(EnumMember("WARM"), EnumMember("COLD"))),
    ),
    objects=(
        TypeDef(
            kind="OBJECT_KIND",
            name="Greeter",
            constructor=Function(
                "",
                some("Greeter"),
                args=(FunctionArg("greeting", STRING, default_value='"Hello"'),),
            ),
            functions=(
                Function(
                    "say_hello",
                    STRING,
                    args=(
                        FunctionArg("full_name", STRING),
                        FunctionArg("tone", TONE, default_value='"COLD"'),
                        FunctionArg("times", INTEGER, default_value="1"),
                        FunctionArg("volume", FLOAT, default_value="0.5"),
                        FunctionArg("polite", BOOLEAN, default_value="false"),
                        FunctionArg("tags", many(STRING), default_value="[]"),
                        FunctionArg("tones", many(TONE), default_value='["WARM"]'),
                    ),
                ),
                Function("guests", many(some("Guest"))),
                Function("pack", some("File"), args=(FunctionArg("source", some("Directory")),)),
                Function("from_guest", STRING, args=(FunctionArg("guest", some("Guest")),)),
            ),
        ),
        TypeDef(
            kind="OBJECT_KIND",
            name="Guest",
            fields=(Field("name", STRING),),
            functions=(Function("bag", some("Directory")),),
        ),
    ),
)


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    """The API with the module in it."""
    from graphql import extend_schema

    definition = Definition(Names("greeter", MODULE), MODULE, UserDefaults("greeter"))
    return extend_schema(core_schema(), parse(definition.text()))


def chain(schema: GraphQLSchema, *arguments: str) -> Chain:
    """A command line, understood."""
    return Parser(schema, "greeter", list(arguments)).parse()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("say-hello --full-name Ada", 'sayHello(fullName: "Ada")'),
        ("sayHello --fullName=Ada", 'sayHello(fullName: "Ada")'),
        ("say_hello --full_name Ada --tone warm", 'sayHello(fullName: "Ada", tone: WARM)'),
        ("say-hello --full-name a --times 0x10", 'sayHello(fullName: "a", times: 16)'),
        ("say-hello --full-name a --times -1", 'sayHello(fullName: "a", times: -1)'),
        ("say-hello --full-name a --volume 1e-2", 'sayHello(fullName: "a", volume: 0.01)'),
        ("say-hello --full-name a --polite", 'sayHello(fullName: "a", polite: true)'),
        ("say-hello --full-name a --polite=F", 'sayHello(fullName: "a", polite: false)'),
        ('say-hello --full-name a --tags 1,"2,3" --tags=4', None),
        (
            "say-hello --full-name a --tones WARM,cold",
            'sayHello(fullName: "a", tones: [WARM, COLD])',
        ),
        ("guests name", "guests { name }"),
        (
            "guests bag docker-build --build-args A=b,C=d=e --platform current",
            (
                'guests { bag { dockerBuild(buildArgs: [{name: "A", value: "b"}, '
                '{name: "C", value: "d=e"}], platform: "linux/amd64") { id: sync } } }'
            ),
        ),
        (
            "guests bag docker-build as-service up --ports 8080:80 --ports 443",
            (
                "guests { bag { dockerBuild { asService { up(ports: [{frontend: 8080, backend: 80}, "
                "{frontend: 443, backend: 443}]) } } } }"
            ),
        ),
    ],
)
def test_flags_become_arguments(
    schema: GraphQLSchema, arguments: str, expected: str | None
) -> None:
    """By the argument's type; names in any spelling, lists by commas and by repeating."""
    if expected is None:
        expected = 'sayHello(fullName: "a", tags: ["1", "2,3", "4"])'
    assert query(chain(schema, *arguments.split())) == f"{{ greeter {{ {expected} }} }}"


def test_text_is_quoted_as_graphql_has_it(schema: GraphQLSchema) -> None:
    """Whatever is in it."""
    asked = query(chain(schema, "say-hello", "--full-name", 'a"b\\c\nd\te ü 😀'))
    field: Any = parse(asked).definitions[0]
    inner = field.selection_set.selections[0].selection_set.selections[0]
    assert inner.arguments[0].value.value == 'a"b\\c\nd\te ü 😀'


@pytest.mark.parametrize(
    ("arguments", "leaf"),
    [
        ("guests", "guests { id }"),
        ("guests bag", "guests { bag { id: sync } }"),
        ("guests bag entries", "guests { bag { entries } }"),
        ("pack --source . contents", "pack { contents }"),
        ("pack --source . -o x", 'pack { export(path: "x", allowParentDirPath: true) }'),
        ("pack --source . size -o x", "pack { size }"),
    ],
)
def test_what_is_asked_of_a_result_depends_on_its_type(
    schema: GraphQLSchema, arguments: str, leaf: str
) -> None:
    """An object is evaluated, or exported where the result is to be saved."""
    parsed = chain(schema, *arguments.split())
    for step in parsed.steps:
        step.values.clear()
    assert query(parsed) == f"{{ greeter {{ {leaf} }} }}"


def test_objects_wait_until_the_whole_line_is_understood(schema: GraphQLSchema) -> None:
    """A directory is not uploaded for a command line with a mistake at its end."""
    parsed = chain(schema, "pack", "--source", "src")
    assert parsed.last.values == {"source": Address("Directory", "src", "source")}


def test_options_may_stand_anywhere(schema: GraphQLSchema) -> None:
    """Between functions, joined to their letter, after an equals sign."""
    options = chain(
        schema, "--greeting", "Hi", "-jq", "guests", "-oout", "name", "-m=x", "-vv"
    ).options
    assert (options.json, options.quiet, options.verbose) == (True, True, True)
    assert (options.output, options.mod) == ("out", "x")
    for quiet in (["--progress", "quiet"], ["--progress=quiet"], ["-s"], ["--silent"], ["-q"]):
        assert chain(schema, "guests", *quiet).options.no_progress
    assert chain(schema, "guests", "-d").options.tells_all


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("hallo", 'unknown function "hallo"'),
        ("say-helo", 'unknown function "say-helo"; did you mean say-hello?'),
        ("from-guest", 'unknown function "from-guest"'),
        ("say-hello", "required flag missing: --full-name"),
        ("say-hello --full-nam x", "unknown flag: --full-nam; did you mean --full-name?"),
        ("say-hello -x", "unknown flag: -x"),
        ("say-hello --full-name", "flag needs an argument: --full-name"),
        ("say-hello --tone hot", '--tone "hot": should be one of WARM, COLD'),
        ("say-hello --tone wram", '--tone "wram": should be one of WARM, COLD; did you mean WARM?'),
        ("say-hello -i", "drydock does not serve -i, --interactive; for a shell where a command"),
        ("say-hello --auto-apply", "drydock does not serve --auto-apply; save the changes with"),
        ("guests -o x", "--output: a list of GreeterGuest cannot be saved; call a function of it"),
        ("say-hello --times two", '--times "two": should be a whole number'),
        ("say-hello --volume loud", '--volume "loud": should be a number'),
        ("guests bag docker-build --platform pdp11", '--platform "pdp11": should be a platform'),
        ("guests bag docker-build --build-args x", '--build-args "x": should be NAME=VALUE'),
        ("guests bag docker-build as-service up --ports a", '--ports "a": should be FRONTEND:BACK'),
        ("say-hello --polite=x", '--polite "x": should be true or false'),
        ("guests name again", 'unexpected argument "again": String, the result of name,'),
        ("say-hello --polite guests", "required flag missing: --full-name"),
        ("guests --progress loud", '--progress "loud": should be one of auto, plain, tty, quiet'),
        ("say-hello --greeting x", "unknown flag: --greeting; it has to stand before say-hello"),
        (
            "say-hello --full-name a --polite false",
            'unexpected argument "false": a switch has its value behind an equals sign, as in --polite',
        ),
        ("pack", "required flag missing: --source"),
    ],
)
def test_a_mistake_is_one_clear_message(
    schema: GraphQLSchema, arguments: str, message: str
) -> None:
    """With what was meant where it can be guessed, and the help that helps."""
    with pytest.raises(UsageError) as raised:
        chain(schema, *arguments.split())
    assert str(raised.value).startswith(message)
    function = arguments.partition(" ")[0]
    known = function in functions_of(schema.type_map["Greeter"])
    command = f"drydock call {function}" if known else "drydock call"
    assert f"Run '{command}" in str(raised.value)


def test_help_needs_no_required_flags(schema: GraphQLSchema) -> None:
    """Neither its own nor those of the functions before."""
    assert chain(schema, "pack", "--help").options.help
    assert chain(schema, "-h", "pack", "contents").path == "drydock call pack contents"


@pytest.mark.parametrize(
    ("arguments", "mod", "verbose"),
    [
        ("build --tag x", "", False),
        ("-m ../x build -v", "../x", True),
        ("build -qm../x --debug", "../x", True),
        ("build -m=../x --verbose=false", "../x", False),
        ("build --mod=../x", "../x", False),
        ("build -m", "", False),
    ],
)
def test_the_module_is_known_before_its_flags_are(arguments: str, mod: str, verbose: bool) -> None:
    """What is needed to read the rest of the line."""
    options = early(arguments.split())
    assert (options.mod, options.tells_all) == (mod, verbose)


def test_the_answer_is_found_at_the_end_of_the_chain(schema: GraphQLSchema) -> None:
    """Below a list, names stay for JSON and go for text."""
    parsed = chain(schema, "guests", "bag", "entries")
    data = {"greeter": {"guests": [{"bag": {"entries": ["a", "b"]}}, {"bag": {"entries": []}}]}}
    found = answer(parsed, data)
    assert found == [{"bag": {"entries": ["a", "b"]}}, {"bag": {"entries": []}}]
    assert as_text(flattened(found)) == "a\nb\n\n\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("two\nlines", "two\nlines"),
        (["a", "b"], "a\nb\n"),
        ([], ""),
        (True, "true"),
        (None, "<nil>"),
        (1_000_000, "1000000"),
        (2.0, "2"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
    ],
)
def test_results_are_printed_plainly(value: object, text: str) -> None:
    """As they are; only a list brings line ends of its own."""
    assert as_text(value) == text


def test_json_is_for_people_too() -> None:
    """Indented, and without escapes that nobody needs."""
    assert as_json({"a": ["ü", "<"]}) == '{\n    "a": [\n        "ü",\n        "<"\n    ]\n}\n'


def test_ids_are_shown_by_type_and_the_beginning_of_the_digest() -> None:
    """Enough to tell two of them apart."""
    assert short_id("Container@" + "ab" * 32) == "Container@sha256:abababababababab"


def test_functions_are_sorted_and_callable(schema: GraphQLSchema) -> None:
    """What needs an argument that no text can give is left out."""
    assert list(functions_of(schema.type_map["Greeter"])) == ["guests", "pack", "say-hello"]
    assert functions_of(schema.type_map["String"]) == {}

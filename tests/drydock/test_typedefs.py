"""Type definitions on disk."""

import json

import pytest

from drydock import typedefs
from drydock.typedefs import EnumMember, Field, Function, FunctionArg, Module, TypeDef

STRING = TypeDef(kind="STRING_KIND")
TONE = TypeDef(kind="ENUM_KIND", name="Tone", members=(EnumMember("WARM", "warm", "Kind."),))
MODULE = Module(
    name="greeter",
    description="Greets.",
    enums=(TONE,),
    objects=(
        TypeDef(
            kind="OBJECT_KIND",
            name="Greeter",
            fields=(Field("greeting", STRING, deprecated="use hello"),),
            constructor=Function("", TypeDef(kind="OBJECT_KIND", name="Greeter")),
            functions=(
                Function(
                    "hello",
                    TypeDef(kind="LIST_KIND", element=STRING, optional=True),
                    args=(FunctionArg("src", STRING, ignore=("a", "b"), default_value='"x"'),),
                    cache_policy="Never",
                    role="check",
                ),
            ),
        ),
    ),
)


def test_a_module_survives_the_way_to_disk_and_back() -> None:
    """What was registered once is the same when read again."""
    written = json.dumps(typedefs.dump(MODULE))
    assert typedefs.load(json.loads(written)) == MODULE


def test_data_of_another_format_is_refused() -> None:
    """A file of another version must not become a half-filled module."""
    with pytest.raises((KeyError, TypeError)):
        typedefs.load({"is": "Module", "colour": "blue"})
    with pytest.raises(KeyError):
        typedefs.load({"name": "greeter"})


@pytest.mark.parametrize(
    ("arg", "optional"),
    [
        (FunctionArg("a", STRING), False),
        (FunctionArg("a", TypeDef(kind="STRING_KIND", optional=True)), True),
        (FunctionArg("a", STRING, default_value='"x"'), True),
        (FunctionArg("a", TypeDef(kind="OBJECT_KIND", name="Directory"), default_path="/"), True),
        (FunctionArg("a", TypeDef(kind="OBJECT_KIND", name="Workspace")), True),
        (FunctionArg("a", TypeDef(kind="OBJECT_KIND", name="Directory")), False),
    ],
)
def test_arguments_that_have_a_value_anyway_are_optional(arg: FunctionArg, optional: bool) -> None:
    """By type, by default, from the module's repository, or from the caller's."""
    assert arg.is_optional is optional

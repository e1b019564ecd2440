"""Type definitions."""

import pytest

from drydock.typedefs import FunctionArg, TypeDef

STRING = TypeDef(kind="STRING_KIND")


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

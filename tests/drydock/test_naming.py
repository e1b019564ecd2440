"""Names: Python's on one side, the API's and the command line's on the other."""

import pytest

from drydock.naming import camel, enum_member, kebab, lower_camel, snake, type_name


@pytest.mark.parametrize(
    ("name", "as_camel", "as_lower_camel", "as_kebab"),
    [
        ("my-mod2x", "MyMod2X", "myMod2X", "my-mod-2-x"),
        ("fooBAR", "FooBar", "fooBar", "foo-bar"),
        ("HTTPServer", "Httpserver", "httpserver", "http-server"),
        ("ABTest", "Abtest", "abtest", "ab-test"),
        ("v2_api", "V2Api", "v2Api", "v-2-api"),
        ("sha256sum", "Sha256Sum", "sha256Sum", "sha-256-sum"),
        ("with_2fa", "With2Fa", "with2Fa", "with-2-fa"),
        ("ID", "Id", "id", "id"),
        ("a.b", "AB", "aB", "a-b"),
        ("SlipwayRelease", "SlipwayRelease", "slipwayRelease", "slipway-release"),
    ],
)
def test_names_are_formatted_as_the_dagger_engine_does(
    name: str, as_camel: str, as_lower_camel: str, as_kebab: str
) -> None:
    """The figures were taken from the Go library of engine v0.21.8 itself."""
    assert camel(name) == as_camel
    assert lower_camel(name) == as_lower_camel
    assert kebab(name) == as_kebab


def test_snake_case_is_kebab_case_with_underscores() -> None:
    """`.env` names use it for prefixes."""
    assert snake("my-mod2x") == "my_mod_2_x"


@pytest.mark.parametrize(
    ("name", "expected"), [("WARM", "WARM"), ("A_1", "A_1"), ("veryWarm", "VERY_WARM")]
)
def test_enum_members_are_in_capitals(name: str, expected: str) -> None:
    """A conventional name is left alone."""
    assert enum_member(name) == expected


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("slipway", "Slipway", "Slipway"),
        ("slipway", "Release", "SlipwayRelease"),
        ("slipway", "SlipwayRelease", "SlipwayRelease"),
        ("post", "Postman", "PostPostman"),
        ("my-mod", "MyMod", "MyMod"),
        ("my-mod", "MyModThing", "MyModThing"),
    ],
)
def test_types_carry_their_modules_name_once(module: str, name: str, expected: str) -> None:
    """`Postman` of a module `post` is not the `man` of it."""
    assert type_name(module, name) == expected

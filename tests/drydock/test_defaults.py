"""Defaults that the user keeps in `.env`."""

from pathlib import Path

import pytest

from drydock.defaults import Place, UserDefaults, read, without_prefix
from drydock.errors import DrydockError
from drydock.source import ModuleSource
from drydock.typedefs import Function, FunctionArg, Module, TypeDef

STRING = TypeDef(kind="STRING_KIND")
INTEGER = TypeDef(kind="INTEGER_KIND")
SECRET = TypeDef(kind="OBJECT_KIND", name="Secret")
SSH_KEY = FunctionArg("ssh_key", SECRET)


@pytest.mark.parametrize(
    "name", ["SLIPWAY_sshKey", "SLIPWAY_SSHKEY", "slipway_sshkey", "Slipway_SshKey"]
)
def test_a_constructor_argument_is_found_by_module_and_camel_case_name(name: str) -> None:
    """Capitals do not matter."""
    defaults = UserDefaults("slipway", outer=f"{name}=env://KEY")
    assert defaults.text(Place(), SSH_KEY) == "env://KEY"


@pytest.mark.parametrize("name", ["SLIPWAY_SSH_KEY", "SSHKEY", "OTHER_SSHKEY", "SLIPWAYSSHKEY"])
def test_other_names_do_not_match(name: str) -> None:
    """As on the Dagger engine, words of an argument's name are not parted by underscores."""
    assert UserDefaults("slipway", outer=f"{name}=x").text(Place(), SSH_KEY) is None


def test_functions_and_objects_are_prefixes() -> None:
    """A function of the main object needs its own name only, another object's the object's too."""
    tag = FunctionArg("tag", STRING)
    outer = "SLIPWAY_BUILD_IMAGE_TAG=1\nslipway_buildImage_tag=2\nSLIPWAY_RELEASE_PUSH_TAG=3"
    defaults = UserDefaults("slipway", outer=outer)
    assert defaults.text(Place("", "build_image"), tag) == "2"
    assert defaults.text(Place("Release", "push"), tag) == "3"
    assert defaults.text(Place("", "push"), tag) is None


def test_the_modules_own_file_needs_no_prefix_and_gives_way() -> None:
    """What the caller says in its own folder wins."""
    registry = FunctionArg("registry", STRING)
    inner, outer = "registry=inner", "SLIPWAY_REGISTRY=outer"
    assert UserDefaults("slipway", inner=inner).text(Place(), registry) == "inner"
    assert UserDefaults("slipway", inner=inner, outer=outer).text(Place(), registry) == "outer"


@pytest.mark.parametrize(
    ("definition", "text", "expected"),
    [
        (STRING, "12", "12"),
        (INTEGER, "12", 12),
        (TypeDef(kind="BOOLEAN_KIND"), "true", True),
        (TypeDef(kind="LIST_KIND", element=STRING), "a,b", ["a", "b"]),
        (TypeDef(kind="ENUM_KIND", name="Tone"), "'\"WARM\"'", "WARM"),
        (SECRET, "env://X", None),
    ],
)
def test_values_are_read_by_type(definition: TypeDef, text: str, expected: object) -> None:
    """Text as it stands, numbers, JSON, lists by commas; objects are looked up when called."""
    defaults = UserDefaults("slipway", outer=f"SLIPWAY_X={text}")
    assert defaults.json(Place(), FunctionArg("x", definition)) == expected


@pytest.mark.parametrize(
    ("definition", "text", "wanted"),
    [
        (INTEGER, "many", r"slipway\.build\(x=many\) is not a whole number"),
        (TypeDef(kind="BOOLEAN_KIND"), "yes", "is not JSON"),
        (TypeDef(kind="ENUM_KIND"), "WARM", "double quotes"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(definition: TypeDef, text: str, wanted: str) -> None:
    """With the function, the argument and the value."""
    defaults = UserDefaults("slipway", outer=f"SLIPWAY_BUILD_X={text}")
    with pytest.raises(DrydockError, match=wanted):
        defaults.json(Place("", "build"), FunctionArg("x", definition))


def test_defaults_in_use_are_announced_without_plaintexts() -> None:
    """A reference to a secret may be shown, anything else may be the secret itself."""
    constructor = Function("", STRING, args=(SSH_KEY, FunctionArg("password", SECRET)))
    build = Function("build", STRING, args=(FunctionArg("tag", STRING),))
    main = TypeDef(kind="OBJECT_KIND", name="Slipway", constructor=constructor, functions=(build,))
    outer = "SLIPWAY_SSHKEY=env://KEY\nSLIPWAY_PASSWORD=hunter2\nSLIPWAY_BUILD_TAG=v1"
    lines = UserDefaults("slipway", outer=outer).announced(
        Module(objects=(main,)), {Place(), Place("", "build")}
    )
    assert list(lines) == [
        'user default: slipway(sshKey="env://KEY")',
        "user default: slipway(password=*****)",
        'user default: slipway.build(tag="v1")',
    ]


def test_the_nearest_file_above_the_caller_is_read(tmp_path: Path) -> None:
    """And the one beside dagger.json."""
    module, caller = tmp_path / "module", tmp_path / "repo" / "apps" / "web"
    module.mkdir()
    caller.mkdir(parents=True)
    (module / ".env").write_text("registry=inner\nconfig=inner")
    (tmp_path / "repo" / ".env").write_text("SLIPWAY_REGISTRY=outer")
    defaults = read(ModuleSource(module, "slipway", module), caller)
    assert defaults.text(Place(), FunctionArg("registry", STRING)) == "outer"
    assert defaults.text(Place(), FunctionArg("config", STRING)) == "inner"


@pytest.mark.parametrize(
    ("name", "rest"),
    [("MYMOD_X", "X"), ("my_mod_x", "x"), ("myMod_x", "x"), ("MY-MOD_x", None)],
)
def test_prefixes_may_be_camel_or_snake_case(name: str, rest: str | None) -> None:
    """A module `my-mod` answers to both."""
    assert without_prefix(name, "my-mod") == rest

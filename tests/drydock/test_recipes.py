"""Values as data, and back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from drydock import recipes
from drydock.graph import CacheMount, Exec, ExecRoot, Image, MakeFile, Scratch, Sharing, Value
from drydock.objects import Container, ImageConfig
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


def again(value: Value) -> Value:
    """A value that was written and read."""
    return recipes.load(json.loads(json.dumps(recipes.dump(value))))


def container() -> Container:
    """A container with a bit of everything."""
    root = MakeFile(Image("debian@sha256:1", "linux/amd64"), "/data", bytes(range(256)), 0o600)
    cache = CacheMount("/cache", "volume", Sharing.LOCKED)
    last = Exec(root, ("true",), mounts=(cache,), env=(("A", "é"),))
    config = ImageConfig(env=(("A", ""),), cmd=(), entrypoint=None)
    return Container("linux/amd64", ExecRoot(last), config, mounts=(cache,), last=last)


@pytest.mark.parametrize("value", [MODULE, container(), Scratch()])
def test_a_value_is_the_same_afterwards(value: Value) -> None:
    """Also its key, which ids are made of."""
    read = again(value)
    assert type(read) is type(value)
    assert read.key == value.key


def test_an_empty_list_is_not_a_missing_one() -> None:
    """An image's command can be set to nothing."""
    read = again(container())
    assert isinstance(read, Container)
    assert read.config.cmd == ()
    assert read.config.entrypoint is None


def test_a_long_chain_is_as_long_as_it_is() -> None:
    """Two uses of one part are one part, and no recursion ends it."""
    made = container()
    for number in range(3000):
        made = replace(made, fs=MakeFile(made.fs, f"/{number}", b""))
    assert len(recipes.dump(made)) == len(recipes.dump(container())) + 3000
    assert again(made).key == made.key


@pytest.mark.parametrize(
    "data",
    [[], [["Unknown", {}]], [["Module", {"colour": "blue"}]], [["Copy", {"base": {"part": 9}}]]],
)
def test_data_of_another_version_is_refused(data: list[object]) -> None:
    """It must not become a half-filled value."""
    with pytest.raises(recipes.UNREADABLE):
        recipes.load(data)

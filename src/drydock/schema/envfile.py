"""Env files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drydock.envfiles import EnvFile, parse
from drydock.graph import MakeFile, Scratch
from drydock.objects import Container, File, Named, with_pair
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.session import Session


@core.serves("Query", "envFile")
def env_file(_session: Session, _query: None, *, expand: bool | None = None) -> EnvFile:  # noqa: ARG001  # always
    """An empty env file."""
    return EnvFile()


@core.serves("File", "asEnvFile")
async def as_env_file(session: Session, file: File, *, expand: bool | None = None) -> EnvFile:  # noqa: ARG001  # always
    """A file, read as an env file."""
    return parse((await session.engine.reader.read(file)).decode(errors="replace"))


@core.serves("EnvFile", "withVariable")
def with_variable(_session: Session, parent: EnvFile, *, name: str, value: str) -> EnvFile:
    """With a variable set, as it is written in a file."""
    return parent.with_variable(name, value)


@core.serves("EnvFile", "withoutVariable")
def without_variable(_session: Session, parent: EnvFile, *, name: str) -> EnvFile:
    """Without a variable."""
    return parent.without_variable(name)


@core.serves("EnvFile", "exists")
def exists(_session: Session, parent: EnvFile, *, name: str) -> bool:
    """Whether there is a variable of this name."""
    return name in dict(parent.written)


@core.serves("EnvFile", "get")
def get(session: Session, parent: EnvFile, *, name: str, raw: bool | None = None) -> str:
    """A variable's value, or as it is written; empty when there is none."""
    if raw or not exists(session, parent, name=name):
        return dict(parent.written).get(name, "")
    return parent.values(session.engine.environment)[name]


@core.serves("EnvFile", "variables")
def variables(session: Session, parent: EnvFile, *, raw: bool | None = None) -> list[Named]:
    """All variables, sorted by name."""
    found = dict(sorted(parent.written)) if raw else parent.values(session.engine.environment)
    return [Named("EnvVariable", name, value) for name, value in found.items()]


@core.serves("EnvFile", "namespace")
def namespace(_session: Session, parent: EnvFile, *, prefix: str) -> EnvFile:
    """The variables whose names begin with a prefix, without it."""
    return parent.namespace(prefix)


@core.serves("EnvFile", "asFile")
def as_file(_session: Session, parent: EnvFile) -> File:
    """The file `.env`."""
    return File(MakeFile(Scratch(), "/.env", parent.text().encode()), "/.env")


@core.serves("Container", "withEnvFileVariables")
def with_env_file_variables(
    session: Session, container: Container, *, source: EnvFile
) -> Container:
    """The variables of an env file."""
    env = container.config.env
    for name, value in source.values(session.engine.environment).items():
        env = with_pair(env, name, value)
    return container.configured(env=env)

"""Env files as objects of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from drydock.dotenv import Expansion, assignments
from drydock.errors import ApiError, DrydockError
from drydock.graph import Value
from drydock.naming import lower_camel, snake
from drydock.objects import Pairs, with_pair, without_pair


@dataclass(frozen=True, eq=False)
class EnvFile(Value):
    """Variables as they are written in an env file."""

    type_name: ClassVar[str] = "EnvFile"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    written: Pairs = ()
    hidden: Pairs = ()
    """Variables that others may refer to, and nothing else."""

    def values(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Every variable's value, sorted by name; references are looked up here, then in the environment.

        Raises:
            ApiError: If a variable refers to one that is not set, or has an open quote.
        """
        expansion = Expansion({**dict(self.hidden), **dict(self.written)}, environment)
        try:
            return {name: expansion.value(name) for name, _ in sorted(self.written)}
        except DrydockError as error:
            raise ApiError(str(error)) from None

    def with_variable(self, name: str, value: str) -> EnvFile:
        """A copy with a variable set."""
        return EnvFile(with_pair(self.written, name, value), self.hidden)

    def without_variable(self, name: str) -> EnvFile:
        """A copy without a variable."""
        return EnvFile(without_pair(self.written, name), self.hidden)

    def namespace(self, prefix: str) -> EnvFile:
        """The variables whose names begin with a prefix, without it; capitals or not."""
        found: Pairs = ()
        hidden = self.hidden
        for name, value in sorted(self.written):
            rest = _without_prefix(name, prefix)
            if rest is None:
                hidden = (*hidden, (name, value))
            else:
                found = with_pair(found, rest, value)
        return EnvFile(found, hidden)

    def text(self) -> str:
        """The file's text."""
        return "".join(f"{name}={value}\n" for name, value in self.written)


def parse(text: str) -> EnvFile:
    """The env file with this text."""
    return EnvFile(tuple(assignments(text).items()))


def _without_prefix(name: str, prefix: str) -> str | None:
    for written in (lower_camel(prefix) + "_", snake(prefix).rstrip("_") + "_"):
        if name[: len(written)].lower() == written.lower():
            return name[len(written) :]
    return None

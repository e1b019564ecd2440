"""The command line of `drydock call`: functions, each called on the result of the one before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
)

from drydock.cli_flags import Flag, flags_of, is_callable, literal
from drydock.cli_options import Options, following, hint, take
from drydock.cli_values import TRUTHS
from drydock.errors import UsageError
from drydock.naming import kebab

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Step:
    """A function in the chain, with the arguments that were given."""

    name: str
    definition: GraphQLField
    flags: dict[str, Flag]
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def result(self) -> GraphQLNamedType:
        """The type of what it returns, or of each item of a list."""
        return get_named_type(self.definition.type)

    @property
    def is_list(self) -> bool:
        """Whether it returns a list."""
        return isinstance(get_nullable_type(self.definition.type), GraphQLList)

    @property
    def query(self) -> str:
        """The field with its arguments."""
        given = ", ".join(f"{name}: {literal(value)}" for name, value in self.values.items())
        return f"{self.name}({given})" if given else self.name

    def set(self, flag: Flag, text: str) -> None:
        """Take one flag; one of a list adds to it.

        Raises:
            UsageError: If its value is wrong.
        """
        value = flag.parse(text)
        if flag.is_list:
            value = [*self.values.get(flag.argument, []), *value]
        self.values[flag.argument] = value

    def check(self) -> None:
        """Refuse a call without its required arguments.

        Raises:
            UsageError: If one was not given.
        """
        missing = [f for f in self.flags.values() if f.required and f.argument not in self.values]
        if missing:
            names = ", ".join(f"--{flag.name}" for flag in missing)
            raise UsageError(f"required flag{'s'[: len(missing) > 1]} missing: {names}")


@dataclass
class Chain:
    """A parsed command line."""

    steps: list[Step]
    options: Options

    @property
    def last(self) -> Step:
        """The function whose result is wanted."""
        return self.steps[-1]

    @property
    def path(self) -> str:
        """The command, without its flags."""
        return " ".join(["drydock call", *(kebab(step.name) for step in self.steps[1:])])


def functions_of(kind: GraphQLNamedType) -> dict[str, GraphQLField]:
    """What can be called on a type, by the name that is typed, sorted by it."""
    if not isinstance(kind, GraphQLObjectType):
        return {}
    fields = {
        kebab(name): f for name, f in kind.fields.items() if name != "id" and is_callable(f.args)
    }
    return dict(sorted(fields.items()))


class Parser:
    """Reads a command line, left to right."""

    def __init__(self, schema: GraphQLSchema, constructor: str, arguments: list[str]) -> None:
        """Begin at the field of `Query` that is the module's constructor."""
        self._schema = schema
        self._rest = list(arguments)
        query: Any = schema.query_type
        self.chain = Chain([_step(constructor, query.fields[constructor])], Options())

    def parse(self) -> Chain:
        """The whole chain.

        Raises:
            UsageError: If anything in it is wrong; the message names the command that helps.
        """
        try:
            while self._rest:
                typed = self._rest.pop(0)
                if typed.startswith("-") and len(typed) > 1:
                    self._flag(typed)
                else:
                    self._function(typed)
            if not self.chain.options.help and len(self.chain.steps) > 1:
                self.chain.last.check()
                self._check_output()
        except UsageError as error:
            raise UsageError(f"{error}\nRun '{self.chain.path} --help' for usage.") from None
        return self.chain

    def _check_place(self, name: str, typed: str) -> None:
        """Refuse a flag of a function before."""
        if name in Options.NAMES or not typed.startswith("--"):
            return
        for before, step in zip(self.chain.steps, self.chain.steps[1:], strict=False):
            if name in before.flags:
                follower = kebab(step.name)
                raise UsageError(f"unknown flag: --{name}; it has to stand before {follower}")

    def _check_output(self) -> None:
        kind, step = self.chain.last.result, self.chain.last
        if not (self.chain.options.output and isinstance(kind, GraphQLObjectType)):
            return
        if step.is_list or "export" not in kind.fields:
            what = f"a list of {kind.name}" if step.is_list else kind.name
            raise UsageError(f"--output: {what} cannot be saved; call a function of it")

    def _function(self, name: str) -> None:
        step = self.chain.last
        if not self.chain.options.help:
            step.check()
        known = functions_of(step.result)
        if not known:
            raise UsageError(_unexpected(name, step))
        found = next((f for f in known if f == kebab(name)), None)
        if found is None:
            raise UsageError(f'unknown function "{name}"{hint(name, known)}')
        kind: Any = step.result
        field_name = next(n for n in kind.fields if kebab(n) == found and n != "id")
        self.chain.steps.append(_step(field_name, known[found]))

    def _flag(self, typed: str) -> None:
        if typed == "--":
            return
        name, has_value, text = typed[2:].partition("=")
        flag = self.chain.last.flags.get(kebab(name)) if typed.startswith("--") else None
        if flag is None:
            self._check_place(kebab(name), typed)
            take(self.chain.options, typed, self._rest, self.chain.last.flags)
        elif has_value:
            self.chain.last.set(flag, text)
        else:
            given = following(f"--{flag.name}", self._rest) if flag.needs_value else "true"
            self.chain.last.set(flag, given)


def _unexpected(name: str, step: Step) -> str:
    switch = next((f.name for f in step.flags.values() if not f.needs_value), None)
    if switch and name.lower() in TRUTHS:
        return f'unexpected argument "{name}": a switch has its value behind an equals sign, as in --{switch}={name}'
    what = f"{step.result.name}, the result of {kebab(step.name)},"
    return f'unexpected argument "{name}": {what} has no functions'


def _step(name: str, definition: GraphQLField) -> Step:
    return Step(name, definition, flags_of(definition.args))


# -- the query -------------------------------------------------------------------------------------


def selection(chain: Chain) -> str:
    """What is asked of the last function's result."""
    kind = chain.last.result
    if not isinstance(kind, GraphQLObjectType):
        return ""
    if chain.options.output and "export" in kind.fields and not chain.last.is_list:
        given = f"path: {literal(chain.options.output)}"
        if "allowParentDirPath" in kind.fields["export"].args:
            given += ", allowParentDirPath: true"
        return f"export({given})"
    can_sync = "sync" in kind.fields and is_callable(kind.fields["sync"].args)
    return "id: sync" if can_sync else "id"


def query(chain: Chain) -> str:
    """The one query that does all of a chain."""
    parts = [*(step.query for step in chain.steps), *filter(None, [selection(chain)])]
    return "{ " + " { ".join(parts) + " }" * len(parts)


def answer(chain: Chain, data: Any) -> Any:
    """The last function's result in a query's answer; what lies below a list keeps its names."""
    leaf = selection(chain).partition("(")[0].partition(":")[0]
    for name in [*(step.name for step in chain.steps), *filter(None, [leaf])]:
        if not isinstance(data, dict):
            break
        data = data[name]
    return data


def flat(value: Any) -> Iterator[Any]:
    """The single values in lists of lists."""
    if isinstance(value, list):
        for item in value:
            yield from flat(item)
    else:
        yield value

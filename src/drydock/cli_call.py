"""`drydock call`: from a command line to a module's functions and back."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from typing import TYPE_CHECKING, Any

from graphql import GraphQLField, GraphQLNamedType, GraphQLObjectType

from drydock import defaults, module, values
from drydock.buildkit import BuildKit
from drydock.cli_chain import Chain, Parser, functions_of, query
from drydock.cli_flags import Address
from drydock.cli_help import chain_help
from drydock.cli_render import exit_code, explain, show
from drydock.defaults import Place
from drydock.engine import Engine
from drydock.errors import ApiError, DrydockError, UsageError
from drydock.naming import kebab, lower_camel
from drydock.progress import Progress
from drydock.schema.modulecalls import Bridge
from drydock.session import Session
from drydock.workspace import find_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from drydock.loading import Loading


@contextlib.asynccontextmanager
async def open_session(cwd: Path, progress: Progress) -> AsyncIterator[Session]:
    """A session for a caller in `cwd`; the daemon is only asked for when something is built."""
    engine = Engine(BuildKit(progress), cwd)
    session = Session(engine, find_workspace(cwd))
    try:
        async with session.serve():
            yield session
    finally:
        await engine.close()


async def bridge(session: Session, loading: Loading, cwd: Path) -> Bridge:
    """Add a module to a session; registers its types when this source has not done so before."""
    types = loading.types
    if types is None:
        types = await loading.process().register(session)
        module.keep_types(loading.source, types)
    added = Bridge(loading.source, types, defaults.read(loading.source, cwd), loading.process)
    added.install(session)
    return added


def served(session: Session, kind: GraphQLNamedType) -> dict[str, GraphQLField]:
    """The functions of a type that drydock serves, by the name that is typed."""
    if not isinstance(kind, GraphQLObjectType):
        return {}
    names = {kebab(name) for name in kind.fields if (kind.name, name) in session.resolvers}
    return {name: field for name, field in functions_of(kind).items() if name in names}


async def call(arguments: list[str], loading: Loading, cwd: Path) -> int:
    """Do what a command line asks; returns the exit code."""
    progress = Progress()
    async with open_session(cwd, progress) as session:
        added = await bridge(session, loading, cwd)
        chain = Parser(session.schema, lower_camel(loading.source.name), arguments).parse()
        if chain.options.help or len(chain.steps) == 1:
            known = served(session, chain.last.result)
            print(chain_help(chain, known, added.module.description))
            return 0
        progress.quiet = chain.options.silent
        for line in added.defaults.announced(added.module, _places(added, chain)):
            print(line, file=sys.stderr)
        try:
            data = await _answered(session, chain)
        except DrydockError as error:
            shown = not progress.quiet
            told = explain(error, output_shown=shown, verbose=chain.options.verbose)
            print(told, file=sys.stderr)
            return exit_code(error)
        show(chain, data)
        return 0


async def _answered(session: Session, chain: Chain) -> Any:
    # What every client asks first takes a tenth of a second: free while the module is imported.
    warming = asyncio.create_task(session.warm())
    try:
        await _resolve_addresses(session, chain)
        return await values.ask(session, query(chain))
    finally:
        await warming


async def _resolve_addresses(session: Session, chain: Chain) -> None:
    for step in chain.steps:
        for name, value in step.values.items():
            step.values[name] = await _resolved(session, value)


async def _resolved(session: Session, value: Any) -> Any:
    if isinstance(value, list):
        return [await _resolved(session, item) for item in value]
    if not isinstance(value, Address):
        return value
    try:
        return await values.load(session, value.type_name, value.text, value.ignore)
    except ApiError as error:
        raise ApiError(f"--{value.flag}: {error}", error.extensions) from error
    except DrydockError as error:
        raise UsageError(f"--{value.flag}: {error}") from error


def _places(added: Bridge, chain: Chain) -> set[Place]:
    """The functions of the module that a chain calls, as the user's defaults know them."""
    by_name = {name: original for original, name in added.names.objects.items()}
    places = {Place()}
    for before, step in zip(chain.steps, chain.steps[1:], strict=False):
        if original := by_name.get(before.result.name):
            owner = "" if before.result.name == added.names.main else original
            item = next(t for t in added.module.objects if t.name == original)
            places |= {
                Place(owner, f.name) for f in item.functions if lower_camel(f.name) == step.name
            }
    return places


def run(main: Any) -> int:
    """Run a coroutine to its end; SIGINT and SIGTERM cancel it, and what it started stops first."""

    async def guarded() -> int:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, task.cancel)  # type: ignore[union-attr]
        result: int = await main
        return result

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM

"""`drydock call`: from a command line to a module's functions and back."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from drydock import bindings, cli_changes, defaults, module, values
from drydock.buildkit import BuildKit
from drydock.cli_chain import Chain, Parser, query
from drydock.cli_flags import Address
from drydock.cli_render import exit_code, explain, show
from drydock.cli_view import view_of
from drydock.defaults import Place
from drydock.engine import Engine
from drydock.errors import ApiError, DrydockError, UsageError
from drydock.naming import lower_camel
from drydock.progress import Progress, View
from drydock.schema.modulecalls import Bridge, install
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
    session.calls.watch = progress.call
    try:
        async with session.serve():
            yield session
    finally:
        await engine.close()


async def bridge(session: Session, loading: Loading, cwd: Path) -> Bridge:
    """Add a module, and those that it needs, to a session.

    Registers the types of those whose source has not done so before.
    """
    added: dict[str, Bridge] = {}
    for source in loading.source.all:
        needed = (added[dependency.name].definition for dependency in source.dependencies)
        bindings.ensure(source, "\n".join(needed))
        types = loading.types if source is loading.source else module.known_types(source)
        if types is None:
            types = await loading.process(source).register(session)
            module.keep_types(source, types)
        process = partial(loading.process, source)
        added[source.name] = Bridge(source, types, defaults.read(source, cwd), process)
    install(session, list(added.values()))
    return added[loading.source.name]


async def call(arguments: list[str], loading: Loading, cwd: Path) -> int:
    """Do what a command line asks; returns the exit code."""
    progress = Progress(View())
    async with open_session(cwd, progress) as session:
        added = await bridge(session, loading, cwd)
        chain = Parser(session.schema, added.names.constructor, arguments).parse()
        if chain.options.help or len(chain.steps) == 1:
            from drydock.cli_served import help_of

            print(help_of(session, chain, added.module.description))
            return 0
        progress.show(view_of(chain.options))
        loading.show = progress.line
        shown = progress.view.shows_output
        try:
            with contextlib.closing(progress):
                for line in added.defaults.announced(added.module, _places(added, chain)):
                    progress.line(line)
                data = await _answered(session, chain)
            if cli_changes.offers(chain):
                await cli_changes.offer(session, chain, data)
            else:
                show(chain, data)
        except DrydockError as error:
            told = explain(error, output_shown=shown, verbose=chain.options.tells_all)
            print(told, file=sys.stderr)
            return exit_code(error)
        await session.engine.cache.export()
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
    async def resolve(values: dict[str, Any], name: str) -> None:
        values[name] = await _resolved(session, values[name])

    await asyncio.gather(*(resolve(s.values, name) for s in chain.steps for name in s.values))


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

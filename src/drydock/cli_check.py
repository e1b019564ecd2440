"""`drydock check`: runs a module's checks, at the same time."""

from __future__ import annotations

import asyncio
import sys
import time
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from drydock import values
from drydock.cli_call import bridge, open_session
from drydock.cli_functions import table
from drydock.cli_render import explain
from drydock.errors import DrydockError, UsageError
from drydock.naming import kebab, lower_camel
from drydock.progress import Progress
from drydock.schema.moduletypes import main_object

if TYPE_CHECKING:
    from pathlib import Path

    from drydock.cli_options import Options
    from drydock.loading import Loading
    from drydock.schema.modulecalls import Bridge
    from drydock.session import Session
    from drydock.typedefs import Function


async def check(patterns: list[str], loading: Loading, cwd: Path, options: Options) -> int:
    """Run the checks whose names match, all of them by default; returns 1 when one fails.

    Raises:
        UsageError: If no check matches.
    """
    async with open_session(cwd, Progress(quiet=options.silent)) as session:
        added = await bridge(session, loading, cwd)
        chosen = [f for f in checks(added) if _matches(f, patterns)]
        if not chosen:
            known = ", ".join(kebab(f.name) for f in checks(added)) or "none"
            raise UsageError(f"no such check in module {loading.source.name}; it has: {known}")
        warming = asyncio.create_task(session.warm())
        name = lower_camel(loading.source.name)
        data = await values.ask(session, f"{{ {name} {{ id }} }}")
        main = (added.names.main, data[name]["id"])
        passed = await asyncio.gather(*(_run(session, main, f, options) for f in chosen))
        await warming
    return 0 if all(passed) else 1


async def list_checks(loading: Loading, cwd: Path) -> int:
    """List the checks of a module."""
    async with open_session(cwd, Progress()) as session:
        added = await bridge(session, loading, cwd)
        table({kebab(f.name): f for f in checks(added)})
    return 0


def checks(added: Bridge) -> list[Function]:
    """The checks of a module's main object."""
    return [f for f in main_object(added.names, added.module).functions if f.role == "check"]


def _matches(function: Function, patterns: list[str]) -> bool:
    return not patterns or any(fnmatch(kebab(function.name), pattern) for pattern in patterns)


async def _run(
    session: Session, main: tuple[str, str], function: Function, options: Options
) -> bool:
    """Run one check and print how it went."""
    selection = "" if function.returns.kind == "VOID_KIND" else " { sync }"
    field = lower_camel(function.name) + selection
    type_name, identity = main
    began = time.monotonic()
    error = None
    try:
        await values.ask(
            session, f'{{ node(id: "{identity}") {{ ... on {type_name} {{ {field} }} }} }}'
        )
    except DrydockError as failed:
        error = failed
    seconds = time.monotonic() - began
    print(f"{'✘' if error else '✔'} {kebab(function.name)} [{seconds:.1f}s]", flush=True)
    if error:
        told = explain(error, output_shown=not options.silent, verbose=options.verbose)
        print(told, file=sys.stderr, flush=True)
    return error is None

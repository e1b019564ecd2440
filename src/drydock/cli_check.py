"""`drydock check`: runs a module's checks, at the same time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from drydock import values
from drydock.cli_call import bridge, open_session
from drydock.cli_functions import table
from drydock.cli_help import styled
from drydock.cli_options import hint
from drydock.cli_render import explain
from drydock.cli_view import view_of
from drydock.errors import DrydockError, UsageError
from drydock.naming import kebab, lower_camel
from drydock.progress import Progress, View
from drydock.progress_text import duration
from drydock.schema.moduletypes import main_object

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drydock.cli_options import Options
    from drydock.loading import Loading
    from drydock.schema.modulecalls import Bridge
    from drydock.session import Session
    from drydock.typedefs import Function

MARKS = {"passed": ("✔", "32"), "failed": ("✘", "31"), "canceled": ("·", "2")}
"""By how a check ended: its sign, and the colour of it."""


@dataclass
class Outcome:
    """How a check went."""

    name: str
    status: str
    seconds: float
    error: DrydockError | None = None

    @property
    def row(self) -> str:
        """Its state, its time, and the first line of what went wrong."""
        reason = str(self.error).partition("\n")[0] if self.error else ""
        time_taken = "" if self.status == "canceled" else duration(self.seconds)
        return f"{time_taken or '-':>7}   {reason or self.status}"


async def check(
    patterns: list[str], loading: Loading, cwd: Path, options: Options, *, failfast: bool
) -> int:
    """Run the checks whose names match, all of them by default; returns 1 when one fails.

    Args:
        patterns: Names, or patterns as a shell has them.
        loading: The module.
        cwd: The folder that the caller stands in.
        options: How it is shown.
        failfast: Stop the others when one fails.

    Raises:
        UsageError: If a pattern matches no check.
        DrydockError: If the module's constructor fails.
    """
    progress = Progress(view_of(options))
    loading.show = progress.line
    shown = progress.view.shows_output
    with contextlib.closing(progress):
        async with open_session(cwd, progress) as session:
            added = await bridge(session, loading, cwd)
            chosen = chosen_checks(added, patterns, loading.source.name)
            outcomes = await _run_all(session, added, chosen, failfast=failfast)
            if all(outcome.status == "passed" for outcome in outcomes):
                await session.engine.cache.export()
    for outcome in outcomes:
        if outcome.error:
            told = explain(outcome.error, output_shown=shown, verbose=options.tells_all)
            print(f"{outcome.name}: {told}", file=sys.stderr)
    _show(outcomes, as_json=options.json)
    return 0 if all(outcome.status == "passed" for outcome in outcomes) else 1


async def list_checks(loading: Loading, cwd: Path, options: Options) -> int:
    """List the checks of a module."""
    async with open_session(cwd, Progress(View())) as session:
        added = await bridge(session, loading, cwd)
        known = {kebab(f.name): f.description for f in checks(added)}
        table(known, what="checks", as_json=options.json)
    return 0


def checks(added: Bridge) -> list[Function]:
    """The checks of a module's main object."""
    return [f for f in main_object(added.names, added.module).functions if f.role == "check"]


def chosen_checks(added: Bridge, patterns: Sequence[str], module: str) -> list[Function]:
    """The checks that the patterns name.

    Raises:
        UsageError: If one of them names none.
    """
    known = {kebab(f.name): f for f in checks(added)}
    if not known:
        raise UsageError(f"module {module} has no checks: functions with @check")
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in known):
            listed = ", ".join(known)
            raise UsageError(
                f'no such check "{pattern}" in module {module}{hint(pattern, known)}; it has: {listed}'
            )
    return [f for name, f in known.items() if any(fnmatch(name, p) for p in patterns or ["*"])]


async def _run_all(
    session: Session, added: Bridge, chosen: list[Function], *, failfast: bool
) -> list[Outcome]:
    warming = asyncio.create_task(session.warm())
    field = added.names.constructor
    data = await values.ask(session, f"{{ {field} {{ id }} }}")
    main = (added.names.main, data[field]["id"])
    outcomes = [Outcome(kebab(function.name), "canceled", 0.0) for function in chosen]
    tasks = {
        asyncio.create_task(_run(session, main, function, outcome))
        for function, outcome in zip(chosen, outcomes, strict=True)
    }
    try:
        await _ended(tasks, failfast=failfast)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await warming
    return outcomes


async def _ended(tasks: set[asyncio.Task[bool]], *, failfast: bool) -> None:
    """Wait for all checks, or for the first that fails."""
    pending = tasks
    until = asyncio.FIRST_COMPLETED if failfast else asyncio.ALL_COMPLETED
    while pending:
        done, pending = await asyncio.wait(pending, return_when=until)
        if failfast and not all(task.result() for task in done):
            return


async def _run(
    session: Session, main: tuple[str, str], function: Function, outcome: Outcome
) -> bool:
    """Run one check and keep how it went."""
    selection = "" if function.returns.kind == "VOID_KIND" else " { sync }"
    field = lower_camel(function.name) + selection
    type_name, identity = main
    query = f'{{ node(id: "{identity}") {{ ... on {type_name} {{ {field} }} }} }}'
    began = time.monotonic()
    try:
        await values.ask(session, query)
        outcome.status = "passed"
    except DrydockError as failed:
        outcome.status, outcome.error = "failed", failed
    outcome.seconds = time.monotonic() - began
    return outcome.status == "passed"


def _show(outcomes: list[Outcome], *, as_json: bool) -> None:
    if as_json:
        listed = [
            {
                "name": outcome.name,
                "status": outcome.status,
                "seconds": round(outcome.seconds, 3),
                "error": str(outcome.error) if outcome.error else None,
            }
            for outcome in outcomes
        ]
        print(json.dumps(listed, indent=4, ensure_ascii=False))
        return
    width = max(len(outcome.name) for outcome in outcomes)
    for outcome in outcomes:
        print(f"{styled(*MARKS[outcome.status])} {outcome.name:<{width}} {outcome.row}")

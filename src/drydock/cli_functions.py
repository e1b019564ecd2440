"""`drydock functions`: what can be called."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from graphql import get_named_type

from drydock.cli_call import bridge, open_session, served
from drydock.cli_chain import functions_of
from drydock.cli_help import first_line, title
from drydock.errors import UsageError
from drydock.naming import kebab, lower_camel
from drydock.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drydock.loading import Loading


async def functions(names: list[str], loading: Loading, cwd: Path) -> int:
    """List the functions of a module, or of what a chain of functions returns."""
    async with open_session(cwd, Progress()) as session:
        await bridge(session, loading, cwd)
        query: Any = session.schema.query_type
        found = query.fields[lower_camel(loading.source.name)]
        for name in names:
            found = _next(found, name)
        table(served(session, get_named_type(found.type)))
    return 0


def _next(field: Any, name: str) -> Any:
    kind = get_named_type(field.type)
    known = functions_of(kind)
    if not known:
        raise UsageError(f"{kind.name} has no functions")
    if kebab(name) not in known:
        raise UsageError(f'no function "{name}" in type "{kind.name}"')
    return known[kebab(name)]


def table(known: Mapping[str, Any]) -> None:
    """Print names and the first lines of descriptions."""
    if not known:
        print("No functions found.", file=sys.stderr)
        return
    width = max(len("Name"), *map(len, known)) + 3
    print(f"{title('Name')}{' ' * (width - len('Name'))}{title('Description')}")
    for name, field in known.items():
        print(f"{name:<{width}}{first_line(field.description)}")

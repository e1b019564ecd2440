"""`drydock functions`: what can be called."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType, get_named_type

from drydock import cli_served
from drydock.cli_call import bridge, open_session
from drydock.cli_chain import functions_of
from drydock.cli_flags import is_callable
from drydock.cli_help import first_line, title
from drydock.cli_options import hint
from drydock.errors import UsageError
from drydock.naming import kebab
from drydock.progress import Progress, View

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drydock.cli_options import Options
    from drydock.loading import Loading


async def functions(names: list[str], loading: Loading, cwd: Path, options: Options) -> int:
    """List the functions of a module, or of what a chain of functions returns.

    Raises:
        UsageError: If a name in the chain is none of a function.
    """
    async with open_session(cwd, Progress(View())) as session:
        added = await bridge(session, loading, cwd)
        query: Any = session.schema.query_type
        found = query.fields[added.names.constructor]
        for name in names:
            found = following(found, name)
        kind = get_named_type(found.type)
        table(cli_served.functions(session, kind), as_json=options.json)
        skipped = uncallable(kind)
        if skipped and not options.json:
            listed = ", ".join(skipped)
            print(f"\nSkipped {len(skipped)} function(s) with unsupported types: {listed}")
    return 0


def following(field: Any, name: str) -> Any:
    """The field behind a function's name, on what another field returns.

    Raises:
        UsageError: If there is none.
    """
    kind = get_named_type(field.type)
    known = functions_of(kind)
    if not known:
        raise UsageError(f'no function "{name}": {kind.name} has no functions')
    if kebab(name) not in known:
        raise UsageError(f'no function "{name}" in type "{kind.name}"{hint(name, known)}')
    return known[kebab(name)]


def uncallable(kind: Any) -> list[str]:
    """Functions that need an argument which no text can give."""
    if not isinstance(kind, GraphQLObjectType):
        return []
    return sorted(kebab(name) for name, field in kind.fields.items() if not is_callable(field.args))


def table(
    known: Mapping[str, str | None], *, what: str = "functions", as_json: bool = False
) -> None:
    """Print names and the first lines of descriptions."""
    if as_json:
        listed = [{"name": name, "description": text or ""} for name, text in known.items()]
        print(json.dumps(listed, indent=4, ensure_ascii=False))
        return
    if not known:
        print(f"No {what} found.", file=sys.stderr)
        return
    width = max(len("Name"), *map(len, known)) + 3
    print(f"{title('Name')}{' ' * (width - len('Name'))}{title('Description')}")
    for name, text in known.items():
        print(f"{name:<{width}}{first_line(text)}")

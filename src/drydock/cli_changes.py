"""Changes that a function returns: shown, and applied to the caller's folder when the user says so."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from drydock import values
from drydock.cli_chain import answer
from drydock.errors import DrydockError

if TYPE_CHECKING:
    from drydock.cli_chain import Chain
    from drydock.session import Session


def offers(chain: Chain) -> bool:
    """Whether a chain ends in changes that go nowhere yet."""
    last = chain.last
    return last.result.name == "Changeset" and not last.is_list and not chain.options.output


async def offer(session: Session, chain: Chain, data: Any) -> None:
    """Show what would change in the caller's folder, ask, and do it.

    Raises:
        DrydockError: There is no terminal to ask on.
    """
    changes = answer(chain, data)
    stats = await _of(session, changes, "diffStats { path kind addedLines removedLines }")
    if not stats:
        print("no changes to apply", file=sys.stderr)
        return
    patch = await _of(session, changes, "asPatch { contents }")
    print(patch["contents"])
    print(summary(stats), file=sys.stderr)
    if not sys.stdin.isatty():
        raise DrydockError("no terminal to ask on, nothing was written; apply it with --output .")
    print("Apply changes? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        await _of(session, changes, 'export(path: ".")')
        print("applied", file=sys.stderr)


def summary(stats: list[dict[str, Any]]) -> str:
    """A line for each file with the lines that it gains and loses, and their number."""
    width = max(len(stat["path"]) for stat in stats)
    lines = []
    for stat in sorted(stats, key=lambda stat: str(stat["path"])):
        counts = (("+", stat["addedLines"]), ("-", stat["removedLines"]))
        shown = " ".join(f"{sign}{count}" for sign, count in counts if count)
        lines.append(f"{stat['path']:{width}} {stat['kind'].lower():8} {shown}".rstrip())
    return "\n".join([*lines, "", f"{len(stats)} file{'s' if len(stats) != 1 else ''} changed"])


async def _of(session: Session, changes: str, field: str) -> Any:
    """One field of the changes."""
    query = f"{{ node(id: {json.dumps(changes)}) {{ ... on Changeset {{ found: {field} }} }} }}"
    return (await values.ask(session, query))["node"]["found"]

"""Preflight alone: what is right, and everything that is wrong."""

from collections.abc import Sequence

from slipway.errors import ConfigError
from slipway.report import size, table

from . import checks
from .checks import Facts
from .deploy import looked, notes
from .examine import Question, facts
from .names import Site
from .need import Need
from .operator import Operator, need
from .postgres import prove
from .situation import Situation
from .ssh import Server, ServerError
from .target import Database, Target


async def doctor(operator: Operator, target: Target | None, problems: Sequence[str]) -> str:
    """Look at a server as a deploy does before it begins.

    How much is to be pulled is not known before images are built: only the room to spare is judged.

    Args:
        operator: Who asks, and where.
        target: What would be deployed; None where the secrets do not tell.
        problems: What was found wrong before.

    Returns:
        What was looked at.

    Raises:
        ConfigError: Every problem.
    """
    shown = operator.address.shown
    wanted = need(operator, target) if target else Need(operator.site, user=operator.address.user)
    hosts = tuple(dict.fromkeys(app.routing.host for app in target.apps)) if target else ()
    try:
        async with operator.connected() as server:
            found = await looked(server, operator.site)
            database, login = (target.database, target.login) if target else (None, None)
            said = await facts(server, Question(found, database, login, hosts))
            asked = None if said.database else database  # whose password it takes
            whose, stranger = await _whose(server, operator.site, found, asked)
    except ServerError as error:
        raise ConfigError(shown, [*problems, str(error)]) from None
    if wrong := [*problems, *stranger, *checks.problems(said, wanted, found)]:
        raise ConfigError(f"{shown} is not ready", wrong)
    known = [*(notes(target, found) if target else ()), *checks.warnings(said, found)]
    lines = [f"Worth knowing: {note}" for note in known]
    return "\n".join([f"{shown} is ready", *table(_rows(said, wanted, found, whose)), *lines])


async def _whose(
    server: Server, site: Site, found: Situation, database: Database | None
) -> tuple[str, list[str]]:
    """Whose the running database is that apps reach, read back from it; what is wrong with that."""
    there = found.database
    if not database or not there or not there.running or site.network not in there.networks:
        return "is not there yet", []
    step = prove(site, database, there.name, look=True)
    done = await server.run(*step.command, stdin=step.stdin)
    said = (done.error if done.code else done.output).strip()
    return said, [f"the database: {said}"] if done.code else []


def _rows(said: Facts, wanted: Need, found: Situation, whose: str) -> list[tuple[str, str]]:
    rows = [
        ("host key", "the pinned one"),
        ("docker", said.docker),
        ("compose", said.compose),
        ("clock", f"{abs(said.clock):.1f} s off"),
        ("disk", f"{size(said.free)} free where Docker keeps its data"),
        ("proxy", found.proxy.name if found.proxy else ""),
        ("registry", f"takes {wanted.registry}" if wanted.registry else "no login given"),
    ]
    if wanted.database:
        rows.append(("database", whose))
    return rows

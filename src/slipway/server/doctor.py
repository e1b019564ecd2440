"""Preflight alone: what is right, and everything that is wrong."""

from collections.abc import Sequence

from slipway.errors import ConfigError
from slipway.report import size, table

from . import checks
from .checks import Facts
from .deploy import looked, need, notes
from .examine import Question, facts
from .need import Need
from .operator import Operator
from .situation import Situation
from .ssh import ServerError
from .target import Target


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
    except ServerError as error:
        raise ConfigError(shown, [*problems, str(error)]) from None
    if wrong := [*problems, *checks.problems(said, wanted, found)]:
        raise ConfigError(f"{shown} is not ready", wrong)
    known = [*(notes(target, found) if target else ()), *checks.warnings(said, found)]
    lines = [f"Worth knowing: {note}" for note in known]
    return "\n".join([f"{shown} is ready", *table(_rows(said, wanted, found)), *lines])


def _rows(said: Facts, wanted: Need, found: Situation) -> list[tuple[str, str]]:
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
        running = found.database and found.database.running
        rows.append(("database", "takes the password" if running else "is not there yet"))
    return rows

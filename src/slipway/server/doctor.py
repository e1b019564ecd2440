"""Preflight alone: what is right, and everything that is wrong."""

from collections.abc import Sequence

from slipway.errors import ConfigError
from slipway.report import size, table

from . import checks
from .checks import Facts, Need
from .examine import facts
from .operator import Operator
from .rollout import networks
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
    need = Need(
        networks=networks(target) if target else ("web",),
        user=operator.address.user,
        volume=operator.site.volume,
        registry=f"{target.login.user} at {target.login.host}" if target and target.login else "",
    )
    try:
        async with operator.connected() as server:
            database, login = (target.database, target.login) if target else (None, None)
            said = await facts(server, operator.site, database, login)
    except ServerError as error:
        raise ConfigError(shown, [*problems, str(error)]) from None
    if wrong := [*problems, *checks.problems(said, need)]:
        raise ConfigError(f"{shown} is not ready", wrong)
    notes = [f"Worth changing: {note}" for note in checks.warnings(said)]
    return "\n".join([f"{shown} is ready", *table(_rows(said, need, target)), *notes])


def _rows(said: Facts, need: Need, target: Target | None) -> list[tuple[str, str]]:
    rows = [
        ("host key", "the pinned one"),
        ("docker", said.docker),
        ("compose", said.compose),
        ("clock", f"{abs(said.clock):.1f} s off"),
        ("disk", f"{size(said.free)} free where Docker keeps its data"),
        ("networks", ", ".join(need.networks)),
        ("proxy", ", ".join(said.proxies)),
        ("registry", f"takes {need.registry}" if need.registry else "no login given"),
    ]
    if target and target.database:
        rows.append(("database", "takes the password, or is not there yet"))
    return rows

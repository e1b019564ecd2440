"""What an app or the database printed, from the server."""

import shlex
from dataclasses import dataclass

from slipway.errors import ConfigError
from slipway.progress import Say

from .masking import Mask
from .names import DATABASE, LABEL
from .operator import Operator
from .probe import look
from .situation import is_of
from .ssh import Server

# Whoever reads our connection sees its end, which is all that tells the server that we have gone. In the
# background a command reads nothing, unless it is told what.
_FOLLOW = """
exec 3<&0
"$@" 2>&1 &
trap "kill $!" EXIT
cat <&3 >/dev/null &
wait -n
"""


@dataclass(frozen=True)
class Wanted:
    """Which lines.

    Attributes:
        app: The app, or `database`.
        since: How far back, as docker says it: `10m`, `2h`, or a time.
        lines: At most so many of them.
        follow: Go on until the caller goes.
    """

    app: str
    since: str = "10m"
    lines: int = 200
    follow: bool = False


async def logs(operator: Operator, wanted: Wanted, say: Say, masked: Mask) -> str:
    """The lines.

    Args:
        operator: Who asks, and where.
        wanted: Which lines.
        say: Shows a line as it comes, while following.
        masked: Takes known secrets out of the lines.

    Returns:
        The lines; none where they were shown as they came.

    Raises:
        ConfigError: There is no such app.
        ServerError: Docker does not tell.
    """
    async with operator.connected() as server:
        container = await _container(server, operator, wanted.app)
        command = ("docker", "logs", "--since", wanted.since, "--tail", str(wanted.lines))
        if wanted.follow:
            await _follow(server, (*command, "--follow", container), lambda line: say(masked(line)))
            return ""
        done = await server.run("sh", "-c", 'exec "$@" 2>&1', "logs", *command, container)
        return masked(done.checked(f"logs of {wanted.app}").rstrip("\n"))


async def _container(server: Server, operator: Operator, app: str) -> str:
    """The newest container of an app."""
    found = await look(server, operator.site)
    known: dict[str, list[tuple[int, str]]] = {}
    for one in found.listed:
        if is_of(one, found):
            name = one.labels.get(f"{LABEL}.app", DATABASE)
            known.setdefault(name, []).append((int(one.labels.get(f"{LABEL}.sequence", 0)), one.id))
    if app not in known:
        shown = ", ".join(sorted(known)) or "none: nothing is deployed"
        raise ConfigError("--app", [f'"{app}" has no container; there are: {shown}'])
    return max(known[app])[1]


async def _follow(server: Server, command: tuple[str, ...], say: Say) -> None:
    """Until the container ends, or we: then the connection's end ends the command as well."""
    line = shlex.join(("bash", "-c", _FOLLOW, "logs", *command))
    async with server.connection.create_process(line) as process:
        async for text in process.stdout:
            say(str(text).rstrip("\n"))

"""A deploy from preflight to record: one connection, one lock, one plan."""

from collections.abc import Mapping
from dataclasses import dataclass

from slipway.errors import ConfigError
from slipway.progress import Say

from . import rollout, situation
from .change import Change
from .checks import Need, problems
from .examine import facts
from .names import Site
from .operator import Operator
from .probe import look
from .ssh import DisconnectedError, Server, ServerError
from .steps import written
from .target import Target


@dataclass(frozen=True)
class Deployment:
    """All that a deploy needs.

    Attributes:
        operator: Who deploys, and where.
        target: The release.
        sizes: Image reference → compressed bytes, as far as known.
    """

    operator: Operator
    target: Target
    sizes: Mapping[str, int]

    async def plan(self) -> str:
        """What a deploy would do now, a line for each step; nothing is changed.

        Raises:
            ConfigError: The server is not ready; every problem.
            ServerError: It cannot be reached.
        """
        async with self.operator.connected() as server:
            found = await self._checked(server)
            return written(rollout.deploy(self.target, found))

    async def deploy(self, say: Say) -> str:
        """Deploy.

        Args:
            say: Shows a line of progress.

        Returns:
            The report.

        Raises:
            ConfigError: The server is not ready; every problem, and nothing was changed.
            ServerError: A step failed; what served before still does.
        """
        change = Change("deploy", self.operator, say)
        async with self.operator.connected() as server:
            say(f"preflight of {self.operator.address.shown}")
            await self._checked(server)
            for app in self.target.apps:
                if app.any_answer:
                    say(f"  {app.name}: no health path is set, any answer below 500 will do")
            return await change.carry_out(
                server, self.target, lambda found: rollout.deploy(self.target, found)
            )

    async def _checked(self, server: Server) -> situation.Situation:
        return await checked(server, self.operator, self.target, self.sizes)


async def looked(server: Server, site: Site) -> situation.Situation:
    """The situation; an empty one where Docker does not answer, which is a problem of its own."""
    try:
        return await look(server, site)
    except DisconnectedError:
        raise
    except ServerError:
        return situation.Situation()


async def checked(
    server: Server, operator: Operator, target: Target, sizes: Mapping[str, int]
) -> situation.Situation:
    """The situation of a server that is ready.

    Args:
        server: The server.
        operator: Who acts there.
        target: The release.
        sizes: Image reference → compressed bytes, as far as known.

    Raises:
        ConfigError: It is not ready; every problem.
    """
    found = await looked(server, target.site)
    missing = [image for image in target.images if image not in found.images]
    login = target.login if missing else None
    said = await facts(server, target.site, target.database, login)
    need = Need(
        networks=rollout.networks(target),
        bytes_to_pull=sum(sizes.get(image, 0) for image in missing),
        user=operator.address.user,
        volume=target.site.volume,
        registry=f"{target.login.user} at {target.login.host}" if target.login else "",
    )
    if wrong := problems(said, need):
        raise ConfigError(f"{operator.address.shown} is not ready, and nothing was changed", wrong)
    return found

"""A deploy from preflight to record: one connection, one lock, one plan."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from slipway.errors import ConfigError
from slipway.progress import Say
from slipway.report import size

from . import rollout
from .audit import Entry, record
from .belonging import shared
from .change import Change
from .checks import problems, warnings
from .examine import Question, facts
from .masking import Mask
from .names import Site
from .operator import Operator, need, now
from .probe import look
from .serves import Verdict, serves
from .situation import Situation
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
            found, notes = await self._checked(server)
            return "\n".join([*notes, written(rollout.deploy(self.target, found))])

    async def already(self, say: Say) -> str:
        """Tell that the release serves already, and write that down.

        Args:
            say: Shows a line: why a deploy has something to do, where it has.

        Returns:
            What serves; empty where a deploy has something to do.

        Raises:
            ServerError: The server cannot be reached.
        """
        site, began = self.target.site, time.monotonic()
        async with self.operator.connected() as server:
            try:
                verdict = await serves(server, self.operator, self.target)
            except DisconnectedError:
                raise
            except ServerError as error:
                # Preflight has more to say of such a server.
                verdict = Verdict(None, str(error))
            kept = verdict.kept
            if not kept or verdict.differs:
                say(f"  {site.name}: {verdict.differs}")
                return ""
            took = round(time.monotonic() - began, 1)
            images = {app.name: app.image.rpartition("@")[2] for app in self.target.apps}
            entry = Entry(
                time=now(),
                what="deploy",
                who=self.operator.who,
                release=kept.identifier,
                sequence=kept.sequence,
                result="ran already",
                seconds=took,
                images=images,
                job=self.operator.job,
            )
            await record(server, site, entry)
        return (
            f"{site.name} runs {kept.identifier} already (number {kept.sequence}): the same images and settings, and "
            "every app answers.\nNothing was done. --force deploys it all the same, and lifts the checks of production "
            "too."
        )

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
        masked = Mask.of(self.target.secrets, self.target.public)
        change = Change("deploy", self.operator, say, masked)
        async with self.operator.connected() as server:
            say(f"preflight of {self.operator.address.shown}")
            _, notes = await self._checked(server)
            for note in notes:
                say(f"  {note}")
            return await change.carry_out(
                server, self.target, lambda found: rollout.deploy(self.target, found)
            )

    async def _checked(self, server: Server) -> tuple[Situation, list[str]]:
        return await checked(server, self.operator, self.target, self.sizes)


async def looked(server: Server, site: Site) -> Situation:
    """The situation; one that says why, where it cannot be told."""
    try:
        return await look(server, site)
    except DisconnectedError:
        raise
    except ServerError as error:
        return Situation(unknown=str(error))


async def checked(
    server: Server, operator: Operator, target: Target, sizes: Mapping[str, int]
) -> tuple[Situation, list[str]]:
    """The situation of a server that is ready, and what the reader should know of it.

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
    hosts = tuple(dict.fromkeys(app.routing.host for app in target.apps))
    said = await facts(server, Question(found, target.database, login, hosts))
    wanted = replace(need(operator, target), bytes_to_pull=sum(sizes.get(i, 0) for i in missing))
    if wrong := problems(said, wanted, found):
        raise ConfigError(f"{operator.address.shown} is not ready, and nothing was changed", wrong)
    return found, [*notes(target, found), *shared(wanted, found), *warnings(said, found)]


def notes(target: Target, found: Situation) -> list[str]:
    """What is as it is, and worth knowing.

    Args:
        target: The release.
        found: What is on the server.
    """
    made = [
        f"{app.name}: no health path is set, any answer below 500 will do"
        for app in target.apps
        if app.any_answer
    ]
    if target.managed:
        made.append(
            f"the database is at {target.managed}, not on this server: it is taken as it is, without a dump, and "
            "nothing tells whether another site uses it too"
        )
    there, wanted = found.database, target.database
    if there and wanted and there.image != wanted.image:
        made.append(
            f"the database runs {there.image}, and slipway.toml says {wanted.image}: no deploy changes it "
            "(docs/operating.md)"
        )
    if there and wanted and there.shm_bytes != wanted.shm_bytes:
        made.append(
            f"the database has {size(there.shm_bytes)} of shared memory, and slipway.toml says {wanted.shm_size}: no "
            "deploy changes it (docs/deploy.md)"
        )
    return made

"""A deploy from preflight to record: one connection, one lock, one plan."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from slipway import report
from slipway.errors import ConfigError
from slipway.progress import Say

from . import rollout, situation
from .audit import Entry, record
from .checks import Need, problems
from .examine import facts
from .operator import Operator, now
from .perform import Performer
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
        began = time.monotonic()
        async with self.operator.connected() as server:
            say(f"preflight of {self.operator.address.shown}")
            await self._checked(server)
            site = self.target.site
            async with self.operator.locked(server, self.target.identifier):
                # Another deploy may have ended while this one waited.
                found = await look(server, site)
                performer = Performer(server, self.operator.router, say)
                try:
                    await performer.stages(rollout.deploy(self.target, found))
                except DisconnectedError:
                    raise  # nothing can be written there any more
                except ServerError as error:
                    result = str(error).partition("\n")[0]
                    await self._record(server, found.next_sequence, result, began)
                    raise
                await self._record(server, found.next_sequence, "done", began)
        return self._report(performer.timeline, time.monotonic() - began)

    async def _checked(self, server: Server) -> situation.Situation:
        """The situation of a server that is ready."""
        target = self.target
        said = await facts(server, target.site, target.database)
        found = await look(server, target.site) if said.docker else situation.Situation()
        missing = [image for image in target.images if image not in found.images]
        need = Need(
            networks=rollout.networks(target),
            bytes_to_pull=sum(self.sizes.get(image, 0) for image in missing),
            user=self.operator.address.user,
            volume=target.site.volume,
        )
        if wrong := problems(said, need):
            raise ConfigError(
                f"{self.operator.address.shown} is not ready, and nothing was changed", wrong
            )
        return found

    async def _record(self, server: Server, sequence: int, result: str, began: float) -> None:
        entry = self._entry(sequence, result, time.monotonic() - began)
        await record(server, self.target.site, entry)

    def _entry(self, sequence: int, result: str, seconds: float) -> Entry:
        images = {app.name: app.image.rpartition("@")[2] for app in self.target.apps}
        return Entry(
            time=now(),
            what="deploy",
            who=self.operator.who,
            release=self.target.identifier,
            sequence=sequence,
            result=result,
            seconds=round(seconds, 1),
            images=images,
            job=self.operator.job,
        )

    def _report(self, timeline: list[tuple[str, float]], seconds: float) -> str:
        rows = [(title, report.seconds(took)) for title, took in timeline]
        addresses = [(app.name, app.url) for app in self.target.apps]
        blocks = [
            [f"{self.target.site.name} runs {self.target.identifier}"],
            report.table(rows),
            report.table(addresses),
            [f"Done in {report.seconds(seconds)}"],
        ]
        return "\n\n".join("\n".join(block) for block in blocks)

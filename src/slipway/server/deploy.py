"""A deploy from preflight to record: one connection, one lock, one plan."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from slipway import report
from slipway.errors import ConfigError

from . import rollout, situation
from .audit import Entry, record
from .checks import Need, problems
from .examine import facts
from .lock import Holder, held
from .perform import Performer, Say
from .probe import look
from .routing import Router
from .ssh import Address, Server, ServerError, connect
from .steps import written
from .target import Target

LOCK_SECONDS = 300


@dataclass(frozen=True)
class Deployment:
    """All that a deploy needs.

    Attributes:
        address: The server's.
        key: The private key to log in with.
        target: The release.
        sizes: Image reference → compressed bytes, as far as known.
        who: The person or job.
        job: The job's address, if it is one.
        ca: Further authorities of the public addresses, PEM.
    """

    address: Address
    key: str
    target: Target
    sizes: Mapping[str, int]
    who: str
    job: str = ""
    ca: str = ""

    async def plan(self) -> str:
        """What a deploy would do now, a line for each step; nothing is changed.

        Raises:
            ConfigError: The server is not ready; every problem.
            ServerError: It cannot be reached.
        """
        async with connect(self.address, self.key) as server:
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
        async with connect(self.address, self.key) as server:
            say(f"preflight of {self.address.shown}")
            await self._checked(server)
            site = self.target.site
            async with held(server, site.folder, self._holder(), LOCK_SECONDS):
                # Another deploy may have ended while this one waited.
                found = await look(server, site)
                performer = Performer(server, Router(self.address.host, self.ca), say)
                result = "done"
                try:
                    await performer.stages(rollout.deploy(self.target, found))
                except ServerError as error:
                    result = str(error).partition("\n")[0]
                    raise
                finally:
                    seconds = time.monotonic() - began
                    await record(server, site, self._entry(found.next_sequence, result, seconds))
        return self._report(performer.timeline, seconds)

    async def _checked(self, server: Server) -> situation.Situation:
        """The situation of a server that is ready."""
        target = self.target
        said = await facts(server, target.site, target.database)
        found = await look(server, target.site) if said.docker else situation.Situation()
        missing = [image for image in target.images if image not in found.images]
        need = Need(
            networks=rollout.networks(target),
            bytes_to_pull=sum(self.sizes.get(image, 0) for image in missing),
            user=self.address.user,
            volume=target.site.volume,
        )
        if wrong := problems(said, need):
            raise ConfigError(f"{self.address.shown} is not ready, and nothing was changed", wrong)
        return found

    def _holder(self) -> Holder:
        return Holder(self.who, self.target.identifier, _now(), self.job)

    def _entry(self, sequence: int, result: str, seconds: float) -> Entry:
        images = {app.name: app.image.rpartition("@")[2] for app in self.target.apps}
        return Entry(
            time=_now(),
            what="deploy",
            who=self.who,
            release=self.target.identifier,
            sequence=sequence,
            result=result,
            seconds=round(seconds, 1),
            images=images,
            job=self.job,
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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

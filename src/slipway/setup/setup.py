"""Brings a server to where deploys can begin."""

from dataclasses import dataclass

from slipway import report
from slipway.errors import ConfigError
from slipway.progress import Say
from slipway.server.perform import Performer
from slipway.server.routing import Router
from slipway.server.ssh import connect
from slipway.server.steps import written

from .found import look
from .plan import notes, plan, problems, proof
from .wanted import PATHS, Wanted


@dataclass(frozen=True)
class Setup:
    """One server, and what it should have.

    Attributes:
        wanted: What it should have.
        dry_run: Whether the steps are only shown.
    """

    wanted: Wanted
    dry_run: bool = False

    async def run(self, say: Say) -> str:
        """Do what is missing; a second time, nothing.

        Args:
            say: Shows a line of progress.

        Returns:
            What was done, or with `dry_run` what would be.

        Raises:
            ConfigError: It cannot be set up; every problem, and nothing was changed.
            ServerError: A step failed; begun again, it goes on from there.
        """
        wanted = self.wanted
        async with connect(wanted.admin, wanted.admin_key) as plain:
            server = plain.root()
            found = await look(server, wanted.deploy.user, PATHS)
            if wrong := problems(found, wanted):
                raise ConfigError(f"{wanted.admin.shown} cannot be set up", wrong)
            stages = plan(found, wanted)
            if self.dry_run:
                return "\n".join([written(stages) or "nothing to change", *notes(found, wanted)])
            performer = Performer(server, Router(wanted.admin.host), say)
            await performer.stages((*stages, proof(wanted)))
        done = [(title, report.seconds(took)) for title, took in performer.timeline]
        title = f"{wanted.deploy.shown} is set up" + ("" if stages else ": nothing was changed")
        return "\n".join([title, *report.table(done), *notes(found, wanted)])

"""Carries out a plan under the site's lock, and writes down what became of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from slipway import report
from slipway.errors import ConfigError
from slipway.progress import Say

from . import belonging
from .audit import Entry, record
from .masking import Mask
from .operator import Operator, need, now
from .perform import Performer
from .probe import located, look
from .situation import Situation
from .ssh import DisconnectedError, Server, ServerError
from .steps import Stage
from .target import Target

Plan = Callable[[Situation], tuple[Stage, ...]]


def outcome(found: Situation, sequence: int) -> str:
    """What serves after a release that failed.

    Args:
        found: What is on the server then.
        sequence: The number of the release that failed.
    """
    serving = found.serving
    if serving is None:
        return "nothing serves"
    if serving.sequence < sequence:
        return f"rolled back; {serving.identifier} serves as before"
    return f"{serving.identifier} serves; what is left to do, the next deploy does"


@dataclass
class Change:
    """A deploy or a rollback.

    Attributes:
        what: `deploy` or `rollback`, for the audit log.
        operator: Who does it, and where.
        say: Shows a line of progress.
        masked: Takes secrets out of what is shown.
        began: When it began, on the clock that only counts on.
    """

    what: str
    operator: Operator
    say: Say
    masked: Mask
    began: float = field(default_factory=time.monotonic)

    async def carry_out(self, server: Server, target: Target, plan: Plan) -> str:
        """Plan once more under the lock, and do it.

        Args:
            server: The server.
            target: The release.
            plan: From what is on the server to the stages.

        Returns:
            The report.

        Raises:
            ServerError: A step failed; what served before still does.
        """
        async with self.operator.locked(server, target.identifier, self.say):
            # Another deploy may have ended while this one waited.
            found = await look(server, target.site)
            performer = Performer(server, self.operator.router, self.say, self.masked)
            # So may have what belongs to whom.
            if wrong := belonging.problems(need(self.operator, target), found):
                raise ConfigError(f"{self.operator.address.shown}, and nothing was changed", wrong)
            try:
                await performer.stages(plan(found))
                after = await look(server, target.site)
            except DisconnectedError:
                raise  # nothing can be written there any more
            except ServerError as error:
                raise ServerError(await self._failed(server, target, found, str(error))) from error
            await self._done(server, target, found, after)
        return self._report(target, performer)

    async def _failed(self, server: Server, target: Target, found: Situation, why: str) -> str:
        """What failed and what serves; an audit log that cannot be written hides neither."""
        lines = [why]
        try:
            # A site of slipway 0.1 may not have its new folder yet.
            site = await located(server, target.site)
            await record(server, site, self._entry(target, found, why.partition("\n")[0]))
            after = outcome(await look(server, target.site), found.next_sequence)
            lines.append(f"{target.site.name}: {after}")
        except ServerError as error:
            lines.append(f"And after that: {error}")
        return "\n".join(lines)

    async def _done(
        self, server: Server, target: Target, found: Situation, after: Situation
    ) -> None:
        """Read back what serves, and write it down.

        Raises:
            ServerError: Something else serves, or it could not be written down.
        """
        serving = {
            c.app for c in after.containers if c.serves and c.sequence == found.next_sequence
        }
        if gone := [app.name for app in target.apps if app.name not in serving]:
            says = f"{', '.join(gone)} of {target.identifier} does not serve any more"
            await record(server, target.site, self._entry(target, found, says))
            raise ServerError(
                f"{target.site.name}: every step ended well, but {says}; see `status`"
            )
        try:
            await record(server, target.site, self._entry(target, found, "done"))
        except ServerError as error:
            raise ServerError(
                f"{target.site.name} runs {target.identifier}, and that could not be written down: {error}"
            ) from error

    def _entry(self, target: Target, found: Situation, result: str) -> Entry:
        return Entry(
            time=now(),
            what=self.what,
            who=self.operator.who,
            release=target.identifier,
            sequence=found.next_sequence,
            result=result,
            seconds=round(time.monotonic() - self.began, 1),
            images={app.name: app.image.rpartition("@")[2] for app in target.apps},
            job=self.operator.job,
        )

    def _report(self, target: Target, performer: Performer) -> str:
        rows = [(title, report.seconds(took)) for title, took in performer.timeline]
        addresses = [(app.name, app.url) for app in target.apps]
        blocks = [
            [f"{target.site.name} runs {target.identifier}"],
            report.table(rows),
            report.table([*addresses, *performer.results]),
            [f"Done in {report.seconds(time.monotonic() - self.began)}"],
        ]
        return "\n\n".join("\n".join(block) for block in blocks)

"""Runs the steps of `verify` side by side, and a failure that was kept once more."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import anyio
import dagger

from . import checks, verifyreport
from .checkroom import CheckRoom, places
from .checks import Check
from .errors import SlipwayError
from .failures import message
from .install import Installation
from .monorepo import Workshop
from .outcomes import Outcome, Record, Verification, blocked, judge, next_attempt
from .project import App
from .survey import Survey, take

# `reports` describes the `verify` before it: failures of this age, in seconds, are not run again.
RECENT = 600


class VerifyError(SlipwayError):
    """Steps failed; the text is the report."""


@dataclass(frozen=True)
class Verified:
    """What one call found.

    Attributes:
        survey: The workspace.
        outcomes: Every step.
        notes: What is not checked, and why.
        since: What ended before is cached, in seconds since the epoch.
        took: Seconds that the call took.
    """

    survey: Survey
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...]
    since: float
    took: float

    @property
    def passed(self) -> bool:
        """Whether nothing failed and nothing is blocked."""
        return all(outcome.good for outcome in self.outcomes)

    @property
    def file(self) -> Verification:
        """verify.json."""
        survey = self.survey
        return Verification(
            name=survey.project.name,
            revision=survey.origin.revision,
            passed=self.passed,
            steps=self.outcomes,
        )

    def text(self, lines: int | None = verifyreport.SHOWN_LINES) -> str:
        """The report: failing steps' output, `lines` of each (None: all), and the table."""
        survey = self.survey
        return verifyreport.render(
            title=survey.project.name,
            notes=self.notes,
            findings=() if survey.config else survey.project.findings,
            outcomes=self.outcomes,
            took=self.took,
            lines=lines,
        )

    def raise_failures(self) -> None:
        """Raise the report as an error.

        Raises:
            VerifyError: A step failed, or could not run.
        """
        if not self.passed:
            raise VerifyError(self.text())


async def verify(
    ws: dagger.Workspace,
    config: str,
    npmrc: dagger.Secret | None,
    *,
    wanted: Callable[[App], bool] = lambda _: True,
    recent: float = 0,
) -> Verified:
    """Run every step of some apps and of the shared packages that they use.

    Args:
        ws: The caller's workspace.
        config: The config file's name.
        npmrc: The user's ~/.npmrc, for private packages.
        wanted: Which apps.
        recent: Seconds before this call that count as this call.

    Returns:
        What was found; failing steps raise nothing.

    Raises:
        ConfigError: The repo or its config do not fit.
    """
    began = time.time()
    survey = await take(ws, config)
    survey = replace(survey, project=checks.verified(survey.project, survey.repo))
    apps = [app for app in survey.project.apps if wanted(app)]
    planned = checks.plan(survey.project, survey.repo, apps)
    room = await CheckRoom.prepared(
        Workshop(Installation(ws, survey, npmrc)), {check.path for check in planned}
    )
    outcomes = await run(room, planned, began - recent)
    notes = tuple(checks.without_scripts(planned, survey.project, survey.repo, apps))
    return Verified(survey, tuple(outcomes), notes, began - recent, time.time() - began)


async def run(room: CheckRoom, planned: Sequence[Check], since: float) -> list[Outcome]:
    """Run steps side by side, all to their end.

    Args:
        room: Their containers.
        planned: The steps.
        since: Failures that ended before are run once more, in seconds since the epoch.

    Returns:
        How each went, in the order of the steps.
    """
    found: dict[str, Outcome] = {}
    limit = places()

    async def one(check: Check) -> None:
        async with limit:
            found[check.name] = await attempt(room, check, since)

    async with anyio.create_task_group() as group:
        # The longest first.
        for check in sorted(planned, key=lambda check: check.step in ("lint", "types")):
            group.start_soon(one, check)
    return [found[check.name] for check in planned]


async def attempt(room: CheckRoom, check: Check, since: float) -> Outcome:
    """Run a step until it passes or fails in this call: the engine keeps failures too."""
    known_by: str | None = ""
    while known_by is not None:
        try:
            record = Record.model_validate_json(await room.record(check, known_by))
        except dagger.QueryError as error:
            return blocked(check, message(error))
        outcome = judge(check, record, since)
        known_by = next_attempt(outcome, record)
    return outcome

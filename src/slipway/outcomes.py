"""How the steps of `verify` went: read, judged, and as verify.json holds them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from .checks import Check, Step
from .testrunner import NO_TESTS

Result = Literal["passed", "failed", "no tests", "blocked"]
CaseResult = Literal["passed", "failed", "skipped"]
_ROOT = re.compile(r"^/app/")
_CHANGED = 10


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class SuiteCase(_Model):
    """One test as Jest's report has it."""

    name: str
    status: str
    seconds: float
    message: str


class Suite(_Model):
    """One test file as Jest's report has it."""

    file: str
    failed: bool
    message: str
    cases: tuple[SuiteCase, ...]


class Record(_Model):
    """What check.mjs notes of one step; times in seconds since the epoch."""

    begun: float
    ended: float
    exit_code: int
    stopped: bool
    output: str
    changed: tuple[str, ...]
    suites: tuple[Suite, ...] | None


class Case(_Model):
    """One test.

    Attributes:
        name: Its name, with those of the groups around it.
        file: Its file, relative to the repo.
        result: How it went.
        seconds: How long it took.
        message: Why it failed; empty for others.
    """

    name: str
    file: str
    result: CaseResult
    seconds: float
    message: str = ""


class Outcome(_Model):
    """One step, as verify.json has it.

    Attributes:
        app: The app's name, or the shared package's.
        path: The package's folder.
        step: lint, types, unit or e2e.
        result: `blocked` is a step that could not run, such as when a shared package does not build.
        cached: Whether an earlier call ran it; always false for a blocked step.
        begun: When it began; none for a blocked step.
        seconds: How long it took when it ran.
        exit_code: The tool's; none for a blocked step.
        reason: Why it failed or is blocked, where the exit code alone does not say it.
        output: What the tool printed, if the step failed; what blocks it, if it is blocked.
        cases: Each test, where the script plainly runs Jest or Vitest.
    """

    app: str
    path: str
    step: Step
    result: Result
    cached: bool = False
    begun: datetime | None = None
    seconds: float = 0
    exit_code: int | None = None
    reason: str = ""
    output: str = ""
    cases: tuple[Case, ...] = ()

    @property
    def name(self) -> str:
        """Such as `api: lint`."""
        return f"{self.app}: {self.step}"

    @property
    def good(self) -> bool:
        """Whether it is no reason to fail."""
        return self.result in ("passed", "no tests")


class Verification(_Model):
    """verify.json.

    Attributes:
        name: The project's name.
        revision: The git commit, or "unknown".
        passed: Whether no step failed and none is blocked.
        steps: Every step.
    """

    name: str
    revision: str
    passed: bool
    steps: tuple[Outcome, ...]


def judge(check: Check, record: Record, since: float) -> Outcome:
    """How one step went.

    Args:
        check: The step.
        record: What was noted of it.
        since: When this call began, in seconds since the epoch; what ended before is cached.
    """
    result, reason = _result(check, record)
    return Outcome(
        app=check.app,
        path=check.path,
        step=check.step,
        result=result,
        cached=record.ended < since,
        begun=datetime.fromtimestamp(record.begun, UTC),
        seconds=round(record.ended - record.begun, 3),
        exit_code=record.exit_code,
        reason=reason,
        output=record.output if result == "failed" else "",
        cases=tuple(case for suite in record.suites or () for case in _cases(suite)),
    )


def blocked(check: Check, message: str) -> Outcome:
    """A step that could not run, and what the engine says of it."""
    return Outcome(
        app=check.app, path=check.path, step=check.step, result="blocked", output=message
    )


def next_attempt(outcome: Outcome, record: Record) -> str | None:
    """What the next attempt at a step is known by, or None if its outcome holds.

    A failure that was kept does not hold. The attempt after it is known by that failure's end: so
    every later call comes along the same attempts, to a pass, or to a new one of its own.

    Args:
        outcome: How the last attempt went.
        record: What was noted of it.
    """
    kept_failure = outcome.result == "failed" and outcome.cached
    return f"after {record.ended:.3f}" if kept_failure else None


def _result(check: Check, record: Record) -> tuple[Result, str]:
    if record.stopped:
        return (
            "failed",
            f"stopped after {check.limit} s; does it watch files, or wait for an answer?",
        )
    if record.changed:
        return "failed", f"it changed {_listed(record.changed)}: run it and commit what it writes"
    if not any(suite.failed or suite.cases for suite in record.suites or ()) and (
        record.suites == () or (record.exit_code == 1 and NO_TESTS.search(record.output))
    ):
        return "no tests", ""
    return ("passed" if record.exit_code == 0 else "failed"), ""


def _listed(files: Sequence[str]) -> str:
    more = len(files) - _CHANGED
    return ", ".join(files[:_CHANGED]) + (f" and {more} more" if more > 0 else "")


def _cases(suite: Suite) -> list[Case]:
    file = _ROOT.sub("", suite.file)
    known: dict[str, CaseResult] = {"passed": "passed", "failed": "failed"}
    cases = [
        Case(
            name=case.name,
            file=file,
            result=known.get(case.status, "skipped"),
            seconds=case.seconds,
            message=case.message,
        )
        for case in suite.cases
    ]
    if suite.failed and not any(case.result == "failed" for case in cases):
        # The file itself fails: a syntax error, a hook.
        cases.append(Case(name=file, file=file, result="failed", seconds=0, message=suite.message))
    return cases

"""How steps are judged, told and written as JUnit XML."""

import time
from typing import Any

import pytest
from junitparser import JUnitXml

from slipway import outcomes, verifyreport
from slipway.checks import Check
from slipway.junit import junit
from slipway.outcomes import Outcome, Record, Suite, SuiteCase, Verification, judge

LINT = Check("api", "apps/api", "lint", "pnpm run lint")
UNIT = Check("api", "apps/api", "unit", "pnpm run test")
E2E = Check("api", "apps/api", "e2e", "pnpm run e2e")


def record(**changes: Any) -> Record:
    """A step that passed in two seconds."""
    return Record.model_validate(
        {
            "begun": 100,
            "ended": 102,
            "exit_code": 0,
            "stopped": False,
            "output": "said\n",
            "changed": (),
            "suites": None,
            **changes,
        }
    )


def suite(*cases: tuple[str, str], failed: bool = False, message: str = "") -> Suite:
    """A test file with cases: name and status."""
    return Suite(
        file="/app/apps/api/src/a.spec.ts",
        failed=failed,
        message=message,
        cases=tuple(SuiteCase(name=n, status=s, seconds=0.5, message=f"{n}!") for n, s in cases),
    )


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({}, "passed"),
        ({"exit_code": 2}, "failed"),
        ({"stopped": True}, "failed"),
        ({"changed": ("src/a.ts",)}, "failed"),
        ({"exit_code": 1, "output": "No tests found, exiting with code 1"}, "no tests"),
        ({"exit_code": 2, "output": "No tests found, exiting with code 1"}, "failed"),
        ({"suites": ()}, "no tests"),
        ({"suites": (suite(("a", "passed")),)}, "passed"),
        (
            {
                "exit_code": 1,
                "output": "No tests found, exiting with code 1",
                "suites": (suite(("a", "failed"), failed=True),),
            },
            "failed",
        ),
    ],
)
def test_a_step_is_judged(changes: dict[str, Any], result: str) -> None:
    """By its exit code, what it changed, and whether there was anything to test."""
    assert judge(UNIT, record(**changes), 0).result == result


def test_a_linter_that_mends_fails() -> None:
    """What it would change is named."""
    found = judge(LINT, record(changed=tuple(f"{n}.ts" for n in range(12))), 0)
    assert found.reason.startswith("it changed 0.ts, 1.ts,")
    assert "and 2 more: run it and commit" in found.reason


def test_what_ended_before_the_call_is_cached() -> None:
    """And a failure among it is tried again, a fresh one or a pass is not."""
    old, fresh = record(exit_code=1), record(exit_code=1, ended=time.time())
    assert judge(LINT, old, 103).cached
    assert not judge(LINT, old, 101).cached
    assert outcomes.next_attempt(judge(LINT, old, 103), old) == "after 102.000"
    assert outcomes.next_attempt(judge(LINT, fresh, 103), fresh) is None
    assert outcomes.next_attempt(judge(LINT, record(), 103), record()) is None


def test_cases_are_those_of_the_report() -> None:
    """Files relative to the repo; a file that fails as a whole is a case."""
    suites = (
        suite(("a", "passed"), ("b", "failed"), ("c", "todo"), failed=True),
        suite(failed=True, message="SyntaxError"),
    )
    found = judge(UNIT, record(exit_code=1, suites=suites), 0)
    assert [(case.name, case.result) for case in found.cases] == [
        ("a", "passed"),
        ("b", "failed"),
        ("c", "skipped"),
        ("apps/api/src/a.spec.ts", "failed"),
    ]
    assert {case.file for case in found.cases} == {"apps/api/src/a.spec.ts"}


def some() -> list[Outcome]:
    """A pass, two failures, two steps that one message blocks."""
    return [
        judge(LINT, record(exit_code=3, output="\n".join(map(str, range(9)))), 101),
        judge(UNIT, record(exit_code=1, suites=(suite(("b", "failed"), failed=True),)), 103),
        judge(E2E, record(), 103),
        outcomes.blocked(Check("web", "apps/web", "unit", ""), "ui: build failed\nits output"),
        outcomes.blocked(Check("web", "apps/web", "lint", ""), "ui: build failed\nits output"),
    ]


def test_the_report_shows_failures_and_ends_with_the_table() -> None:
    """The end of each failing step's output; what blocks several steps is told once."""
    text = verifyreport.render(
        title="acme", notes=["web has no types"], findings=(), outcomes=some(), took=4.2, lines=2
    )
    assert text.split("\n\n") == [
        "api: lint failed (exit code 3)\n(7 lines above: see `reports`)\n7\n8",
        "api: unit failed (exit code 1)\nsaid",
        "ui: build failed\nits output\nThis blocks web: unit, web: lint.",
        "web has no types",
        "acme: 1 passed, 2 failed, 2 blocked (2 cached) in 4.2 s",
        (
            "APP  STEP  RESULT   SECONDS  HOW\n"
            "api  lint  failed   2.0      run\n"
            "api  unit  failed   2.0      cached\n"
            "api  e2e   passed   2.0      cached\n"
            "web  unit  blocked  -        -\n"
            "web  lint  blocked  -        -"
        ),
    ]


def test_nothing_to_verify_is_said() -> None:
    """Without an empty table."""
    text = verifyreport.render(
        title="acme", notes=[], findings=(), outcomes=[], took=0.1, lines=None
    )
    assert text.strip() == "acme: nothing to verify in 0.1 s"


def test_junit_counts_every_case() -> None:
    """As a library reads it: failures, errors and skipped ones too; a step without cases is one."""
    steps = [*some(), judge(UNIT, record(suites=()), 0)]
    xml = JUnitXml.fromstring(junit(verification(*steps)).encode())
    assert (xml.tests, xml.failures, xml.errors, xml.skipped) == (6, 2, 2, 1)


def test_junit_tells_a_step_that_fails_though_its_tests_pass() -> None:
    """Such as for want of coverage."""
    step = judge(UNIT, record(exit_code=1, suites=(suite(("a", "passed")),)), 0)
    xml = JUnitXml.fromstring(junit(verification(step)).encode())
    assert (xml.tests, xml.failures) == (2, 1)


def test_junit_holds_no_character_that_xml_forbids() -> None:
    """Tools print what they like."""
    step = judge(LINT, record(exit_code=1, output="a\x00\x1b[31m<b>\x0b & ü\n"), 0)
    text = junit(verification(step))
    assert JUnitXml.fromstring(text.encode()).failures == 1
    assert "a[31m&lt;b&gt; &amp; ü" in text


def verification(*steps: Outcome) -> Verification:
    """verify.json of some steps."""
    return Verification(name="acme", revision="abc", passed=False, steps=steps)

"""JUnit XML of a verification, as GitLab shows it: a suite for each step, a case for each test."""

import re
from typing import Any

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from .outcomes import Case, Outcome, Verification

# XML 1.0, "Char": no other control characters.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OUTPUT = 20_000


def junit(verification: Verification) -> str:
    """The XML of a verification.

    Args:
        verification: What was found.

    Returns:
        The text of junit.xml.
    """
    xml: Any = JUnitXml(verification.name)  # it is typed in part
    for outcome in verification.steps:
        suite = TestSuite(outcome.name)
        suite.add_testcases([_case(outcome, case) for case in outcome.cases])
        if not outcome.cases or _fails_itself(outcome):
            suite.add_testcase(_whole(outcome))
        xml.add_testsuite(suite)
    xml.update_statistics()
    return str(xml.tostring(), "utf-8")


def _fails_itself(outcome: Outcome) -> bool:
    """Whether a step fails though no test does, such as for want of coverage."""
    return not outcome.good and not any(case.result == "failed" for case in outcome.cases)


def _case(outcome: Outcome, case: Case) -> TestCase:
    made = TestCase(_clean(case.name), f"{outcome.name} {case.file}", case.seconds)
    made._elem.set("file", case.file)  # noqa: SLF001 - GitLab links it; the library knows no such field
    if case.result == "failed":
        made.result = [_told(Failure, case.message)]
    elif case.result == "skipped":
        made.result = [Skipped()]
    return made


def _whole(outcome: Outcome) -> TestCase:
    """The one case of a step without a report of its own."""
    made = TestCase(outcome.step, outcome.name, outcome.seconds)
    output = "\n".join(part for part in (outcome.reason, outcome.output[-_OUTPUT:]) if part)
    if outcome.result == "blocked":
        made.result = [_told(Error, output)]
    elif outcome.result == "failed":
        made.result = [_told(Failure, output)]
    elif outcome.result == "no tests":
        made.result = [Skipped("no tests")]
    return made


def _told(kind: type[Failure] | type[Error], text: str) -> Failure | Error:
    clean = _clean(text)
    made = kind(next(iter(clean.strip().splitlines()), ""))
    made.text = clean
    return made


def _clean(text: str) -> str:
    return _ILLEGAL.sub("", text)

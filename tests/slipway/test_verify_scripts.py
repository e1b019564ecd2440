"""Which test runner a script plainly calls."""

import pytest

from slipway import testrunner
from slipway.manifest import Package


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("vitest", "vitest"),
        ("vitest run --coverage", "vitest"),
        ("vitest --watch", "vitest"),
        ("jest", "jest"),
        ("jest --config ./test/jest-e2e.json", "jest"),
        ("NODE_ENV=test jest --runInBand", "jest"),
        ("cross-env NODE_ENV=test TZ='UTC' jest", "jest"),
        ("dotenv -e .env.test -- vitest run", "vitest"),
        ("npx jest", "jest"),
        ("pnpm exec vitest run", "vitest"),
        ("node --experimental-vm-modules node_modules/jest/bin/jest.js", "jest"),
        ("node --import tsx ./node_modules/.bin/jest --ci", "jest"),
        ("prisma generate && jest", "jest"),
        ("pnpm run unit", "vitest"),
        ("pnpm unit", "vitest"),
        ("vitest bench", None),
        ("jest && echo done", None),
        ("jest | tee log", None),
        ("vitest run > log", None),
        ("jest; echo done", None),
        ("node --test", None),
        ("mocha", None),
        ("node jest.js", None),
        ("pnpm -r run unit", None),
        ("", None),
    ],
)
def test_a_runner_is_known_where_arguments_reach_it(script: str, found: str | None) -> None:
    """At the end of the script, and through other scripts; else nothing is added."""
    package = Package("a", {"scripts": {"test": script, "unit": "vitest run"}})
    assert testrunner.runner(package, "test") == found


def test_scripts_that_call_each_other_end() -> None:
    """A circle is no test run."""
    package = Package("a", {"scripts": {"test": "pnpm run unit", "unit": "pnpm run test"}})
    assert testrunner.runner(package, "test") is None


@pytest.mark.parametrize(
    "printed",
    [
        "No tests found, exiting with code 1\nRun with `--passWithNoTests` to exit with code 0",
        "No test files found, exiting with code 1\n",
    ],
)
def test_the_words_for_no_tests_are_known(printed: str) -> None:
    """Of Jest and of Vitest."""
    assert testrunner.NO_TESTS.search(printed)

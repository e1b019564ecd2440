"""Test scripts: which runner they call, and what makes it report each case and never watch."""

import re

from .manifest import Package

# Where the runner's report goes: beside check.mjs, which reads it.
CHECKS = "/slipway/verify"
REPORT = f"{CHECKS}/tests.json"
# Both write the same format.
_ARGUMENTS = {
    "vitest": f"--run --reporter=default --reporter=json --outputFile.json={REPORT}",
    "jest": f"--watch=false --watchAll=false --json --outputFile={REPORT}",
}
# What may stand before a program: variables, and tools that run another one.
_PREFIX = re.compile(
    r"""^(?:
        \w+=(?:'[^']*'|"[^"]*"|[^\s'"]*)\s+
        |(?:cross-env|env|npx|pnpx|dotenv|dotenvx\s+run|yarn|(?:pnpm|npm)\s+exec|node|pnpm)\s+
        |(?:-[efcr]|--import|--require|--loader)\s+\S+\s+
        |--\s+
        |--[\w-]+(?:=\S+)?\s+
    )""",
    re.VERBOSE,
)
_JEST_FILE = re.compile(r"^\S*node_modules/(?:\.bin/jest|jest/bin/jest(?:\.js)?)$")
_VITEST_FILE = re.compile(r"^\S*node_modules/(?:\.bin/vitest|vitest/vitest\.mjs)$")
_SCRIPT = re.compile(r"^(?:pnpm|yarn)\s+(?:run\s+)?([\w:.-]+)((?:\s.*)?)$")
# A pipe, a redirection, a command in the background: arguments at the end would not reach the runner.
_OPEN = re.compile(r"[|<>;\n]|&(?!&)|(?<!&)&$")
# Subcommands of vitest that are no test run.
_OTHER = ("bench", "list", "init")
NO_TESTS = re.compile(r"No tests? (?:files? )?found, exiting with code 1")


def runner(package: Package, script: str, depth: int = 4) -> str | None:
    """The test runner that a script plainly calls, so that arguments at its end reach it.

    Args:
        package: The package.
        script: The script's name.
        depth: How many scripts deep to look.

    Returns:
        `jest`, `vitest` or None.
    """
    command = package.scripts.get(script, "").rpartition("&&")[2].strip()
    called = _SCRIPT.match(command)
    if called and called[1] in package.scripts:
        return (
            runner(package, called[1], depth - 1) if depth and not _OPEN.search(command) else None
        )
    words = _program(command).split()
    if not words or _OPEN.search(command):
        return None
    if words[0] == "jest" or _JEST_FILE.match(words[0]):
        return "jest"
    if words[0] == "vitest" or _VITEST_FILE.match(words[0]):
        return None if words[1:2] and words[1] in _OTHER else "vitest"
    return None


def _program(command: str) -> str:
    while found := _PREFIX.match(command):
        command = command[found.end() :]
    return command


def arguments(package: Package, script: str) -> str:
    """What to add to `pnpm run SCRIPT`, with a space before it; nothing for other runners."""
    found = runner(package, script)
    return f" {_ARGUMENTS[found]}" if found else ""


def names_no_tests(script: str) -> bool:
    """Whether a script is the one that `npm init` writes where there are no tests."""
    return "no test specified" in script

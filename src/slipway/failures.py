"""Errors of the engine and of the user, turned into one message without a traceback."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dagger
from dagger.mod._exceptions import FunctionError

from .errors import BuildError, SlipwayError
from .layout import SCRIPTS

# Enough for a compiler's error with its code frame; the whole output is in the engine's own log.
TAIL_LINES = 40
# The engine appends the place in its own trace.
_TRACE = re.compile(r"\s*\[traceparent:[^\]]*\]")
_LOCKFILE = (
    "Run `pnpm install` and commit pnpm-lock.yaml: images are made of exactly what it names."
)
_LOGIN = "If the package is private, give the login for its registry: --npmrc file:$HOME/.npmrc"
# What a tool prints when the user can help → what to do.
_HINTS = {
    "gyp ERR! find Python": "A native package wants compilers: set [node] build_image in "
    'slipway.toml, such as "node:22-bookworm"; runtime images stay without them.',
    "ERR_PNPM_OUTDATED_LOCKFILE": _LOCKFILE,
    "ERR_PNPM_LOCKFILE_CONFIG_MISMATCH": _LOCKFILE,
    "ERR_PNPM_BROKEN_LOCKFILE": _LOCKFILE,
    "ERR_PNPM_FETCH_401": _LOGIN,
    "ERR_PNPM_FETCH_403": _LOGIN,
    "ERR_PNPM_FETCH_404": _LOGIN,
    "ERR_PNPM_UNSUPPORTED_ENGINE": "Set [node] version or pnpm in slipway.toml.",
}
# What a RUN of a Dockerfile is started with.
_RUN = ["/bin/sh", "-c"]


class SlipwayFailure(FunctionError):  # noqa: N818 - its name is what the user reads before the message
    """A message for the person at the terminal; the SDK prints it without a traceback."""


# The SDK prints an error's qualified name, and no more than the name of a built-in.
SlipwayFailure.__module__ = "builtins"


@contextmanager
def reported() -> Iterator[None]:
    """Turn what a user can put right into a message, and leave every other error as it is."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise SlipwayFailure(joined(list(leaves(group)))) from None
    except (SlipwayError, dagger.QueryError) as error:
        raise SlipwayFailure(joined([error])) from None


def leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[Exception]:
    """The errors in a group that a user can put right, however deep; any other error is raised."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from leaves(error)
        elif isinstance(error, SlipwayError | dagger.QueryError):
            yield error
        else:
            raise error


def joined(errors: Sequence[Exception]) -> str:
    """The messages of several errors, each once: images that share a failed step fail alike."""
    return "\n\n".join(dict.fromkeys(message(error) for error in errors))


def message(error: Exception) -> str:
    """What one error says: the step that failed and the end of what its tool printed."""
    if isinstance(error, dagger.ExecError):
        return str(step_error(error.command, error.exit_code, error.stdout, error.stderr))
    return _TRACE.sub("", str(error))


def step_error(command: Sequence[str], exit_code: int, stdout: str, stderr: str) -> BuildError:
    """The error of one failed exec.

    Args:
        command: Its arguments.
        exit_code: Its exit code.
        stdout: What it printed; most build tools print errors here.
        stderr: What it printed as errors.
    """
    output = "\n".join(part.rstrip() for part in (stdout, stderr) if part.strip())
    lines = output.splitlines()
    shown = lines[-TAIL_LINES:]
    cut = [f"({len(lines) - len(shown)} lines above)"] if len(lines) > len(shown) else []
    title = f"{step_name(command)} failed (exit code {exit_code})"
    hints = [hint for sign, hint in _HINTS.items() if sign in output]
    return BuildError("\n".join([title, *cut, *shown, *hints]))


def step_name(command: Sequence[str]) -> str:
    """The name a step was given, a Dockerfile's RUN, or the command where it has no name."""
    if list(command[:2]) == _RUN:
        return " ".join(["RUN", *command[2:]])
    named = len(command) > 1 and command[0].startswith(f"{SCRIPTS}/")
    return command[1] if named else " ".join(command)

"""The command line.

Nothing slow is imported at the top: a module's own Python is started first, and imports meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from drydock.cli_options import early, hint, split
from drydock.cli_table import COMMANDS
from drydock.errors import DrydockError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> NoReturn:
    """Entry point of the program `drydock`."""
    signal.signal(signal.SIGTERM, _terminated)
    _open_streams()
    try:
        code = dispatch(_arguments())
        sys.stdout.flush()
    except DrydockError as error:
        code = _say(f"Error: {error}", error.exit_code)
    except KeyboardInterrupt:
        code = _say("Canceled.", 128 + signal.SIGINT)
    except BrokenPipeError:
        # The reader of the output has gone, as `head` does.
        _forget_output()
        code = 128 + signal.SIGPIPE
    except OSError as error:
        _forget_output()
        where = f": {error.filename}" if error.filename else ""
        code = _say(f"Error: {error.strerror or error}{where}", 1)
    except Exception as error:  # noqa: BLE001  # a bug of drydock's own, whatever it is
        code = _say(f"Error: {_bug(error)}", 1)
    sys.exit(code)


def _open_streams() -> None:
    """Where a standard stream was closed, nothing else may get its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w", closefd=False))


def _arguments() -> list[str]:
    """The command line as UTF-8, whatever the locale: so is everything that the API takes."""
    try:
        return [os.fsencode(argument).decode() for argument in sys.argv[1:]]
    except UnicodeDecodeError as error:
        raise UsageError(f"this argument is not UTF-8: {error.object!r}") from None


def _forget_output() -> None:
    """Python would flush once more what could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(text: str, code: int) -> int:
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)
    return code


def _bug(error: Exception) -> str:
    import traceback

    from drydock import bugs

    if early(sys.argv[1:]).tells_all:
        traceback.print_exception(error)
    return bugs.told(error)


def _terminated(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def dispatch(arguments: list[str]) -> int:
    """Run the command that the arguments name; returns the exit code.

    Raises:
        UsageError: If there is no such command.
    """
    _options, command, rest = split(arguments)
    if command is None:
        from drydock.cli_help import main_help

        print(main_help())
        return 0
    if command == "help":
        return dispatch([*rest, "--help"])
    if command not in COMMANDS:
        meant = hint(command, COMMANDS)
        raise UsageError(
            f"unknown command \"{command}\"{meant}\nRun 'drydock --help' for the commands."
        )
    before = arguments[: len(arguments) - len(rest) - 1]
    return _command(command)([*before, *rest])


def _command(name: str) -> Callable[[list[str]], int]:
    from drydock import cli_commands

    does: Callable[..., int] = getattr(cli_commands, name)
    takes_more = bool(COMMANDS[name].options)
    return does if takes_more else cli_commands.without_arguments(name, does)

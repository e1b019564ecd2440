"""The command line.

Nothing slow is imported at the top: a module's own Python is started first, and imports meanwhile.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from drydock.cli_options import SHORT, Options, early
from drydock.errors import DrydockError, UsageError

COMMANDS = ("call", "functions", "check", "run", "up", "down", "status", "version")


def main() -> NoReturn:
    """Entry point of the program `drydock`."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        code = dispatch(sys.argv[1:])
        sys.stdout.flush()
    except DrydockError as error:
        print(f"Error: {error}", file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        print("Canceled.", file=sys.stderr)
        code = 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of the output has gone, as `head` does; Python would flush it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 128 + signal.SIGPIPE
    sys.exit(code)


def _terminated(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def dispatch(arguments: list[str]) -> int:
    """Run the command that the arguments name; returns the exit code."""
    options, command, rest = split(arguments)
    if command is None:
        from drydock.cli_help import main_help

        print(main_help())
        return 0
    if command not in COMMANDS:
        raise UsageError(f"unknown command \"{command}\". Run 'drydock --help' for the commands.")
    before = arguments[: len(arguments) - len(rest) - 1]
    match command:
        case "call":
            return _call([*before, *rest])
        case "functions":
            return _functions([*before, *rest])
        case "check":
            return _check([*before, *rest])
        case "run":
            return _run(options, rest)
    return _other(command, rest)


def split(arguments: list[str]) -> tuple[Options, str | None, list[str]]:
    """Options before the command, the command, and what follows it.

    Raises:
        UsageError: If an option before the command is unknown.
    """
    options, rest = Options(), list(arguments)
    while rest and rest[0].startswith("-"):
        typed, has_value, text = rest.pop(0).partition("=")
        if typed == "--":
            break
        name = SHORT.get(typed[1:], "") if len(typed) == 2 else typed[2:]
        if name not in Options.NAMES:
            raise UsageError(f"unknown flag: {typed}. Run 'drydock --help' for the options.")
        if Options.NAMES[name] and not has_value:
            if not rest:
                raise UsageError(f"flag needs an argument: {typed}")
            text = rest.pop(0)
        options.set(name, text or "true")
    return (options, rest[0], rest[1:]) if rest else (options, None, [])


def _call(arguments: list[str]) -> int:
    from drydock.loading import Loading

    options, cwd = early(arguments), Path.cwd()
    with Loading(options.mod, cwd, verbose=options.verbose) as loading:
        if loading.types is None or not {"-h", "--help"} & set(arguments):
            loading.process()
        from drydock.cli_call import call, run

        return run(call(arguments, loading, cwd))


def _functions(arguments: list[str]) -> int:
    from drydock.loading import Loading

    options, names = _plain(arguments)
    if options.help:
        return _help(
            "functions",
            "[function]…",
            "List the functions of a module, or of what functions return.",
        )
    cwd = Path.cwd()
    with Loading(options.mod, cwd, verbose=options.verbose) as loading:
        if loading.types is None:
            loading.process()
        from drydock.cli_call import run
        from drydock.cli_functions import functions

        return run(functions(names, loading, cwd))


def _check(arguments: list[str]) -> int:
    from drydock.loading import Loading

    only_list = bool({"-l", "--list"} & set(arguments))
    options, patterns = _plain([a for a in arguments if a not in ("-l", "--list")])
    if options.help:
        return _help("check", "[-l|--list] [pattern]…", "Run the checks of a module, or list them.")
    cwd = Path.cwd()
    with Loading(options.mod, cwd, verbose=options.verbose) as loading:
        if loading.types is None or not only_list:
            loading.process()
        from drydock.cli_call import run
        from drydock.cli_check import check, list_checks

        work = list_checks(loading, cwd) if only_list else check(patterns, loading, cwd, options)
        return run(work)


def _run(options: Options, arguments: list[str]) -> int:
    inner, command, rest = split(arguments)
    if inner.help or command is None:
        return _help(
            "run", "[--] PROGRAM [ARGUMENTS]", "Run a program with a session of the Dagger API."
        )
    from drydock.cli_call import run
    from drydock.cli_run import run_program

    quiet = options.silent or inner.silent
    return run(run_program([command, *rest], Path.cwd(), quiet=quiet))


def _plain(arguments: list[str]) -> tuple[Options, list[str]]:
    """Options anywhere among plain arguments."""
    options, names, rest = Options(), [], list(arguments)
    while rest:
        found, name, rest = split(rest)
        for key in Options.NAMES:
            if (value := getattr(found, key)) != getattr(Options(), key):
                setattr(options, key, value)
        names += [name] if name is not None else []
    return options, names


def _other(command: str, arguments: list[str]) -> int:
    options, names = _plain(arguments)
    if names:
        raise UsageError(f'drydock {command} takes no arguments, got "{names[0]}"')
    if options.help:
        return _help(command, "", {"up": "Start the BuildKit daemon."}.get(command, ""))
    if command == "version":
        from importlib.metadata import version

        print(f"drydock {version('slipway')}, serving the Dagger API v0.21.8")
        return 0
    from drydock import daemon

    return _daemon(command, daemon)


def _daemon(command: str, daemon: Any) -> int:
    if command == "down":
        print("stopped" if daemon.down() else "not running")
        return 0
    state = daemon.up() if command == "up" else daemon.status()
    if not state.answers:
        print(f"BuildKit does not answer ({state.detail}): {state.address}")
        return 1
    print(f"BuildKit answers: {state.address}")
    return 0


def _help(command: str, arguments: str, description: str) -> int:
    from drydock.cli_help import usage_of

    print(usage_of(command, arguments, description))
    return 0

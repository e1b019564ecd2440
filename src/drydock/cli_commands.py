"""What each command does, once its options are known. A module's own Python is started before anything slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drydock.cli_options import Options, early, split
from drydock.cli_table import COMMANDS
from drydock.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

SESSION_FLAGS = ("--label", "--version")
"""What an SDK tells of itself when it starts a session."""
CHECK_FLAGS = {"-l": "list", "--list": "list", "--failfast": "failfast"}


def call(arguments: list[str]) -> int:
    """`drydock call`; its line is read again when the module's functions are known."""
    from drydock.loading import Loading

    options = early(arguments)
    cwd = options.enter()
    with Loading(options.mod, cwd, verbose=options.tells_all) as loading:
        if loading.types is None or not {"-h", "--help"} & set(arguments):
            loading.start_early(arguments, cwd)
        from drydock.cli_call import call
        from drydock.cli_loop import run

        return run(call(arguments, loading, cwd))


def functions(arguments: list[str]) -> int:
    """`drydock functions`."""
    options, names = plain("functions", arguments)
    if options.help:
        return show_help("functions")
    from drydock.loading import Loading

    cwd = options.enter()
    with Loading(options.mod, cwd, verbose=options.tells_all) as loading:
        if loading.types is None:
            loading.start()
        from drydock.cli_functions import functions
        from drydock.cli_loop import run

        return run(functions(names, loading, cwd, options))


def check(arguments: list[str]) -> int:
    """`drydock check`."""
    given = {CHECK_FLAGS[a] for a in arguments if a in CHECK_FLAGS}
    options, patterns = plain("check", [a for a in arguments if a not in CHECK_FLAGS])
    if options.help:
        return show_help("check")
    from drydock.loading import Loading

    cwd = options.enter()
    with Loading(options.mod, cwd, verbose=options.tells_all) as loading:
        if loading.types is None or "list" not in given:
            loading.start()
        from drydock.cli_check import check, list_checks
        from drydock.cli_loop import run

        if "list" in given:
            return run(list_checks(loading, cwd, options))
        return run(check(patterns, loading, cwd, options, failfast="failfast" in given))


def run(arguments: list[str]) -> int:
    """`drydock run`; what follows the program's name is its own."""
    options, program, rest = split(arguments)
    options.only("run", COMMANDS["run"].options)
    if options.help or program is None:
        return show_help("run")
    from drydock.cli_loop import run
    from drydock.cli_run import run_program

    return run(run_program([program, *rest], options.enter(), quiet=options.no_progress))


def session(arguments: list[str]) -> int:
    """`drydock session`."""
    options, _names = plain("session", list(_without_labels(arguments)))
    if options.help:
        return show_help("session")
    from drydock.cli_loop import run
    from drydock.cli_session import serve

    return run(serve(options.enter(), quiet=options.no_progress))


def _without_labels(arguments: list[str]) -> list[str]:
    kept, rest = [], iter(arguments)
    for typed in rest:
        if typed in SESSION_FLAGS:
            next(rest, None)
        elif typed.partition("=")[0] not in SESSION_FLAGS:
            kept.append(typed)
    return kept


def version() -> int:
    """`drydock version`."""
    from importlib.metadata import version

    print(f"drydock {version('slipway')}, serving the Dagger API v0.21.8")
    return 0


def up() -> int:
    """`drydock up`."""
    from drydock import daemon

    daemon.up()
    return status()


def down() -> int:
    """`drydock down`."""
    from drydock import daemon

    print("stopped" if daemon.down() else "not running")
    return 0


def status() -> int:
    """`drydock status`: the exit code tells whether the daemon answers."""
    from drydock import daemon

    state = daemon.status()
    if not state.answers:
        print(f"BuildKit does not answer ({state.detail}): {state.address}")
        return 1
    print("\n".join(daemon.described()))
    print(f"BuildKit answers: {state.address}")
    return 0


def without_arguments(command: str, does: Callable[[], int]) -> Callable[[list[str]], int]:
    """A command that takes nothing but `--help`."""

    def only(arguments: list[str]) -> int:
        options, names = plain(command, arguments)
        if names:
            raise UsageError(f'drydock {command} takes no arguments, got "{names[0]}"')
        return show_help(command) if options.help else does()

    return only


def plain(command: str, arguments: list[str]) -> tuple[Options, list[str]]:
    """Options anywhere among plain arguments.

    Raises:
        UsageError: If the command does not take one of them.
    """
    options, names, rest = Options(), [], list(arguments)
    while rest:
        found, name, rest = split(rest)
        options.take(found)
        names += [name] if name is not None else []
    options.only(command, COMMANDS[command].options)
    return options, names


def show_help(command: str) -> int:
    """Print the help of a command."""
    from drydock.cli_help import usage_of

    print(usage_of(command))
    return 0

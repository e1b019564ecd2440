"""The commands of drydock: how each is used, and which options it takes."""

from __future__ import annotations

from dataclasses import dataclass

SHOWN = ("progress", "quiet", "silent", "verbose", "debug")
MODULE = ("mod", "workdir", *SHOWN)


@dataclass(frozen=True)
class Command:
    """One command, as its help tells it."""

    description: str
    arguments: str = ""
    options: tuple[str, ...] = ()
    """Besides `help`, which every command takes."""
    flags: tuple[tuple[str, str], ...] = ()
    """Flags of its own, and what they do."""


COMMANDS = {
    "call": Command(
        "Call one or more functions, each on the result of the one before",
        "[arguments] <function> [arguments] …",
        (*MODULE, "json", "output"),
    ),
    "functions": Command(
        "List the functions of a module, or of what a function returns",
        "[function]…",
        (*MODULE, "json"),
    ),
    "check": Command(
        "Run the checks of a module, all of them or those that match a pattern",
        "[pattern]…",
        (*MODULE, "json"),
        (
            ("  -l, --list", "List the checks, run none"),
            ("      --failfast", "Stop the others when one fails"),
        ),
    ),
    "run": Command(
        "Run a program that is a client of the Dagger API",
        "[--] PROGRAM [ARGUMENTS]",
        ("workdir", *SHOWN),
    ),
    "session": Command(
        "Serve a session of the Dagger API to the program that started it, as SDKs do",
        options=("workdir", *SHOWN),
    ),
    "up": Command("Start the BuildKit daemon, or check the one that BUILDKIT_HOST names"),
    "down": Command("Stop the BuildKit daemon that drydock started"),
    "status": Command("Tell whether the daemon answers, and its address"),
    "version": Command("Print the version"),
}

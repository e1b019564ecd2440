"""Options that every command of drydock takes, and those of `dagger` that it refuses."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from drydock.errors import UsageError
from drydock.naming import kebab

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PROGRESS = ("auto", "plain", "tty", "quiet")
SHORT = {
    "d": "debug",
    "h": "help",
    "j": "json",
    "m": "mod",
    "o": "output",
    "q": "quiet",
    "s": "silent",
    "v": "verbose",
}
ENGINE = "run this on a Dagger engine"
REFUSED = {
    "allow-llm": ENGINE,
    "auto-apply": "save the changes with --output .",
    "cloud": ENGINE,
    "eager-runtime": "leave it out: types are kept by the module's source",
    "interactive": "for a shell where a command fails, " + ENGINE,
    "interactive-command": ENGINE,
    "lock": ENGINE,
    "no-exit": "with --progress plain everything stays on the terminal",
    "no-mod": ENGINE,
    "web": ENGINE,
    "x-release": ENGINE,
}
"""Options of `dagger` (v0.21, `cmd/dagger/main.go`) that are not served, and what to do instead."""
REFUSED_SHORT = {"E": "no-exit", "M": "no-mod", "i": "interactive", "w": "web", "y": "auto-apply"}


@dataclass
class Options:
    """How a command runs and where its result goes."""

    NAMES: ClassVar[dict[str, str]] = {
        "debug": "",
        "help": "",
        "json": "",
        "mod": "path",
        "output": "path",
        "progress": "|".join(PROGRESS),
        "quiet": "",
        "silent": "",
        "verbose": "",
        "workdir": "path",
    }
    """Names, and what follows them."""

    DESCRIPTIONS: ClassVar[dict[str, str]] = {
        "debug": "The same as --verbose",
        "help": "Show this help",
        "json": "Present the result as JSON",
        "mod": "Folder of the module (default: the dagger.json in this folder or above it)",
        "output": "Save the result to a local file or directory",
        "progress": "How progress is shown on standard error (auto: a tree on a terminal, else lines)",
        "quiet": "Show no progress, only errors and the result",
        "silent": "The same as --quiet",
        "verbose": "Show the module's own log, tracebacks, and every step",
        "workdir": "Run as if started in this folder",
    }

    mod: str = ""
    output: str = ""
    progress: str = "auto"
    workdir: str = ""
    debug: bool = False
    json: bool = False
    quiet: bool = False
    silent: bool = False
    verbose: bool = False
    help: bool = False

    def set(self, name: str, text: str) -> None:
        """Take one option.

        Raises:
            UsageError: If its value is wrong.
        """
        if name == "progress" and text not in PROGRESS:
            raise UsageError(f'--progress "{text}": should be one of {", ".join(PROGRESS)}')
        if self.NAMES[name]:
            setattr(self, name, text)
        elif text.lower() in ("true", "false", "1", "0"):
            setattr(self, name, text.lower() in ("true", "1"))
        else:
            raise UsageError(f'--{name} "{text}": should be true or false')

    @property
    def no_progress(self) -> bool:
        """Whether progress is left out."""
        return self.quiet or self.silent or self.progress == "quiet"

    @property
    def tells_all(self) -> bool:
        """Whether every detail is wanted."""
        return self.verbose or self.debug

    def enter(self) -> Path:
        """Go to the folder that the command is to run in, and return it.

        Raises:
            UsageError: If there is none.
        """
        if self.workdir:
            try:
                os.chdir(Path(self.workdir).expanduser())
            except OSError as error:
                raise UsageError(f'--workdir "{self.workdir}": {error.strerror}') from None
        return Path.cwd()

    def only(self, command: str, names: Iterable[str]) -> None:
        """Refuse options that a command does not take.

        Raises:
            UsageError: If one was given.
        """
        for name in self.NAMES:
            given = getattr(self, name) != getattr(Options(), name)
            if given and name not in ("help", *names):
                raise UsageError(f"drydock {command} has no --{name}")

    def take(self, other: Options) -> None:
        """Take over what was given elsewhere on the command line."""
        for name in self.NAMES:
            if (value := getattr(other, name)) != getattr(Options(), name):
                setattr(self, name, value)


def take(options: Options, token: str, rest: list[str], known: Iterable[str] = ()) -> None:
    """Take one option, `--name`, `--name=value` or letters; a value that follows is taken from `rest`.

    Args:
        options: Where it goes.
        token: The option as it was typed.
        rest: What follows on the command line.
        known: Flags that could have been meant, besides the options.

    Raises:
        UsageError: If there is no such option, or its value is wrong.
    """
    if not token.startswith("--"):
        _take_letters(options, token[1:], rest)
        return
    typed, has_value, text = token[2:].partition("=")
    name = kebab(typed)
    if name in REFUSED:
        raise UsageError(f"drydock does not serve --{name}; {REFUSED[name]}")
    if name not in Options.NAMES:
        meant = hint(name, [*known, *Options.NAMES], "--")
        raise UsageError(f"unknown flag: --{typed}{meant}")
    _take(options, name, text if has_value else None, rest)


def _take_letters(options: Options, letters: str, rest: list[str]) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in REFUSED_SHORT:
            name = REFUSED_SHORT[letter]
            raise UsageError(f"drydock does not serve -{letter}, --{name}; {REFUSED[name]}")
        if letter not in SHORT:
            raise UsageError(f"unknown flag: -{letter}")
        name = SHORT[letter]
        if Options.NAMES[name]:
            _take(options, name, letters.removeprefix("=") or None, rest)
            return
        _take(options, name, None, rest)


def _take(options: Options, name: str, text: str | None, rest: list[str]) -> None:
    if text is None:
        text = following(f"--{name}", rest) if Options.NAMES[name] else "true"
    options.set(name, text)


def following(flag: str, rest: list[str]) -> str:
    """The value that follows a flag, taken off the command line.

    Raises:
        UsageError: If nothing follows.
    """
    if not rest:
        raise UsageError(f"flag needs an argument: {flag}")
    return rest.pop(0)


def split(arguments: list[str]) -> tuple[Options, str | None, list[str]]:
    """Options before the first plain argument, that argument, and what follows it.

    Raises:
        UsageError: If an option is unknown.
    """
    options, rest = Options(), list(arguments)
    while rest and rest[0].startswith("-"):
        typed = rest.pop(0)
        if typed == "--":
            break
        take(options, typed, rest)
    return (options, rest[0], rest[1:]) if rest else (options, None, [])


def hint(name: str, known: Iterable[str], prefix: str = "") -> str:
    """What was probably meant, for the end of a message; nothing where that cannot be told."""
    from difflib import get_close_matches  # for who mistyped only

    named = {item.lower(): item for item in known}
    close = get_close_matches(name.lower(), named, n=1)
    return f"; did you mean {prefix}{named[close[0]]}?" if close else ""


def early(arguments: list[str]) -> Options:
    """What is needed before a module's own flags are known: which module, how much to tell."""
    options, rest = Options(), iter(arguments)
    for token in rest:
        if token.startswith("--"):
            name, has_value, text = token[2:].partition("=")
            _guess(options, name, text if has_value else None, rest)
        elif token.startswith("-"):
            _guess_short(options, token[1:], rest)
    return options


def _guess_short(options: Options, letters: str, rest: Iterator[str]) -> None:
    while letters:
        name, letters = SHORT.get(letters[0], ""), letters[1:]
        if Options.NAMES.get(name):
            _guess(options, name, letters.removeprefix("=") or None, rest)
            return
        _guess(options, name, None, rest)


def _guess(options: Options, name: str, text: str | None, rest: Iterator[str]) -> None:
    # A wrong value may be meant for a flag of the module's; if it is not, it is refused later.
    if name in ("mod", "workdir"):
        setattr(options, name, next(rest, "") if text is None else text)
    elif name in ("verbose", "debug", "quiet", "silent"):
        setattr(options, name, text not in ("false", "0"))

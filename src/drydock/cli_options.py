"""Options that every command of drydock takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from drydock.errors import UsageError

PROGRESS = ("auto", "plain", "quiet")
SHORT = {"h": "help", "j": "json", "m": "mod", "o": "output", "q": "quiet", "v": "verbose"}


@dataclass
class Options:
    """How a command runs and where its result goes."""

    NAMES: ClassVar[dict[str, str]] = {
        "help": "",
        "json": "",
        "mod": "path",
        "output": "path",
        "progress": "|".join(PROGRESS),
        "quiet": "",
        "verbose": "",
    }
    """Names, and what follows them."""

    DESCRIPTIONS: ClassVar[dict[str, str]] = {
        "help": "Show this help",
        "json": "Present the result as JSON",
        "mod": "Folder of the module (default: the dagger.json in this folder or above it)",
        "output": "Save the result to a local file or directory",
        "progress": "How progress is shown on standard error",
        "quiet": "Show no progress",
        "verbose": "Show the module's own log and tracebacks",
    }

    mod: str = ""
    output: str = ""
    progress: str = "auto"
    json: bool = False
    quiet: bool = False
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
    def silent(self) -> bool:
        """Whether progress is left out."""
        return self.quiet or self.progress == "quiet"


def early(arguments: list[str]) -> Options:
    """What is needed before a module's own flags are known: which module, how much to tell."""
    options = Options()
    for position, token in enumerate(arguments):
        following = arguments[position + 1] if position + 1 < len(arguments) else ""
        if token in ("-m", "--mod"):
            options.mod = following
        elif token.startswith(("-m=", "--mod=")):
            options.mod = token.partition("=")[2]
        elif token in ("-v", "--verbose"):
            options.verbose = True
        elif token in ("-q", "--quiet"):
            options.quiet = True
    return options

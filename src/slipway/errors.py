"""Errors for the person at the terminal: what failed, the value, what to do."""

from collections.abc import Iterable


class SlipwayError(Exception):
    """Something the user can put right; its text is the whole message."""


class ConfigError(SlipwayError):
    """The configuration or the repo does not fit.

    Attributes:
        problems: Every problem found, one line each.
    """

    def __init__(self, where: str, problems: Iterable[str]) -> None:
        """Put the message together.

        Args:
            where: What they were found in.
            problems: One line each.
        """
        self.problems = tuple(problems)
        count = f"{len(self.problems)} problem" + ("s" if len(self.problems) != 1 else "")
        super().__init__("\n".join([f"{where}: {count}", *(f"  - {p}" for p in self.problems)]))


class BuildError(SlipwayError):
    """A build step failed; the text ends with what the tool itself printed."""

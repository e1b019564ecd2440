"""The cases: what is edited before a build, what that has to change, and what is aimed at."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .settings import BenchError

SLIPWAY, DOCKERFILES = "slipway", "Dockerfiles"
SIDES = (SLIPWAY, DOCKERFILES)


@dataclass(frozen=True)
class Edit:
    """One line of the example, changed anew each time, so that no build is answered from an older one.

    Attributes:
        file: Relative to the example.
        line: A part of that line as it is committed; once in the file.
        new: What stands there instead, with `{number}`.
    """

    file: str
    line: str
    new: str

    def apply(self, text: str, number: int) -> str:
        """The file's text with the edit of one round.

        Args:
            text: The file as it is committed.
            number: Of the round, from 1.

        Raises:
            BenchError: If the line is not there, once.
        """
        if text.count(self.line) != 1:
            raise BenchError(f"{self.file} has no longer {self.line!r}, once: change cases.py")
        return text.replace(self.line, self.new.format(number=number, more=80 + number))


@dataclass(frozen=True)
class Target:
    """What a case is aimed at.

    Attributes:
        value: At most this: a ratio slipway/Dockerfiles, or seconds.
        unit: `x` or `s`.
    """

    value: float
    unit: str

    def __str__(self) -> str:
        """As people read it."""
        return f"≤ {self.value:.1f}x" if self.unit == "x" else f"≤ {self.value:g} s"


@dataclass(frozen=True)
class Case:
    """One situation that both sides build in.

    Attributes:
        name: As in the results.
        edit: Made before each round; None for the tree as it is.
        changes: The images that must come out with another digest, no other app among them.
        target: What is aimed at, if anything is.
        sides: Who is measured.
    """

    name: str
    edit: Edit | None = None
    changes: frozenset[str] = field(default_factory=frozenset)
    target: Target | None = None
    sides: tuple[str, ...] = SIDES

    def prepare(self, repo: Path, example: Path, number: int) -> None:
        """Make the edit of one round in the copy of the example."""
        if self.edit:
            text = (example / self.edit.file).read_text()
            (repo / self.edit.file).write_text(self.edit.apply(text, number))

    def check(self, before: dict[str, str], after: dict[str, str]) -> None:
        """See that a build took the edit in: a figure of a build that did not would mean nothing.

        Args:
            before: Digests by image before it.
            after: Digests after it.

        Raises:
            BenchError: If other images changed than the edit has to change.
        """
        changed = {name for name in APPS if before.get(name) != after.get(name)}
        if changed != self.changes:
            raise BenchError(
                f"{self.name}: expected other digests of {sorted(self.changes) or 'no image'}, "
                f"got them of {sorted(changed) or 'none'}"
            )


APPS = ("frontend", "api")
COLD = Case("cold", target=Target(1.0, "x"))
NOTHING = Case("nothing changed", target=Target(2, "s"))
API = Case(
    "API edit",
    Edit(
        "apps/api-nest/src/health/health.controller.ts",
        "`database check failed: ",
        "`database check {number} failed: ",
    ),
    frozenset({"api"}),
    Target(0.6, "x"),
)
FRONT_END = Case(
    "front end edit",
    Edit(
        "apps/frontend-next/app/page.tsx",
        "A gentle record of your meditation.",
        "A gentle record of your meditation, volume {number}.",
    ),
    frozenset({"frontend"}),
    Target(1.0, "x"),
)
SHARED = Case(
    "shared edit",
    Edit(
        "packages/shared/src/session.ts",
        "export const TITLE_MAX_LENGTH = 80;",
        "export const TITLE_MAX_LENGTH = {more};",
    ),
    frozenset({"frontend", "api"}),
)
CALL = Case("trivial call", target=Target(1, "s"), sides=(SLIPWAY,))
WARM = (NOTHING, API, FRONT_END, SHARED)
CASES = (COLD, *WARM, CALL)


def order(sides: tuple[str, ...], number: int) -> tuple[str, ...]:
    """The sides in the order of one round: the second finds the disk's cache warm, so they take turns."""
    return sides if number % 2 else tuple(reversed(sides))

"""What is on the server, as plain values told from what docker prints."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from .names import LABEL, MIGRATOR
from .targetfile import TargetFile

# Files in a release's folder that say how far it came.
COMPLETED, MIGRATED = "completed", "migrated"


@dataclass(frozen=True)
class Container:
    """A container that a release of ours started.

    Attributes:
        app: The app.
        sequence: The release's number.
        release: The release's name.
        image: The image it runs, by digest.
        running: Whether it runs.
        health: `healthy`, `starting`, `unhealthy`, or empty without a health check.
    """

    app: str
    sequence: int
    release: str
    image: str
    running: bool = True
    health: str = "healthy"

    @property
    def serves(self) -> bool:
        """Whether the proxy sends requests to it."""
        return self.running and self.health == "healthy"


@dataclass(frozen=True)
class Kept:
    """A release whose files are on the server.

    Attributes:
        sequence: Its number.
        identifier: Its name.
        completed: Whether its deploy came to its end.
        migrated: Whether its migrations were begun.
        target: What it is made of; None where that is not told.
    """

    sequence: int
    identifier: str
    completed: bool = True
    migrated: bool = False
    target: TargetFile | None = None

    @property
    def origin(self) -> int:
        """The number that it was first deployed by."""
        return self.target.origin if self.target else self.sequence


@dataclass(frozen=True)
class Situation:
    """All that a plan depends on.

    Attributes:
        containers: Those of this project and environment.
        releases: Those with files.
        images: References that need no pull.
        volumes: Their names.
        networks: Their names.
    """

    containers: tuple[Container, ...] = ()
    releases: tuple[Kept, ...] = ()
    images: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()
    networks: frozenset[str] = field(default_factory=lambda: frozenset({"web", "internal"}))

    @property
    def next_sequence(self) -> int:
        """A number above all that were ever used here."""
        used = [c.sequence for c in self.containers] + [r.sequence for r in self.releases]
        return max(used, default=0) + 1

    @property
    def interrupted(self) -> bool:
        """Whether a deploy or rollback did not come to its end."""
        return not all(release.completed for release in self.releases)

    @property
    def migrators(self) -> tuple[Container, ...]:
        """Migrators that a deploy which was cut off left behind: one may still hold Prisma's lock."""
        return tuple(container for container in self.containers if container.app == MIGRATOR)

    @property
    def serving(self) -> Kept | None:
        """The release that requests go to: the newest one with an app that serves."""
        numbers = {container.sequence for container in self.containers if container.serves}
        kept = [release for release in self.releases if release.sequence in numbers]
        return max(kept, key=lambda release: release.sequence, default=None)

    @property
    def schema(self) -> frozenset[str]:
        """Names of the migrations that the database has had, as far as the kept releases know."""
        return schema(self.releases)

    def older(self, app: str, sequence: int) -> tuple[Container, ...]:
        """An app's containers of other releases than one, whether they serve or were left behind."""
        found = (c for c in self.containers if c.app == app and c.sequence != sequence)
        return tuple(sorted(found, key=lambda c: c.sequence))


def schema(releases: Iterable[Kept]) -> frozenset[str]:
    """Names of the migrations that releases brought to the database."""
    had = (kept.target.migrations for kept in releases if kept.migrated and kept.target)
    return frozenset(name for names in had for name in names)


def containers(inspected: Iterable[Mapping[str, Any]]) -> tuple[Container, ...]:
    """The containers of `docker inspect`.

    Args:
        inspected: Its parsed answer; containers without our labels are passed over.
    """
    return tuple(_container(one) for one in inspected if f"{LABEL}.app" in _labels(one))


def _container(one: Mapping[str, Any]) -> Container:
    labels, state = _labels(one), one["State"]
    return Container(
        app=labels[f"{LABEL}.app"],
        sequence=int(labels[f"{LABEL}.sequence"]),
        release=labels[f"{LABEL}.release"],
        image=one["Config"]["Image"],
        running=state["Status"] == "running",
        health=state.get("Health", {}).get("Status", ""),
    )


def _labels(one: Mapping[str, Any]) -> Mapping[str, str]:
    return one["Config"].get("Labels") or {}


def releases(
    folders: Mapping[str, Collection[str]], targets: Mapping[str, str]
) -> tuple[Kept, ...]:
    """The releases among the names of folders, oldest first.

    Args:
        folders: Names below `releases`, such as `000007-v1.2.0`, and the marks in each.
        targets: The texts of their target.json.
    """
    found = (
        Kept(
            int(number),
            identifier,
            COMPLETED in marks,
            MIGRATED in marks,
            _target(targets.get(name, "")),
        )
        for name, marks in folders.items()
        for number, _, identifier in [name.partition("-")]
        if number.isdigit()
    )
    return tuple(sorted(found, key=lambda release: release.sequence))


def _target(text: str) -> TargetFile | None:
    """None also for one that a later slipway wrote in a form of its own."""
    try:
        return TargetFile.model_validate_json(text)
    except ValidationError:
        return None


def lines_of_json(text: str) -> list[Any]:
    """What docker prints as one JSON value a line."""
    return [json.loads(line) for line in text.splitlines() if line.strip()]

"""What is on the server, as plain values: all that a plan depends on. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from pydantic import ValidationError

from .inventory import Database, Listed, Proxy
from .names import LABEL, MIGRATOR, WEB, Site
from .owner import Owner
from .targetfile import TargetFile

# Files in a release's folder that say how far it came.
COMPLETED, MIGRATED = "completed", "migrated"
# What a migrator may take where its container does not say.
MIGRATION_SECONDS = 600
# The label of a migrator's container that says so.
SECONDS = f"{LABEL}.seconds"
# The labels of every app's container.
_APP = {f"{LABEL}.app", f"{LABEL}.sequence", f"{LABEL}.release"}


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
        project: Its compose project; empty for the one that its site gives it.
        returns: Whether it comes back with the server, as it does once its release has taken over.
        seconds: How long a migrator may take.
    """

    app: str
    sequence: int
    release: str
    image: str
    running: bool = True
    health: str = "healthy"
    project: str = ""
    returns: bool = False
    seconds: int = MIGRATION_SECONDS

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
        database: The site's Postgres, if it is there.
        proxy: The proxy, if it runs.
        owner: Whose the site is; None where nobody says.
        former: Whether its folder still has the name that slipway 0.1 gave it.
        claims: Sites that slipway 0.1 gave that same name, where it is not this one's alone.
        listed: Every container of the server.
        unknown: Why all this could not be told; empty where it could.
    """

    containers: tuple[Container, ...] = ()
    releases: tuple[Kept, ...] = ()
    images: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset({WEB})
    database: Database | None = None
    proxy: Proxy | None = None
    owner: Owner | None = None
    former: bool = False
    claims: frozenset[tuple[str, str]] = frozenset()
    listed: tuple[Listed, ...] = ()
    unknown: str = ""

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

    @property
    def unread(self) -> tuple[Kept, ...]:
        """Releases that began migrations which nobody can name: their target.json cannot be read."""
        return tuple(kept for kept in self.releases if kept.migrated and kept.target is None)

    def older(self, app: str, sequence: int) -> tuple[Container, ...]:
        """An app's containers of other releases than one, whether they serve or were left behind."""
        found = (c for c in self.containers if c.app == app and c.sequence != sequence)
        return tuple(sorted(found, key=lambda c: c.sequence))


def schema(releases: Iterable[Kept]) -> frozenset[str]:
    """Names of the migrations that releases brought to the database."""
    had = (kept.target.migrations for kept in releases if kept.migrated and kept.target)
    return frozenset(name for names in had for name in names)


def containers(listed: Iterable[Listed], site: Site) -> tuple[Container, ...]:
    """The containers of a site's releases.

    Args:
        listed: Every container of the server.
        site: The site.
    """
    return tuple(
        Container(
            app=container.labels[f"{LABEL}.app"],
            sequence=int(container.labels[f"{LABEL}.sequence"]),
            release=container.labels[f"{LABEL}.release"],
            image=container.image,
            running=container.running,
            health=container.health,
            project=container.project,
            returns=container.policy == "unless-stopped",
            seconds=int(container.labels.get(SECONDS, MIGRATION_SECONDS)),
        )
        for container in listed
        if container.belongs_to(site) and container.labels.keys() >= _APP
    )


def is_of(container: Listed, found: Situation) -> bool:
    """Whether a container is one of the site's: of a release, or its database.

    Args:
        container: Any of the server.
        found: What is on the server.
    """
    if container.labels.keys() >= _APP:
        app = container.labels[f"{LABEL}.app"]
        numbers = {(one.app, one.sequence, one.project) for one in found.containers}
        return (app, int(container.labels[f"{LABEL}.sequence"]), container.project) in numbers
    return found.database is not None and container.name == found.database.name


def taken_over(releases: Iterable[Kept], containers: Collection[Container]) -> tuple[Kept, ...]:
    """Releases, with those completed whose mark a cut-off deploy could not write any more.

    What says so is on the containers: they come back with the server only when all are proved.

    Args:
        releases: As their folders tell.
        containers: The site's.
    """
    return tuple(
        replace(kept, completed=kept.completed or _returns(kept, containers)) for kept in releases
    )


def _returns(kept: Kept, containers: Iterable[Container]) -> bool:
    apps = {app.name for app in kept.target.apps} if kept.target else set()
    returning = {c.app for c in containers if c.sequence == kept.sequence and c.returns}
    return bool(apps) and apps <= returning


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

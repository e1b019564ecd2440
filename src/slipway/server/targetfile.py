"""target.json: what a release on a server is made of, so that a rollback can bring it back."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from .names import Site
from .target import AppRelease, Login, Routing, Target


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AppFile(_Part):
    """One app, but for its secrets, which are in an env file beside it.

    Attributes are those of `AppRelease` and `Routing`.
    """

    name: str
    image: str
    port: int
    host: str
    path: str
    resolver: str
    health: str
    band: int
    internal: bool
    drain: float
    start: int
    env_file: bool
    any_answer: bool = False


class TargetFile(_Part):
    """One release.

    Attributes:
        format: The file's own version.
        identifier: The release's name.
        origin: The number that it was first deployed by; its own, but for a rollback.
        migrations: Names of the migrations that its migrator has.
        apps: Its apps.
        migrator: The migrator's image, if it has one.
    """

    format: Literal[1] = 1
    identifier: str
    origin: int
    migrations: tuple[str, ...] = ()
    apps: tuple[AppFile, ...]
    migrator: str | None = None

    @classmethod
    def of(cls, target: Target, origin: int) -> Self:
        """What is to be kept of a target."""
        return cls(
            identifier=target.identifier,
            origin=origin,
            migrations=target.migrations,
            apps=tuple(_app(app) for app in target.apps),
            migrator=target.migration.image if target.migration else target.migrator,
        )

    def target(self, site: Site, login: Login | None = None) -> Target:
        """The target that brings it back: no database, no migration, env files from where they are.

        Args:
            site: Where it was found.
            login: Who pulls images that have gone.
        """
        return Target(
            site,
            self.identifier,
            tuple(_release(app) for app in self.apps),
            migrations=self.migrations,
            migrator=self.migrator,
            login=login,
        )

    @property
    def images(self) -> tuple[str, ...]:
        """Every image."""
        return (*(app.image for app in self.apps), *([self.migrator] if self.migrator else []))

    def json_text(self) -> str:
        """The file's contents, on one line."""
        return self.model_dump_json(exclude_none=True) + "\n"


def _app(app: AppRelease) -> AppFile:
    return AppFile(
        name=app.name,
        image=app.image,
        port=app.port,
        host=app.routing.host,
        path=app.routing.path,
        resolver=app.routing.resolver,
        health=app.health,
        band=app.band,
        internal=app.internal,
        drain=app.drain,
        start=app.start,
        env_file=app.has_env,
        any_answer=app.any_answer,
    )


def _release(app: AppFile) -> AppRelease:
    return AppRelease(
        app.name,
        app.image,
        app.port,
        Routing(app.host, app.path, app.resolver),
        app.health,
        app.band,
        env_kept=app.env_file,
        internal=app.internal,
        drain=app.drain,
        start=app.start,
        any_answer=app.any_answer,
    )

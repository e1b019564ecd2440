"""From the project, its release and its secrets to what a server has to know: every problem at once. Pure."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from slipway.config import EnvironmentConfig
from slipway.errors import ConfigError
from slipway.project import PRODUCTION, App, Project

from . import envfile
from .names import Site
from .owner import Owner
from .target import AppRelease, Database, Login, Migration, Routing, Target

DATABASE_URL = "DATABASE_URL"
_BESIDES = ("SHADOW", "DIRECT", "UNPOOLED", "NON_POOLING")
_DUMPS = 7


@dataclass(frozen=True)
class Secrets:
    """The texts of the secrets of one environment; None for those that were not given.

    Attributes:
        api_env: The environment of the apps that are no front end, and of the migrator.
        db_env: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB; what it leaves out is that of
            the database's address in api_env.
    """

    api_env: str | None = None
    db_env: str | None = None


def target(
    project: Project,
    environment: str,
    images: Mapping[str, str],
    secrets: Secrets,
    *,
    identifier: str,
    manifest: str = "{}\n",
    migrations: tuple[str, ...] = (),
    login: Login | None = None,
    owner: Owner | None = None,
) -> Target:
    """Put a target together.

    Args:
        project: The project.
        environment: The environment's name.
        images: Image → its reference by digest.
        secrets: The environment's secrets.
        identifier: The release's name.
        manifest: release.json.
        migrations: Names of the migrations that it knows.
        login: Who pulls the images.
        owner: Whose the site is.

    Returns:
        The target.

    Raises:
        ConfigError: What is missing or does not fit together.
    """
    aim = _Aim(project, environment, images, secrets)
    made = aim.target(identifier, manifest)
    if aim.problems:
        raise ConfigError(f"deploying to {environment}", aim.problems)
    return replace(made, login=login, migrations=migrations, owner=owner)


def seeding(project: Project, environment: str) -> list[str]:
    """Why an environment is not seeded as slipway.toml has it.

    Args:
        project: The project.
        environment: The environment's name.

    Returns:
        One problem where it is production, or by its name could be.
    """
    settings = project.environment(environment)
    if not settings.seed or not project.has_real_data(environment):
        return []
    why = "production is never seeded; remove it"
    if environment not in PRODUCTION and settings.production is None:
        why = (
            "the name says production, which is never seeded; remove it, or set production = false"
        )
    return [f"environments.{environment}.seed: true — {why}"]


@dataclass
class _Aim:
    """Collects what is missing on the way."""

    project: Project
    environment: str
    images: Mapping[str, str]
    secrets: Secrets
    problems: list[str] = field(default_factory=list)

    @property
    def settings(self) -> EnvironmentConfig:
        return self.project.environment(self.environment)

    def target(self, identifier: str, manifest: str) -> Target:
        env = self._parsed("api_env", self.secrets.api_env)
        self.problems += seeding(self.project, self.environment)
        database = self._database(env) if self.project.migrator else None
        return Target(
            site=Site(self.project.name, self.environment),
            identifier=identifier,
            apps=self._apps(env, internal=database is not None),
            manifest=manifest,
            database=database,
            migration=self._migration(env),
            keep=self.settings.keep,
            managed=self._managed(env) if self.project.migrator else "",
        )

    def _parsed(self, name: str, text: str | None) -> dict[str, str]:
        try:
            return envfile.parse(text or "", name)
        except ConfigError as error:
            self.problems += [f"{name}: {problem}" for problem in error.problems]
            return {}

    def _apps(self, env: Mapping[str, str], *, internal: bool) -> tuple[AppRelease, ...]:
        """The others before the front ends: these ask those."""
        order = sorted(self.project.apps, key=lambda app: app.kind == "next")
        return tuple(self._app(app, env, internal=internal) for app in order)

    def _app(self, app: App, env: Mapping[str, str], *, internal: bool) -> AppRelease:
        front = app.kind == "next"
        image, routing = self._image(app.name), self._routing(app)
        return AppRelease(
            name=app.name,
            image=image,
            port=app.port,
            routing=routing,
            health=app.health,
            any_answer=app.any_answer,
            # Where hosts are shared, the longer path is the more special one; no other app changes it.
            band=len(routing.path),
            env={} if front else env,
            internal=internal,
            drain=app.drain,
            start=app.start,
        )

    def _image(self, name: str) -> str:
        if name not in self.images:
            self.problems.append(f"the release has no image {name}")
        return self.images.get(name, "")

    def _routing(self, app: App) -> Routing:
        url = self._url(app)
        parts = urlsplit(url or "")
        path = posixpath.normpath(parts.path or "/")
        server = self.settings.server
        return Routing(parts.hostname or "", path, server.resolver if server else "")

    def _url(self, app: App) -> str | None:
        """An app's address; the usual keys serve where there is one app of its kind."""
        settings, front = self.settings, app.kind == "next"
        alone = [one for one in self.project.apps if (one.kind == "next") == front] == [app]
        usual = (settings.url if front else settings.api_url) if alone else None
        url = settings.urls.get(app.name) or usual
        if not url:
            key = ("url" if front else "api_url") if alone else f"urls.{app.name}"
            self.problems.append(
                f"environments.{self.environment}.{key}: missing; the public address of {app.name}"
            )
        elif not url.startswith("https://"):
            self.problems.append(
                f'environments.{self.environment}: "{url}" — expected https://, which the proxy serves'
            )
        return url

    def _migration(self, env: Mapping[str, str]) -> Migration | None:
        if not self.project.migrator:
            return None
        migrator = self.project.migrator
        return Migration(
            self._image("migrator"), env, seconds=migrator.timeout, seed=self.settings.seed
        )

    def _managed(self, env: Mapping[str, str]) -> str:
        """The host of a database that is not on the server."""
        host = _host(env.get(self._address(env), ""))
        return host if _elsewhere(host) else ""

    def _database(self, env: Mapping[str, str]) -> Database | None:
        """The environment's own Postgres, as its address describes it; None for one elsewhere."""
        name = self._address(env)
        url = env.get(name)
        if not url:
            self.problems.append(
                f"api_env: no {name}; expected postgresql://USER:PASSWORD@db:5432/NAME"
            )
            return None
        parts = urlsplit(url)
        host = _host(url)
        if parts.scheme not in ("postgresql", "postgres") or not host:
            self.problems.append(f"api_env: {name} is no postgresql:// address")
            return None
        if host == "localhost" or host.startswith("127."):
            self.problems.append(
                f"api_env: {name} names {host}, which is the API's own container; use db"
            )
        if _elsewhere(host):
            return None
        settings = self.project.database
        return Database(
            settings.image,
            host,
            self._database_env(name, url),
            self._dumps,
            shm_size=settings.shm_size,
        )

    def _address(self, env: Mapping[str, str]) -> str:
        """The variable that Prisma's schema or config reads the database's address from."""
        migrator = self.project.migrator
        names = migrator.project.addresses if migrator else ()
        if DATABASE_URL in names or not names:
            return DATABASE_URL
        # Prisma may be told further addresses, which are not what the apps use.
        first = sorted(names, key=lambda name: any(word in name for word in _BESIDES))
        return next((name for name in first if name in env), first[0])

    @property
    def _dumps(self) -> int:
        return _DUMPS if self.project.has_real_data(self.environment) else 0

    def _database_env(self, name: str, url: str) -> dict[str, str]:
        """The URL's parts, decoded; what db_env says has to be the same."""
        parts = urlsplit(url)
        wanted = {
            "POSTGRES_USER": unquote(parts.username or ""),
            "POSTGRES_PASSWORD": unquote(parts.password or ""),
            "POSTGRES_DB": unquote(parts.path.removeprefix("/")),
        }
        self.problems += [f"api_env: {name}: {no}" for no in envfile.impossible(wanted)]
        given = self._parsed("db_env", self.secrets.db_env)
        for part, value in wanted.items():
            if not value:
                self.problems.append(f"api_env: {name} has no {_PARTS[part]}")
            elif given.get(part, value) != value:
                self.problems.append(
                    f"db_env: {part} is not the {_PARTS[part]} in api_env's {name}"
                )
        return {**wanted, **given}


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _elsewhere(host: str) -> bool:
    """Whether a database's host is not on the server: a domain name or an IP address."""
    return "." in host or ":" in host


_PARTS = {
    "POSTGRES_USER": "user",
    "POSTGRES_PASSWORD": "password",
    "POSTGRES_DB": "database's name",
}

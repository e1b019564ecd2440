"""The release to bring to a server, with all that the server has to know of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .names import Site
from .owner import Owner

DATABASE_PORT = 5432


@dataclass(frozen=True)
class Routing:
    """Which requests an app gets.

    Attributes:
        host: The public host name.
        path: The path that they begin with; "/" for all.
        resolver: Which of the proxy's resolvers gets the certificate; empty where the proxy has one.
    """

    host: str
    path: str = "/"
    resolver: str = ""

    @property
    def rule(self) -> str:
        """As Traefik writes it."""
        if self.path == "/":
            return f"Host(`{self.host}`)"
        # PathPrefix alone would take /api-docs for /api.
        return f"Host(`{self.host}`) && (Path(`{self.path}`) || PathPrefix(`{self.path}/`))"

    def takes(self, path: str) -> bool:
        """Whether a request for a path comes here."""
        return self.path in ("/", path) or path.startswith(f"{self.path}/")


@dataclass(frozen=True)
class AppRelease:
    """One app of the release.

    Attributes:
        name: The app.
        image: Its image by digest.
        port: Where it listens in its container.
        routing: Which requests it gets.
        health: The path that is asked whether it works.
        any_answer: Whether every answer below 500 says so; else 2xx alone.
        band: Its band of router priorities; the more special routes the higher.
        env: What it gets from `api_env`; the file is written for it alone.
        env_kept: Its file is there already, beside the release that is brought back.
        internal: Whether it is on its site's own network, where the database is.
        drain: Seconds that requests in flight get before the old release is stopped.
        start: Seconds that a new container gets to become healthy.
    """

    name: str
    image: str
    port: int
    routing: Routing
    health: str
    band: int
    env: Mapping[str, str] = field(default_factory=dict)
    env_kept: bool = False
    internal: bool = False
    drain: float = 10.0
    start: int = 120
    any_answer: bool = False

    @property
    def has_env(self) -> bool:
        """Whether it has an env file."""
        return self.env_kept or bool(self.env)

    @property
    def url(self) -> str:
        """The address that proves it: its health check's, where that path is routed to it."""
        path = self.health if self.routing.takes(self.health) else self.routing.path
        return f"https://{self.routing.host}{path}"


@dataclass(frozen=True)
class Database:
    """The environment's Postgres.

    Attributes:
        image: Such as `postgres:17`.
        host: The name that the API knows it by, from its URL.
        env: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB.
        keep_dumps: How many dumps are kept; 0 for no dump.
        shm_size: Its shared memory, which parallel queries take, as Docker writes it.
    """

    image: str
    host: str
    env: Mapping[str, str]
    keep_dumps: int = 0
    shm_size: str = "256m"

    @property
    def shm_bytes(self) -> int:
        """Its shared memory in bytes."""
        return int(self.shm_size[:-1]) << {"k": 10, "m": 20, "g": 30}[self.shm_size[-1]]

    @property
    def password(self) -> str:
        """The password of its owner."""
        return self.env.get("POSTGRES_PASSWORD", "")

    @property
    def user(self) -> str:
        """Who owns the database."""
        return self.env.get("POSTGRES_USER", "postgres")

    @property
    def name(self) -> str:
        """The database's name."""
        return self.env.get("POSTGRES_DB", self.user)


@dataclass(frozen=True)
class Migration:
    """What changes the database's schema.

    Attributes:
        image: The migrator by digest.
        env: What it needs, DATABASE_URL among it.
        seconds: How long it may take.
        seed: Whether it seeds afterwards; never in production.
    """

    image: str
    env: Mapping[str, str]
    seconds: int = 600
    seed: bool = False


@dataclass(frozen=True)
class Login:
    """Who pulls.

    Attributes:
        host: The registry's.
        user: The user.
        password: The password; a step hands it over by standard input.
    """

    host: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Target:
    """A release for one site.

    Attributes:
        site: Project and environment.
        identifier: The release's name: the Git tag, else the commit's beginning.
        apps: In the order of their cut-over.
        manifest: release.json.
        database: The database, if the project has one.
        migration: What migrates it.
        migrations: Names of the migrations that the release knows.
        migrator: The migrator's image where nothing migrates, so that it is kept.
        login: Who pulls the images, where the registry asks.
        keep: How many releases stay on the server for a rollback.
        managed: The host of a database that is not on the server; empty without one.
        owner: Whose the site becomes, where it is nobody's.
    """

    site: Site
    identifier: str
    apps: tuple[AppRelease, ...]
    manifest: str = "{}\n"
    database: Database | None = None
    migration: Migration | None = None
    migrations: tuple[str, ...] = ()
    migrator: str | None = None
    login: Login | None = None
    keep: int = 5
    managed: str = ""
    owner: Owner | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that no log line should show."""
        environments = [app.env for app in self.apps]
        environments += [self.migration.env] if self.migration else []
        values = [value for env in environments for value in env.values()]
        values += [self.database.password] if self.database else []
        values += [self.login.password] if self.login else []
        return tuple(dict.fromkeys(values))

    @property
    def public(self) -> tuple[str, ...]:
        """Texts that everybody may see."""
        database = [self.database.user, self.database.name] if self.database else []
        urls = [app.url for app in self.apps]
        return (self.site.name, self.identifier, *urls, *self.images, *database)

    @property
    def routes(self) -> tuple[tuple[str, str], ...]:
        """Host and path of each app."""
        return tuple((app.routing.host, app.routing.path) for app in self.apps)

    @property
    def images(self) -> tuple[str, ...]:
        """Every image, each once."""
        others = [self.database.image] if self.database else []
        others += [self.migration.image] if self.migration else []
        return tuple(dict.fromkeys([*(app.image for app in self.apps), *others]))

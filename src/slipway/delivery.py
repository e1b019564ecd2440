"""From a published release and the caller's secrets to a deploy on a server."""

import posixpath
from dataclasses import dataclass

import dagger

from .config import EnvironmentConfig
from .errors import ConfigError
from .failures import message
from .published import Published
from .server import envfile
from .server.aim import Secrets, seeding, target
from .server.deploy import Deployment
from .server.doctor import doctor
from .server.masking import Mask
from .server.names import Site
from .server.operator import Operator
from .server.owner import repository
from .server.ssh import Address
from .server.target import Login, Target
from .survey import Survey, text_of

_COMMIT_LENGTH = 12


@dataclass(frozen=True)
class Access:
    """What only the caller has.

    Attributes:
        ssh_key: The private key that the server lets in.
        api_env: The environment of the apps that are no front end.
        db_env: The database's own, where it says more than the URL.
        registry: The address that images are pushed below.
        registry_user: Who logs in there.
        registry_password: That user's password.
        pull_user: Who logs in from the server, to pull alone.
        pull_password: That user's password.
        source: The repository's address, where it is not that of the checkout's origin.
        who: The person or job.
        job: The job's address.
    """

    ssh_key: dagger.Secret | None = None
    api_env: dagger.Secret | None = None
    db_env: dagger.Secret | None = None
    registry: str | None = None
    registry_user: str | None = None
    registry_password: dagger.Secret | None = None
    pull_user: str | None = None
    pull_password: dagger.Secret | None = None
    source: str | None = None
    who: str | None = None
    job: str | None = None


@dataclass(frozen=True)
class Delivery:
    """Takes one release to one environment.

    Attributes:
        survey: What was found in the checkout.
        ws: The caller's workspace.
        access: What only the caller has.
    """

    survey: Survey
    ws: dagger.Workspace
    access: Access

    def require(self, environment: str) -> None:
        """Refuse, before anything is built, what no deploy can go on with.

        Raises:
            ConfigError: No server, no pinned key, no secret; every problem.
        """
        if problems := self._missing(environment):
            raise ConfigError(f"deploying to {environment}", problems)

    def _missing(self, environment: str) -> list[str]:
        """What no deploy can go on without."""
        problems = [*self._unreachable(environment), *seeding(self.survey.project, environment)]
        # The other way round, a committed .env names a password that only GitLab has a user for.
        if self._pull_user and not self.access.pull_password:
            problems.append(_missing("pull_password"))
        if self.survey.project.migrator and not self.access.api_env:
            problems.append(_missing("api_env"))
        return problems

    async def doctor(self, environment: str) -> str:
        """Everything that a deploy looks at before it begins.

        Raises:
            ConfigError: Every problem, of the secrets and of the server.
        """
        problems = self._missing(environment)
        aimed = None
        if not problems:
            try:
                aimed = await self._aimed(environment)
            except ConfigError as error:
                problems += error.problems
        if self._unreachable(environment):
            raise ConfigError(f"deploying to {environment}", problems)
        return await doctor(await self.operator(environment), aimed, problems)

    async def _aimed(self, environment: str) -> Target:
        """The target of images that are not built.

        Raises:
            ConfigError: Secrets and project do not fit together.
        """
        project, texts = self.survey.project, await self._texts("api_env", "db_env")
        names = [*(app.name for app in project.apps), "migrator"]
        host = (self.access.registry or project.registry.address or "").partition("/")[0]
        login = await self.login()
        return target(
            project,
            environment,
            {name: name for name in names},
            Secrets(texts.get("api_env"), texts.get("db_env")),
            identifier="doctor",
            login=Login(host, *login) if login and host else None,
        )

    async def operator(self, environment: str) -> Operator:
        """Who acts on an environment's server; nothing is needed but the key.

        Raises:
            ConfigError: No server, no pinned key, no secret; every problem.
        """
        if problems := self._unreachable(environment):
            raise ConfigError(f"the server of {environment}", problems)
        texts = await self._texts("ssh_key")
        project, settings = self.survey.project, self.survey.project.environment(environment)
        return Operator(
            site=Site(project.name, environment),
            address=_address(settings),
            key=texts["ssh_key"],
            who=self.access.who or "somebody",
            job=self.access.job or "",
            ca=await self._authorities(settings),
            repository=repository(self.access.source or self.survey.origin.source),
        )

    def _unreachable(self, environment: str) -> list[str]:
        """Why nobody gets to the server."""
        settings = self.survey.project.environment(environment)
        problems = []
        if not settings.server:
            problems.append(
                f"no [environments.{environment}.server] in slipway.toml: set its host and known_hosts"
            )
        elif not settings.server.known_hosts:
            problems.append(
                f"environments.{environment}.server.known_hosts: missing; pin what `ssh-keyscan "
                f"{settings.server.host}` prints, compared with what the server's console shows"
            )
        if not self.access.ssh_key:
            problems.append(_missing("ssh_key"))
        return problems

    async def of(self, published: Published) -> Deployment:
        """The deploy of what was published.

        Raises:
            ConfigError: Secrets that cannot be read, or that do not fit; every problem.
        """
        plan, project = published.plan, self.survey.project
        texts = await self._texts("api_env", "db_env")
        login, operator = await self.login(), await self.operator(plan.environment)
        images = {i.name: f"{plan.repositories[i.name]}@{i.digest}" for i in published.images}
        version = plan.version if project.is_production(plan.environment) else None
        identifier = version or plan.revision[:_COMMIT_LENGTH]
        file = published.file(project, version=identifier, source=self.survey.origin.source)
        made = target(
            project,
            plan.environment,
            images,
            Secrets(texts.get("api_env"), texts.get("db_env")),
            identifier=identifier,
            manifest=file.json_text(),
            migrations=await self._migrations(),
            login=Login(plan.host, *login) if login else None,
            owner=operator.owner,
        )
        return Deployment(
            operator=operator,
            target=made,
            sizes={images[image.name]: image.size for image in published.images},
        )

    async def _migrations(self) -> tuple[str, ...]:
        """Names of the migrations in the checkout, in their order."""
        migrator = self.survey.project.migrator
        if not migrator:
            return ()
        prisma = migrator.project
        pattern = posixpath.join(prisma.migrations, "*", "migration.sql")
        folder = self.ws.directory(posixpath.join(self.survey.root, prisma.path), include=[pattern])
        found = await folder.glob("**/migration.sql")
        return tuple(sorted(posixpath.basename(posixpath.dirname(name)) for name in found))

    @property
    def _pull_user(self) -> str | None:
        return self.access.pull_user or self.survey.project.registry.pull_user

    async def login(self) -> tuple[str, str] | None:
        """Who pulls on the server, and the password: one who may only read, where there is one."""
        user, secret = self._pull_user, "pull_password"
        if not user:
            user = self.access.registry_user or self.survey.project.registry.user
            secret = "registry_password"  # noqa: S105 - its name
        password = (await self._texts(secret)).get(secret)
        return (user, password.strip()) if user and password else None

    async def mask(self) -> Mask:
        """Takes out of what is shown the secrets that were given, and can be read."""
        values: list[str] = []
        for name in ("api_env", "db_env", "registry_password", "pull_password"):
            try:
                text = (await self._texts(name)).get(name, "")
                values += envfile.parse(text, name).values() if name.endswith("env") else [text]
            except ConfigError:
                continue  # nothing that needs it has been asked for
        project = self.survey.project
        public = [project.name, *project.environments, *(app.name for app in project.apps)]
        urls = [
            s for e in project.environments.values() for s in (e.url, e.api_url, *e.urls.values())
        ]
        return Mask.of(values, [*public, *filter(None, urls)])

    async def _texts(self, *names: str) -> dict[str, str]:
        """The texts of those of the secrets that are there."""
        texts, problems = {}, []
        for name in names:
            secret: dagger.Secret | None = getattr(self.access, name)
            if secret:
                try:
                    texts[name] = await secret.plaintext()
                except dagger.QueryError as error:
                    problems.append(f"{name} cannot be read: {message(error)}")
        if problems:
            raise ConfigError("the secrets", problems)
        return texts

    async def _authorities(self, settings: EnvironmentConfig) -> str:
        return (
            await text_of(self.ws, posixpath.join(self.survey.root, settings.ca))
            if settings.ca
            else ""
        )


def _missing(secret: str) -> str:
    return (
        f"no {secret}: pass --{secret.replace('_', '-')} file:PATH or env:NAME, or set "
        f"SLIPWAY_{secret.replace('_', '').upper()}=env://NAME in .env"
    )


def _address(settings: EnvironmentConfig) -> Address:
    server = settings.server
    assert server  # noqa: S101 - `require` refused before
    return Address(server.host, server.port, server.user, server.known_hosts)

"""A project with nothing left open: what each image is made of, and how."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from .config import (
    DatabaseConfig,
    EnvironmentConfig,
    Kind,
    RegistryConfig,
    SbomConfig,
    StepsConfig,
    VerifyConfig,
)
from .configfile import nearest
from .errors import ConfigError
from .prisma import PrismaProject

# Names of environments that are production unless they say otherwise.
PRODUCTION = frozenset({"prod", "production"})
# The name of the image that migrates.
MIGRATOR = "migrator"
# Where compilers write.
OUTPUTS = ("dist", "build", "lib", "out", "output")


def output_of(program: tuple[str, ...]) -> str | None:
    """The compiler's folder that a program lies in, if it lies in one."""
    first = program[-1].removeprefix("./").partition("/")[0] if program else ""
    return first if first in OUTPUTS else None


@dataclass(frozen=True)
class App:
    """One app and how its image is made.

    Attributes:
        name: The image's name.
        path: The app's folder, relative to the repo.
        kind: What builds it.
        port: Where it listens, in the container.
        program: What node is started with: flags and a file in the app's folder (not for Next).
        include: Further patterns, relative to the repo, that its build reads.
        build_args: Build-time variables of every environment.
        dockerfile: The app's own Dockerfile, relative to the context.
        context: The Dockerfile's build context.
        target: The Dockerfile's stage.
        health: The path that is asked whether it works.
        any_answer: Whether every answer below 500 says so; else 2xx alone.
        drain: Seconds that requests in flight get when a new release takes over.
        start: Seconds that a new container gets to become healthy.
    """

    name: str
    path: str
    kind: Kind
    port: int
    program: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    build_args: Mapping[str, str] = field(default_factory=dict)
    dockerfile: str | None = None
    context: str = "."
    target: str | None = None
    health: str = "/"
    any_answer: bool = False
    drain: float = 10.0
    start: int = 120

    @property
    def output(self) -> str | None:
        """The folder a compiler writes, or None if the program is a source file."""
        return output_of(self.program)


@dataclass(frozen=True)
class Migrator:
    """The image that migrates and seeds: Prisma's place, and what the user adds.

    Attributes:
        project: Prisma's package.
        packages: Further npm packages that the seed needs.
        include: Further files that migrating or seeding reads.
        timeout: Seconds that a deploy's migrations may take.
    """

    project: PrismaProject
    packages: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    timeout: int = 600


@dataclass(frozen=True)
class Finding:
    """One detected value: what it is, its value, and what it was told from."""

    what: str
    value: str
    reason: str


@dataclass(frozen=True)
class Project:
    """Everything a build has to know, decided.

    Attributes:
        name: The project's name, which titles and caches are called by.
        image: The base of runtime images.
        build_image: What builds run in: the same, or one with compilers for native packages.
        pnpm: The version of pnpm, exact or a major.
        apps: The apps, in the order of the images.
        migrator: What migrates the database, if there is Prisma.
        prisma: Prisma in every package that has it, by folder.
        environments: What differs from one environment to the next, by name.
        install_include: Further files that the install layer hangs on.
        findings: What was detected.
        verify: What all steps of `verify` share.
        steps: Which scripts check a package, by folder, as far as slipway.toml says.
        registry: Where images are pushed, as far as slipway.toml says.
        repositories: Image → where it is pushed below the registry's address, where that is not its name.
        sbom: How bills of materials are made.
        database: The Postgres that is deployed.
    """

    name: str
    image: str
    build_image: str
    pnpm: str
    apps: tuple[App, ...]
    migrator: Migrator | None = None
    prisma: Mapping[str, PrismaProject] = field(default_factory=dict)
    environments: Mapping[str, EnvironmentConfig] = field(default_factory=dict)
    install_include: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    verify: VerifyConfig = field(default_factory=VerifyConfig)
    steps: Mapping[str, StepsConfig] = field(default_factory=dict)
    registry: RegistryConfig = field(default_factory=RegistryConfig)
    repositories: Mapping[str, str] = field(default_factory=dict)
    sbom: SbomConfig = field(default_factory=SbomConfig)
    database: DatabaseConfig = field(default_factory=DatabaseConfig)

    @property
    def paths(self) -> tuple[str, ...]:
        """The folders of everything that is built from the workspace."""
        apps = [app.path for app in self.apps if not app.dockerfile]
        return (*apps, self.migrator.project.path) if self.migrator else tuple(apps)

    @property
    def images(self) -> tuple[str, ...]:
        """The names of all images: the apps by name, then the migrator."""
        apps = tuple(app.name for app in self.apps)
        return (*apps, MIGRATOR) if self.migrator else apps

    def varies(self, image: str) -> bool:
        """Whether an image's build gets an environment's own values: its address and build arguments.

        Args:
            image: The image's name.
        """
        return any(
            app.name == image and (app.kind == "next" or app.dockerfile) for app in self.apps
        )

    def is_production(self, name: str) -> bool:
        """Whether an environment is production: as it says, else by its usual names."""
        said = self.environment(name).production
        return name in PRODUCTION if said is None else said

    def has_real_data(self, name: str) -> bool:
        """Whether an environment's database is to be kept safe: production's, whatever it says of itself.

        One with `prod` or `production` as a word of its name, such as `prod-eu`, has to say that it is none.
        """
        said = self.environment(name).production
        called = not PRODUCTION.isdisjoint(re.split("[._-]+", name))
        return name in PRODUCTION or (called if said is None else said)

    def environment(self, name: str) -> EnvironmentConfig:
        """The settings of one environment; an empty one where no environment is configured.

        Raises:
            ConfigError: Others are configured, this one is not.
        """
        if name in self.environments:
            return self.environments[name]
        if not self.environments:
            return EnvironmentConfig()
        known = ", ".join(sorted(self.environments))
        raise ConfigError(
            "--env", [f'"{name}" — expected one of: {known}{nearest(name, self.environments)}']
        )

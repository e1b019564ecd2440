"""Where the steps of `verify` run: each an exec of its own, on the dependencies that all share."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import anyio
import dagger
from dagger import dag

from . import build
from .checks import CHECK, Check
from .install import settled
from .monorepo import Workshop, with_client
from .prisma import PrismaProject
from .testrunner import CHECKS
from .workspace import CHECK_FILES, CHECK_NOISE, NOISE, TEST_SETTINGS

_CHECK_FILE = Path(__file__).parent / "check.mjs"
# A failure that was kept is tried again: under another value of this, which the tools do not know.
_ATTEMPT = "SLIPWAY_ATTEMPT"
# Nothing of it is kept: no step waits for a disk.
_POSTGRES = (
    "postgres",
    "-c",
    "fsync=off",
    "-c",
    "synchronous_commit=off",
    "-c",
    "full_page_writes=off",
)
_PASSWORD = "postgres"  # noqa: S105 - of a database that lives as long as one step


@dataclass(frozen=True)
class CheckRoom:
    """Makes the containers of steps; each is lazy until its record is read.

    Attributes:
        workshop: The workspace as containers; its apps' own Dockerfiles play no part here.
        packages: The prepared containers, by folder.
    """

    workshop: Workshop
    packages: dict[str, dagger.Container]

    @classmethod
    async def prepared(cls, workshop: Workshop, paths: set[str]) -> Self:
        """Settle a container for each package; nothing is built.

        Args:
            workshop: The workspace as containers.
            paths: The packages' folders.
        """
        await workshop.prepare()
        room = cls(workshop, {})
        for path in sorted(paths):
            room.packages[path] = await settled(room._package(path))
        return room

    async def record(self, check: Check, attempt: str) -> str:
        """Run a step, unless the engine has its result, and return what check.mjs noted.

        Args:
            check: The step.
            attempt: Another value makes the engine run it again; empty for the first time.

        Raises:
            dagger.QueryError: The step could not run, such as when a shared package does not build.
        """
        made = self.packages[check.path]
        for name, value in sorted(check.variables.items()):
            made = made.with_env_variable(name, value)
        if check.database:
            made = made.with_service_binding("postgres", self._database(check))
        if attempt:
            made = made.with_env_variable(_ATTEMPT, attempt)
        return await made.with_exec(check.command).file(f"{CHECKS}/record.json").contents()

    def _database(self, check: Check) -> dagger.Service:
        """An empty Postgres for one step."""
        made = dag.container().from_(self.workshop.survey.project.verify.postgres)
        made = made.with_env_variable("POSTGRES_PASSWORD", _PASSWORD)
        # Equal services are one: the name keeps apps apart.
        made = made.with_env_variable("SLIPWAY_STEP", check.name)
        return made.with_exposed_port(5432).as_service(args=list(_POSTGRES), use_entrypoint=True)

    def _package(self, path: str) -> dagger.Container:
        """A package with its sources, tests and settings, ready for any of its steps."""
        installation, survey = self.workshop.installation, self.workshop.survey
        made = self.workshop.packages(path).with_directory(build.REPO, self._root_files)
        made = self.workshop.with_sources(made, path)
        settings = installation.sources(path, include=TEST_SETTINGS, exclude=("**/node_modules",))
        made = made.with_directory(build.folder(path), settings)
        include = tuple(i for app in survey.project.apps if app.path == path for i in app.include)
        if include:
            files = installation.sources(include=include, exclude=("**/node_modules",))
            made = made.with_directory(build.REPO, files)
        made = self._with_client(made, path)
        made = made.with_env_variable("NO_COLOR", "1")
        return made.with_new_file(CHECK, _CHECK_FILE.read_text(), permissions=0o755)

    def _with_client(self, made: dagger.Container, path: str) -> dagger.Container:
        """A package with Prisma's client, and with what its install hooks make."""
        survey = self.workshop.survey
        package, project = survey.repo.packages[path], survey.project.prisma.get(path)
        generated = self._generated(path, project)
        if project and generated:
            made = with_client(made, generated, project)
        lines = build.ready_lines(package, project, generated=generated is not None)
        return made.with_exec(build.shell(f"{package.name}: prepare", lines)) if lines else made

    def _generated(self, path: str, project: PrismaProject | None) -> dagger.Container | None:
        """Where the client is generated from Prisma's files alone, if it can be."""
        repo = self.workshop.survey.repo
        if not project or repo.injected(path):
            return None
        if not build.generates_apart(repo.packages[path], project):
            return None
        return self.workshop.generated(project)

    @cached_property
    def _root_files(self) -> dagger.Directory:
        repo = self.workshop.survey.repo
        return self.workshop.installation.sources(
            include=(*repo.root_files(), *CHECK_FILES), exclude=(*CHECK_NOISE, *NOISE)
        )


def places() -> anyio.CapacityLimiter:
    """How many steps run at once: each may take a core and half a gigabyte."""
    return anyio.CapacityLimiter(max(4, os.cpu_count() or 1))

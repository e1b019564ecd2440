"""The workspace as containers: each shared package and each app, on what is installed."""

from dataclasses import dataclass, field

import dagger
from dagger import dag

from . import build, collection, layout, migration
from .build import COMPILE_CACHE, REPO, shell
from .install import Installation, settled
from .layout import SCRIPTS
from .manifest import join
from .prisma import PrismaProject
from .project import App
from .survey import Survey
from .workspace import CONTEXT_NOISE, NOISE, TEST_FILES

# When the pages that Next makes anew after a while count as made (scripts/renewed.mjs); a build's id tells no time.
_EPOCH = "SOURCE_DATE_EPOCH"
_NEXT_KEY = "NEXT_SERVER_ACTIONS_ENCRYPTION_KEY"


@dataclass(frozen=True)
class Workshop:
    """Makes the build containers of one workspace; each is lazy until something of it is read.

    Attributes:
        installation: The installed workspace.
        build_args: Build-time variables of the environment, for front ends and Dockerfiles.
        next_key: What Next encrypts with what its server actions close over, in Base64. Without it Next makes one by
            chance, and each build of a front end is another.
    """

    installation: Installation
    build_args: dict[str, str] = field(default_factory=dict)
    next_key: dagger.Secret | None = None
    _built: dict[str, dagger.Container] = field(default_factory=dict)
    _together: dict[str, dagger.Container] = field(default_factory=dict)
    _generated: dict[str, dagger.Container] = field(default_factory=dict)

    async def prepare(self) -> None:
        """Settle the shared packages one by one, each after those it needs.

        The SDK asks for the identity of whatever a call refers to, when the call is sent. Left to
        itself it would ask along every path through the packages, and of these there are many:
        30 packages took four minutes before the first step, and take seconds in this order.
        """
        await self.installation.settle()
        repo = self.survey.repo
        folders = (f for path in self.survey.project.paths for f in repo.closure(path))
        for folder in dict.fromkeys(folders):
            if container := self._package(folder):
                self._built[folder] = await settled(container)
        if migrator := self.survey.project.migrator:
            generated = await settled(self._generate(migrator.project))
            self._generated[migrator.project.path] = generated

    @property
    def survey(self) -> Survey:
        """What was found in the caller's workspace."""
        return self.installation.survey

    def package(self, path: str) -> dagger.Directory:
        """A shared package's folder without its tests: built, if it has anything to build."""
        if built := self._package(path):
            return built.directory(layout.PACKAGE)
        noise = (*self.survey.repo.source_noise(path), *TEST_FILES)
        return self.installation.sources(path, exclude=noise)

    def built_at_run_time(self, path: str) -> dagger.Directory | None:
        """A shared package where an image has it, without what only builds read; None if nothing builds it."""
        built = self._package(path)
        return built.directory(layout.RUNTIME) if built else None

    def sources_at_run_time(self, path: str) -> dagger.Directory:
        """The folder of a shared package that nothing builds, without what only builds read."""
        noise = collection.runtime_noise(self.survey.repo.packages[path])
        return dag.directory().with_directory("/", self._sources(path), exclude=list(noise))

    def packages(self, path: str) -> dagger.Container:
        """The installed workspace with every shared package that one package needs, built."""
        if path not in self._together:
            self._together[path] = self._with_packages(path)
        return self._together[path]

    def _with_packages(self, path: str) -> dagger.Container:
        repo = self.survey.repo
        made = self.installation.shell
        for other in repo.closure(path):
            # In a circle of packages, one has to be built before the other is.
            circle = path in repo.closure(other)
            source = self._sources(other) if circle else self.package(other)
            made = made.with_directory(build.folder(other), source)
            if not circle and self._generates_into_modules(other):
                made = with_prisma_client(made, self._built[other])
        return self.installation.again(made) if repo.injected(path) else made

    def builds(self, path: str) -> tuple[dagger.Container, ...]:
        """The build containers of the shared packages that one package needs."""
        made = (self._package(other) for other in self.survey.repo.closure(path))
        return tuple(container for container in made if container)

    def installed(self, path: str) -> dagger.Container:
        """Where the run time dependencies of one package are copied from."""
        if self.survey.repo.injected(path):
            return self.packages(path)
        return self.installation.dependencies

    def app(self, app: App) -> dagger.Container:
        """An app, built."""
        made = self.with_sources(self.packages(app.path), app.path)
        if app.include:
            files = self.installation.sources(include=app.include, exclude=CONTEXT_NOISE)
            made = made.with_directory(REPO, files)
        variables = self._app_environment(app)
        for name, value in variables.items():
            made = made.with_env_variable(name, value)
        if app.kind == "next":
            # `next build` clears .next except for its cache.
            made = self._with_cache(made, f"{build.folder(app.path)}/.next/cache", app.path, "next")
            if self.next_key:
                made = made.with_secret_variable(_NEXT_KEY, self.next_key)
        else:
            made = self._with_cache(made, COMPILE_CACHE, app.path, "compile")
        package, schemas = self.survey.repo.packages[app.path], self.survey.project.prisma
        project, nested = schemas.get(app.path), self.survey.repo.nested(app.path)
        generated = self._client_of(app, project)
        if project and generated:
            made = with_client(made, generated, project)
        apart = generated is not None
        lines = build.app_lines(
            app,
            package,
            project,
            nested,
            generated=apart,
            variables=variables.keys() - {_EPOCH},
            key=self.next_key is not None,
        )
        return made.with_exec(shell(f"{app.name}: build", lines))

    def generated(self, project: PrismaProject) -> dagger.Container:
        """Where Prisma's files and client are, laid out; `prepare` settled the migrator's."""
        if project.path not in self._generated:
            self._generated[project.path] = self._generate(project)
        return self._generated[project.path]

    def _client_of(self, app: App, project: PrismaProject | None) -> dagger.Container | None:
        """Where an app's client is generated for the migrator anyway, if the app can take it."""
        package, repo = self.survey.repo.packages[app.path], self.survey.repo
        if not project or repo.injected(app.path) or not build.generates_apart(package, project):
            return None
        return self._generated.get(app.path)

    def _generate(self, project: PrismaProject) -> dagger.Container:
        """One package with Prisma's files alone and the client generated from them."""
        made = self.installation.shell
        for path in self.survey.repo.settings(project.path):
            # Prisma 7 reads the package's tsconfig, and what it extends.
            made = self.with_sources(made, path)
        wanted = migration.files(self.survey.repo, project)
        files = self.installation.sources(project.path, include=wanted, exclude=NOISE)
        made = made.with_directory(build.folder(project.path), files)
        lines = [
            build.enter(project.path),
            build.generate(project),
            layout.line(build.prisma_layouts(project, self.survey.repo.nested(project.path))),
        ]
        return made.with_exec(shell("prisma generate", lines))

    def _package(self, path: str) -> dagger.Container | None:
        """Where a shared package is built, or None if there is nothing to build."""
        package, project = self.survey.repo.packages[path], self.survey.project.prisma.get(path)
        lines = build.package_lines(package, project)
        if lines and path not in self._built:
            made = self.with_sources(self.packages(path), path)
            made = self._with_cache(made, COMPILE_CACHE, path, "compile")
            self._built[path] = made.with_exec(shell(f"{package.name}: build", lines))
        return self._built[path] if lines else None

    def _generates_into_modules(self, path: str) -> bool:
        project = self.survey.project.prisma.get(path)
        return project is not None and project.client_in_modules

    def _app_environment(self, app: App) -> dict[str, str]:
        if app.kind != "next":
            return dict(app.build_args)
        return {
            # For a next.config that does not say output: 'standalone' itself.
            "NEXT_PRIVATE_STANDALONE": "true",
            "NEXT_PRIVATE_OUTPUT_TRACE_ROOT": REPO,
            "NEXT_ADAPTER_PATH": f"{SCRIPTS}/next.mjs",
            **app.build_args,
            **self.build_args,
        }

    def _sources(self, path: str) -> dagger.Directory:
        return self.installation.sources(path, exclude=self.survey.repo.source_noise(path))

    def with_sources(self, container: dagger.Container, path: str) -> dagger.Container:
        """A container with one package's sources, tests included."""
        return container.with_directory(build.folder(path), self._sources(path))

    def _with_cache(
        self, container: dagger.Container, folder: str, path: str, purpose: str
    ) -> dagger.Container:
        """A container with a cache of one package, which one build at a time may use."""
        if self.installation.fresh:
            return container
        name = f"slipway-{self.survey.project.name}-{path.replace('/', '-')}-{purpose}"
        sharing = dagger.CacheSharingMode.LOCKED
        return container.with_mounted_cache(folder, dag.cache_volume(name), sharing=sharing)


def with_client(
    container: dagger.Container, generated: dagger.Container, project: PrismaProject
) -> dagger.Container:
    """A container with all that was generated in a package.

    Args:
        container: The container.
        generated: Where it was generated and laid out.
        project: Prisma in the package.
    """
    for output in project.outputs:
        source = generated.directory(f"{layout.PRISMA}/{output}")
        container = container.with_directory(build.folder(join(project.path, output)), source)
    return with_prisma_client(container, generated) if project.client_in_modules else container


def with_prisma_client(container: dagger.Container, built: dagger.Container) -> dagger.Container:
    """A container with the client that Prisma before version 7 generates into node_modules.

    Args:
        container: The container.
        built: Where the client was generated.
    """
    return container.with_directory("/", built.directory(layout.CLIENT))

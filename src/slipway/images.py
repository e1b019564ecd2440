"""The apps' images: dependencies in a layer of their own, then what changes."""

from dataclasses import dataclass

import dagger

from . import build, collection, layout, migrator
from .install import settled
from .layout import SCRIPTS
from .monorepo import with_prisma_client
from .project import App
from .runtime import Made, Runtime
from .workspace import CONTEXT_NOISE


@dataclass(frozen=True)
class Images:
    """Makes the images of one workspace.

    Attributes:
        runtime: What they begin and end with.
    """

    runtime: Runtime

    async def all(self) -> list[Made]:
        """Every image of the project: the apps by name, then the migrator; none is built yet."""
        project = self.runtime.workshop.survey.project
        made = [await self._app(app) for app in project.apps]
        if project.migrator:
            made.append(await migrator.image(self.runtime, project.migrator))
        return made

    async def _app(self, app: App) -> Made:
        if app.dockerfile:
            return self._dockerfile(app)
        return await (self._front_end(app) if app.kind == "next" else self._service(app))

    async def _front_end(self, app: App) -> Made:
        """Next's standalone server; what it traced of node_modules comes first."""
        built = await settled(self.runtime.workshop.app(app))
        container = (
            self.runtime.base.with_env_variable("NEXT_TELEMETRY_DISABLED", "1")
            .with_env_variable("HOSTNAME", "0.0.0.0")  # noqa: S104 - inside its container
            .with_env_variable("PORT", str(app.port))
            .with_directory("/", built.directory("/out/dependencies"))
            .with_directory("/", built.directory("/out/app"))
            .with_exposed_port(app.port)
            .with_entrypoint(["node", "server.js"])
        )
        container = await self.runtime.finished(container, app.name, app.path)
        logs = (*self.runtime.workshop.builds(app.path), built)
        return Made(app.name, container, logs, ("dependencies", "app"))

    async def _service(self, app: App) -> Made:
        """A Node service: production dependencies, shared packages, and what its build made."""
        workshop = self.runtime.workshop
        repo, schemas = workshop.survey.repo, workshop.survey.project.prisma
        built, shared = await settled(workshop.app(app)), repo.closure(app.path, production=True)
        collected = await settled(self._collected(app, shared))
        container = self.runtime.base.with_env_variable("PORT", str(app.port))
        container = container.with_directory("/", collected.directory(collection.COLLECTED))
        layers = ["dependencies"]
        used = (schemas[path] for path in (app.path, *shared) if path in schemas)
        if any(project.client_in_modules for project in used):
            container = with_prisma_client(container, built)
            layers.append("prisma client")
        if shared:
            container = container.with_directory("/", self.runtime.shared(shared))
            layers.append("shared packages")
        container = container.with_directory("/", built.directory(layout.APP))
        container = container.with_exposed_port(app.port).with_entrypoint(["node", *app.program])
        container = await self.runtime.finished(container, app.name, app.path)
        logs = (*workshop.builds(app.path), built, collected)
        return Made(app.name, container, logs, (*layers, "app"))

    def _collected(self, app: App, shared: tuple[str, ...]) -> dagger.Container:
        """The run time dependencies of an app and its shared packages, laid out in /out."""
        workshop = self.runtime.workshop
        packages, schemas = workshop.survey.repo.packages, workshop.survey.project.prisma
        roots = {path: packages[path].runtime_dependencies for path in (app.path, *shared)}
        plan = collection.Collection(roots, drop=collection.dropped_files(schemas, types=True))
        name = f"{app.name}: production dependencies"
        command = build.step(name, "node", f"{SCRIPTS}/collect.mjs", plan.json())
        return workshop.installed(app.path).with_exec(command)

    def _dockerfile(self, app: App) -> Made:
        """An app that brings its own Dockerfile; the engine applies .dockerignore.

        What git ignores stays out of the context: a `COPY . .` must not take a developer's .env.
        """
        workshop = self.runtime.workshop
        context = workshop.installation.sources(app.context, exclude=CONTEXT_NOISE)
        values = {**app.build_args, **workshop.build_args}
        container = context.docker_build(
            dockerfile=app.dockerfile or "Dockerfile",
            target=app.target or "",
            build_args=[dagger.BuildArg(name=k, value=v) for k, v in sorted(values.items())],
        )
        return Made(app.name, self.runtime.labelled(container, app.name))

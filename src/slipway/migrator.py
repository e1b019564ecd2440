"""The migrator's image: Prisma's command line, the schema, the migrations and the seed."""

import dagger
from dagger import dag

from . import build, collection, layout, migration, prisma
from .build import shell
from .install import settled
from .layout import SCRIPTS
from .monorepo import with_prisma_client
from .prisma import PrismaProject
from .project import Migrator
from .runtime import Made, Runtime
from .workspace import CONTEXT_NOISE


async def image(runtime: Runtime, migrator: Migrator) -> Made:
    """The image that migrates by default, and seeds with the arguments `db seed`.

    Args:
        runtime: What every image begins and ends with.
        migrator: Prisma's place, and what the user adds.

    Returns:
        The image; its check runs Prisma in it.
    """
    workshop, project = runtime.workshop, migrator.project
    generated = workshop.generated(project)
    # Migrating reads Prisma's files alone; a seed may import what the package imports.
    shared = workshop.survey.repo.closure(project.path, production=True) if project.seed else ()
    collected = await settled(_dependencies(runtime, migrator, shared))
    container = runtime.base.with_directory("/", collected.directory(collection.COLLECTED))
    layers = ["dependencies"]
    if project.client_in_modules:
        container = with_prisma_client(container, generated)
        layers.append("prisma client")
    if shared:
        container = container.with_directory("/", runtime.shared(shared))
        layers.append("shared packages")
    files = runtime.placed("migrator: files", _files(runtime, migrator, generated))
    container = container.with_directory("/", files)
    program = f"{build.folder(project.path)}/node_modules/.bin/prisma"
    schema = [] if project.found_by_prisma else ["--schema", project.schema]
    container = (
        container.with_env_variable("CHECKPOINT_DISABLE", "1")
        .with_env_variable("PRISMA_HIDE_UPDATE_MESSAGE", "1")
        .with_entrypoint([program])
        .with_default_args(["migrate", "deploy", *schema])
    )
    container = await runtime.finished(container, "migrator", project.path)
    check = _with_placeholders(container, project).with_exec([program, "--version"])
    return Made("migrator", container, (generated, collected), (*layers, "app"), (check,))


def _with_placeholders(container: dagger.Container, project: PrismaProject) -> dagger.Container:
    """A container with the variables that Prisma's config insists on, whatever the command."""
    for name, value in prisma.placeholder_environment(project).items():
        container = container.with_env_variable(name, value)
    return container


def _files(runtime: Runtime, migrator: Migrator, generated: dagger.Container) -> dagger.Directory:
    """What migrating and seeding read, relative to the repo."""
    workshop, project = runtime.workshop, migrator.project
    made = dag.directory().with_directory(
        "/", workshop.installation.sources(include=("tsconfig*.json",))
    )
    made = made.with_directory(project.path, generated.directory(layout.PRISMA))
    for path in workshop.survey.repo.settings(project.path):
        # The seed's runner reads the package's tsconfig, and what it extends.
        made = made.with_directory(path, workshop.installation.sources(path, include=("*.json",)))
    if migration.needs_sources(workshop.survey.repo, project):
        noise = (*workshop.survey.repo.source_noise(project.path), "test", "tests")
        made = made.with_directory(
            project.path, workshop.installation.sources(project.path, exclude=noise)
        )
    if migrator.include:
        made = made.with_directory(
            "/", workshop.installation.sources(include=migrator.include, exclude=CONTEXT_NOISE)
        )
    return made


def _dependencies(
    runtime: Runtime, migrator: Migrator, shared: tuple[str, ...]
) -> dagger.Container:
    """What migrating and seeding need of node_modules, laid out in /out."""
    workshop, project = runtime.workshop, migrator.project
    repo, schemas = workshop.survey.repo, workshop.survey.project.prisma
    names = migration.runtime_packages(repo, project, migrator.packages)
    own = repo.packages[project.path].everything
    roots = {path: repo.packages[path].runtime_dependencies for path in shared}
    roots["."] = tuple(name for name in names if name not in own)
    roots[project.path] = tuple(name for name in names if name in own)
    plan = collection.Collection(
        roots,
        bins=project.path,
        runners=migration.runners(repo, project),
        scripts=migration.seed_scripts(repo, project),
        drop=collection.dropped_files(schemas, types="typescript" not in names),
    )
    placeholders = build.assignments(prisma.placeholder_environment(project))
    lines = [
        build.enter(project.path),
        # Downloads the schema engine now if the install did not: a deploy is no time to miss it.
        f"{placeholders}pnpm exec prisma --version",
        f"node {SCRIPTS}/collect.mjs {build.quoted(plan.json())}",
    ]
    return workshop.installed(project.path).with_exec(shell("migrator: dependencies", lines))

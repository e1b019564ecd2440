"""The shell a build step runs, put together from what the packages say of themselves."""

import posixpath
import shlex
from collections.abc import Iterable, Mapping

from . import layout, prisma
from .collection import runtime_noise
from .layout import SCRIPTS, Layout
from .manifest import Package
from .prisma import PrismaProject
from .project import OUTPUTS, App
from .workspace import TEST_FILES

REPO = "/app"
STEP = f"{SCRIPTS}/step.sh"
COMPILE_CACHE = "/slipway-cache"
# What a package at the repo's root has beside its own files.
_INSTALL_FILES = ("pnpm-lock.yaml", ".npmrc", ".pnpmfile.cjs")
_GENERATE = "prisma generate"
_BUILD_HOOKS = ("prebuild", "postbuild")
_NO_HOOKS = "--config.enable-pre-post-scripts=false"


def step(name: str, *command: str) -> list[str]:
    """A command that notes when it ran, under a name for the report and for errors.

    Args:
        name: Such as `api: build`.
        command: The program and its arguments.

    Returns:
        The arguments of an exec.
    """
    return [STEP, name, *command]


def shell(name: str, lines: list[str]) -> list[str]:
    """A named step of several shell lines that stops at the first failure."""
    return step(name, "sh", "-euc", "\n".join(lines))


def enter(path: str) -> str:
    """The line that goes into a workspace folder."""
    return f"cd {shlex.quote(folder(path))}"


def folder(path: str) -> str:
    """Where a workspace folder is in a container."""
    return posixpath.normpath(posixpath.join(REPO, path))


def assignments(values: Mapping[str, str]) -> str:
    """Values as a prefix for one command: `A=1 B=2 `."""
    return "".join(f"{name}={shlex.quote(value)} " for name, value in sorted(values.items()))


def generate(project: PrismaProject) -> str:
    """The line that generates Prisma's client; it opens no database."""
    schema = f" --schema {shlex.quote(project.schema)}" if not project.found_by_prisma else ""
    return (
        f"{assignments(prisma.placeholder_environment(project))}pnpm exec prisma generate{schema}"
    )


def package_lines(package: Package, project: PrismaProject | None) -> list[str]:
    """The lines that build a shared package and lay it out; none if there is nothing to run.

    Args:
        package: The package.
        project: Prisma in it, if any.
    """
    command = (
        _compiled(output_folder(package), "pnpm run build") if "build" in package.scripts else None
    )
    lines = _lines(package, project, command)
    if not lines:
        return []
    home = folder(package.path)
    layouts = [
        Layout(home, layout.PACKAGE, ("node_modules", *TEST_FILES)),
        layout.in_place(home, layout.RUNTIME, runtime_noise(package)),
        *_client(project),
    ]
    return [*lines, layout.line(layouts)]


def generates_apart(package: Package, project: PrismaProject) -> bool:
    """Whether an app can be built on a client that was generated from Prisma's files alone.

    Then an edit of the app generates nothing. It can where all that generates in its scripts are
    hooks that do nothing else, and where it is known what generating writes.

    Args:
        package: The app's package.
        project: Prisma in it.
    """
    hooks = [*package.install_hooks, *(h for h in _BUILD_HOOKS if h in package.scripts)]
    generating = [hook for hook in hooks if package.runs(hook, _GENERATE)]
    if any(hook in _BUILD_HOOKS for hook in generating):
        # pnpm skips all of a script's hooks or none.
        generating += [hook for hook in hooks if hook in _BUILD_HOOKS]
    by_build = _GENERATE in package.scripts.get("build", "")
    alone = all(package.only_runs(hook, _GENERATE) for hook in generating)
    return project.client_alone and alone and not by_build


def app_lines(
    app: App,
    package: Package,
    project: PrismaProject | None,
    nested: tuple[str, ...] = (),
    *,
    generated: bool = False,
    variables: Iterable[str] = (),
    key: bool = False,
) -> list[str]:
    """The lines that build an app, check what it made and lay it out.

    Args:
        app: The app.
        package: Its package.
        project: Prisma in it, if any.
        nested: Other packages below its folder, relative to it.
        generated: Whether Prisma's client is there already (see `generates_apart`).
        variables: Names of the variables that a front end is built with.
        key: Whether the key of a front end's server actions is given.
    """
    if app.kind == "next":
        build = _run_build(package, "pnpm exec next build", generated=generated)
        return [
            *([f"node {SCRIPTS}/keys.mjs"] if key else []),
            f"SLIPWAY_BUILD_ID=$(node {SCRIPTS}/buildid.mjs {shlex.join([REPO, *sorted(variables)])})",
            "export SLIPWAY_BUILD_ID",
            *_lines(package, project, build, generated=generated),
            f"{SCRIPTS}/standalone.sh {shlex.quote(app.path)}",
        ]
    build = _run_build(package, "pnpm exec nest build", generated=generated)
    command = None
    if "build" in package.scripts or app.kind == "nest":
        command = _compiled(app.output or "dist", build)
    check = f"{SCRIPTS}/present.sh {shlex.quote(app.program[-1])} {shlex.quote(app.name)}"
    layouts = [
        layout.in_place(
            folder(app.path), layout.APP, (*runtime_noise(package, app.program), *nested)
        ),
        *_client(project),
    ]
    lines = _lines(package, project, command, generated=generated) or [enter(app.path)]
    return [*lines, check, layout.line(layouts)]


def prisma_layouts(project: PrismaProject, nested: tuple[str, ...]) -> list[Layout]:
    """What generating leaves in a package: Prisma's files and the client.

    Args:
        project: Prisma in the package.
        nested: Other packages below its folder, relative to it.
    """
    drop = ("node_modules", *nested, *_INSTALL_FILES)
    return [Layout(folder(project.path), layout.PRISMA, drop), *_client(project)]


def _client(project: PrismaProject | None) -> list[Layout]:
    """Prisma's client, where it is not among the package's own files."""
    return [layout.client(REPO, project.path)] if project and project.client_in_modules else []


def _lines(
    package: Package, project: PrismaProject | None, build: str | None, *, generated: bool = False
) -> list[str]:
    """Hooks, Prisma's client and the build; placeholders only for commands that generate."""
    hooks = {hook: package.runs(hook, _GENERATE) for hook in package.install_hooks}
    by_build = build is not None and "build" in package.scripts and package.runs("build", _GENERATE)
    if generated:
        hooks = {hook: False for hook, generates in hooks.items() if not generates}
        project, by_build = None, False
    values = assignments(prisma.placeholder_environment(project)) if project else ""
    lines = [f"{values if generates else ''}pnpm run {hook}" for hook, generates in hooks.items()]
    if project and not by_build and not any(hooks.values()):
        lines.append(generate(project))
    if build:
        lines.append(f"{values if by_build else ''}{build}")
    return [enter(package.path), *lines] if lines else []


def ready_lines(package: Package, project: PrismaProject | None, *, generated: bool) -> list[str]:
    """The lines that a package's checks need before them: its install hooks, Prisma's client.

    Args:
        package: The package.
        project: Prisma in it, if any.
        generated: Whether Prisma's client is there already (see `generates_apart`).
    """
    return _lines(package, project, None, generated=generated)


def _run_build(package: Package, otherwise: str, *, generated: bool = False) -> str:
    """The package's build script, or a command where it has none."""
    if "build" not in package.scripts:
        return otherwise
    # pnpm skips all of a script's hooks or none.
    apart = generated and any(package.runs(hook, _GENERATE) for hook in _BUILD_HOOKS)
    return f"pnpm {_NO_HOOKS} run build" if apart else "pnpm run build"


def _compiled(output: str, command: str) -> str:
    return f"{SCRIPTS}/compile.sh {shlex.quote(output)} {COMPILE_CACHE} {command}"


def output_folder(package: Package) -> str:
    """The folder a package's build writes, as its entry points tell; else `dist`."""
    for entry in package.entry_points:
        first = posixpath.normpath(entry).split("/")[0]
        if first in OUTPUTS:
            return first
    return "dist"


def quoted(text: str) -> str:
    """A text as one word of a shell line."""
    return shlex.quote(text)

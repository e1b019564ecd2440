"""What migrating and seeding need at run time, told from the schema, the config and the seed."""

import posixpath
import re
import shlex
from collections.abc import Iterable, Mapping

from .manifest import join
from .prisma import PrismaProject
from .workspace import Monorepo

_RUNNERS = ("npx", "pnpm", "pnpx", "yarn", "bunx", "npm")
_PROGRAM = (".ts", ".mts", ".cts", ".js", ".mjs", ".cjs")
_IMPORT = re.compile(r"(?:\bfrom|\bimport|\brequire\(|\bimport\()\s*['\"]([^'\"]+)['\"]")


def seed_scripts(repo: Monorepo, project: PrismaProject) -> Mapping[str, str]:
    """The package's own scripts that the seed command runs (`pnpm db:seed`), by name."""
    scripts = repo.packages[project.path].scripts
    return {word: scripts[word] for word in _words(project.seed or "") if word in scripts}


def seed_words(repo: Monorepo, project: PrismaProject) -> list[str]:
    """Every word of the seed command and of the scripts it runs."""
    commands = [project.seed or "", *seed_scripts(repo, project).values()]
    return [word for command in commands for word in _words(command)]


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def runners(repo: Monorepo, project: PrismaProject) -> tuple[str, ...]:
    """Package managers that the seed command calls to run a program (`npx tsx seed.ts`)."""
    return tuple(sorted(set(seed_words(repo, project)) & set(_RUNNERS)))


def needs_sources(repo: Monorepo, project: PrismaProject) -> bool:
    """Whether seeding reads the package beyond the schema's folder and the generated client."""
    words = seed_words(repo, project)
    if not words:
        return False
    if not any(repo.text(project.path, posixpath.normpath(word)) for word in words):
        return True  # The seed lies outside what the survey reads: it may import anything.
    known = tuple(f"{folder}/" for folder in (project.folder, *project.outputs) if folder)
    return any(
        not f"{join(posixpath.dirname(file), name)}/".startswith(known)
        for file, names in _imports(repo, project).items()
        if file != project.config
        for name in names
        if name.startswith(".")
    )


def _imports(repo: Monorepo, project: PrismaProject) -> dict[str, list[str]]:
    """What the config and the programs in the schema's folder import."""
    return {
        file: _IMPORT.findall(repo.text(project.path, file) or "")
        for file in repo.below(project.path)
        if file == project.config or file.startswith(f"{project.folder}/")
    }


def runtime_packages(
    repo: Monorepo, project: PrismaProject, extra: Iterable[str] = ()
) -> tuple[str, ...]:
    """The dependencies that migrating and seeding need, of those the package or the root names.

    Args:
        repo: The workspace.
        project: Prisma's place in it.
        extra: Names the user adds.

    Returns:
        Package names, sorted; with all of the package's run time dependencies if the seed reads
        its sources.
    """
    package = repo.packages[project.path]
    named = {**repo.root.everything, **package.everything}
    words = seed_words(repo, project)
    wanted = {"prisma", "dotenv", "dotenv-cli", "dotenv-expand", "cross-env", *words, *extra}
    wanted |= {name for name in package.everything if name.startswith("@prisma/")}
    wanted |= {_package_of(n) for names in _imports(repo, project).values() for n in names}
    if any(word.startswith("ts-node") for word in words):
        wanted |= {"typescript", "tsconfig-paths", "@swc/core"}
        wanted |= {name for name in named if name.startswith("@types/")}
    wanted |= {repo.packages[path].name for path in repo.settings(project.path)}
    if needs_sources(repo, project):
        wanted |= package.dependencies.keys()
    return tuple(sorted(wanted & named.keys()))


def _package_of(name: str) -> str:
    """`@scope/name/deep/file` → `@scope/name`."""
    parts = name.split("/")
    return "/".join(parts[:2]) if name.startswith("@") else parts[0]


def files(repo: Monorepo, project: PrismaProject) -> tuple[str, ...]:
    """Patterns, relative to the package, of what generating, migrating and seeding read."""
    folder = (f"{project.folder}/**",) if project.folder else ()
    seeds = (posixpath.normpath(w) for w in seed_words(repo, project) if w.endswith(_PROGRAM))
    return (
        *folder,
        project.schema,
        f"{project.migrations}/**",
        "package.json",
        "prisma*.config.*",
        ".config/prisma*",
        "tsconfig*.json",
        *seeds,
    )

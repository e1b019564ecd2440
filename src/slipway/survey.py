"""Reads a repo once, through one filtered directory, and hands on plain values."""

import os
import posixpath
import re
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dagger

from . import configfile, detect, elsewhere, git, lockfile, manifest, project
from .elsewhere import LOCKFILE, WORKSPACE
from .errors import ConfigError, SlipwayError
from .members import members
from .workspace import NOISE, Monorepo

# Everything detection may ask about. Sources are read by the layers that need them.
INCLUDE = (
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    ".nvmrc",
    ".node-version",
    "**/package.json",
    "**/*.prisma",
    "**/prisma*.config.*",
    "**/.config/prisma*",
    "**/prisma/*.ts",
    "**/prisma/*.mts",
    "**/prisma/*.js",
    "**/prisma/*.mjs",
    "**/prisma/*.cjs",
    "**/prisma/seed/**",
    "**/prisma/seeds/**",
    "**/next.config.*",
    "**/nest-cli.json",
    "**/tsconfig*.json",
    "**/*Dockerfile*",
    "bin/*",
    "**/bin/*",
)
EXCLUDE = (*NOISE, "**/dist", "**/.next", "**/coverage", "**/migrations")
# Settings, Prisma's schema, config and seed, and the stages of Dockerfiles.
_READ = re.compile(
    r"^(?:pnpm-workspace\.yaml|\.nvmrc|\.node-version)$"
    r"|(?:^|/)(?:nest-cli|tsconfig[^/]*)\.json$"
    r"|\.prisma$"
    r"|(?:^|/)prisma7?(?:\.config)?\.[cm]?[jt]s$"
    r"|(?:^|/)prisma/.*\.[cm]?[jt]s$"
    r"|Dockerfile[^/]*$"
)
_DOCKERFILE = re.compile(r"^\s*dockerfile\s*=\s*[\"']([^\"'\n]+)[\"']", re.MULTILINE)
_GIT_FILES = ("HEAD", "config", "packed-refs", "refs/heads/**", "refs/tags/**")
# git packs refs when it clones; a repo with more tags apart than this is not searched for one.
_LOOSE_TAGS = 200


@dataclass(frozen=True)
class Survey:
    """What one look at the caller's workspace told.

    Attributes:
        root: The monorepo's folder as a workspace path ("/" is the workspace's own root).
        repo: Its packages, lockfile and files.
        project: The config with all that was left open filled in.
        config: The config file's workspace path, or None if there is none.
        origin: The state of the git checkout.
    """

    root: str
    repo: Monorepo
    project: project.Project
    config: str | None = None
    origin: git.Origin = field(default_factory=git.Origin)


async def take(ws: dagger.Workspace, config_name: str) -> Survey:
    """Survey the workspace the caller stands in.

    Args:
        ws: The caller's workspace.
        config_name: The config file's name, looked up from the caller's folder.

    Returns:
        The survey.

    Raises:
        ConfigError: The repo or its config do not fit; every problem at once.
    """
    where, root = await places(ws, config_name)
    text = await text_of(ws, where) if where else ""
    # A Dockerfile may have any name; the others of INCLUDE do not.
    named = [f"**/{posixpath.basename(name)}" for name in _DOCKERFILE.findall(text)]
    repo = await packages(ws, root, named)
    made = configfile.load(text, where=config_name, packages=repo.packages, files=repo.files)
    return Survey(root, repo, detect.project(repo, made), where, await _origin(ws))


async def places(ws: dagger.Workspace, config_name: str) -> tuple[str | None, str]:
    """The config file's path and the monorepo's folder, both in the workspace.

    Args:
        ws: The caller's workspace.
        config_name: The config file's name, looked up from the caller's folder.

    Raises:
        SlipwayError: There is no such config, or no pnpm workspace.
    """
    where = await ws.find_up(config_name)
    if not where and config_name != "slipway.toml":
        raise SlipwayError(f"{config_name}: no such file here or in any folder above")
    start = posixpath.dirname(where) if where else "."
    for name in (WORKSPACE, LOCKFILE):
        if found := await ws.find_up(name, from_=start):
            return where, posixpath.dirname(found)
    raise await elsewhere.explained(ws, start)


async def text_of(ws: dagger.Workspace, where: str) -> str:
    """The text of one file.

    Args:
        ws: The caller's workspace.
        where: Its workspace path.
    """
    # Not Workspace.file: it uploads the whole folder around the file.
    folder, name = posixpath.split(where)
    return await ws.directory(folder or ".", include=[name]).file(name).contents()


async def packages(ws: dagger.Workspace, root: str, named: Iterable[str] = ()) -> Monorepo:
    """The monorepo's packages, lockfile and files.

    Args:
        ws: The caller's workspace.
        root: The monorepo's folder in it.
        named: Patterns of further files to list.

    Raises:
        ConfigError: No lockfile, or manifests that cannot be read; all of them at once.
    """
    folder = ws.directory(root, include=[*INCLUDE, *named], exclude=list(EXCLUDE))
    async with local(folder) as files:
        texts = files.texts({LOCKFILE, WORKSPACE})
        texts |= files.texts(readable(files.names, lockfile_of(texts), texts))
        return monorepo(files.names, texts)


def readable(
    files: frozenset[str], lock: lockfile.Lockfile, texts: Mapping[str, str]
) -> frozenset[str]:
    """The surveyed files whose contents detection looks at; `texts` has those of the root."""
    folders = {*lock.importers, *members(texts.get(WORKSPACE, ""), files)}
    manifests = {manifest.join(path, "package.json") for path in folders}
    return frozenset(name for name in files if name in manifests or _READ.search(name))


@dataclass(frozen=True)
class Files:
    """The files of a directory, in a folder of this process.

    Attributes:
        folder: The folder.
        names: Every file and link in it, relative to the folder.
    """

    folder: Path
    names: frozenset[str]

    def texts(self, names: Iterable[str]) -> dict[str, str]:
        """The texts of those of some files that are there."""
        return {
            name: (self.folder / name).read_text(errors="replace")
            for name in names
            if name in self.names and (self.folder / name).is_file()
        }


@asynccontextmanager
async def local(directory: dagger.Directory) -> AsyncIterator[Files]:
    """The files of a directory, as long as the context lasts: one query, however many they are."""
    with tempfile.TemporaryDirectory(prefix="slipway-") as name:
        folder = Path(name)
        await directory.export(name)
        listed = (
            (Path(path) / file).relative_to(folder).as_posix()
            for path, _, found in os.walk(folder)
            for file in found
        )
        yield Files(folder, frozenset(listed))


async def _origin(ws: dagger.Workspace) -> git.Origin:
    # In a worktree .git is a file, and the state lies outside the workspace: nothing is found.
    async with local(ws.directory("/", include=[f".git/{name}" for name in _GIT_FILES])) as files:
        tags = {name for name in files.names if name.startswith(".git/refs/tags/")}
        wanted = files.names if len(tags) <= _LOOSE_TAGS else files.names - tags
        texts = files.texts(wanted)
    return git.read({name.removeprefix(".git/"): text for name, text in texts.items()})


def monorepo(files: frozenset[str], texts: Mapping[str, str]) -> Monorepo:
    """Put a workspace together from its files.

    Args:
        files: Every surveyed file, relative to the repo.
        texts: The contents of those that were read.

    Returns:
        The workspace.

    Raises:
        ConfigError: No lockfile, or manifests that cannot be read; all of them at once.
    """
    lock = lockfile_of(texts)
    packages: dict[str, manifest.Package] = {}
    problems: list[str] = []
    for path in lock.importers:
        name = manifest.join(path, "package.json")
        if name not in texts:
            if path != ".":
                problems.append(
                    f"{name}: in pnpm-lock.yaml, but not in the repo; run `pnpm install`"
                )
            continue
        try:
            packages[path] = manifest.parse(path, texts[name])
        except ValueError as error:
            problems.append(f"{name}: {error}")
    problems += _unlocked(members(texts.get(WORKSPACE, ""), files) - lock.importers.keys(), texts)
    if problems:
        raise ConfigError("the repo", problems)
    return Monorepo(packages, lock, files, texts)


def _unlocked(paths: Iterable[str], texts: Mapping[str, str]) -> list[str]:
    """Packages with dependencies that the lockfile does not know: no install would find them."""
    problems = []
    for path in sorted(paths):
        name = manifest.join(path, "package.json")
        try:
            package = manifest.parse(path, texts.get(name, "{}"))
        except ValueError as error:
            problems.append(f"{name}: {error}")
            continue
        if package.everything:
            problems.append(
                f"{name}: in the workspace, but not in {LOCKFILE}; run `pnpm install` and commit it"
            )
    return problems


def lockfile_of(texts: Mapping[str, str]) -> lockfile.Lockfile:
    """The parsed lockfile.

    Raises:
        ConfigError: There is none, or it cannot be read.
    """
    if LOCKFILE not in texts:
        raise ConfigError(
            "the repo", [f"no {LOCKFILE} at its root: run `pnpm install` and commit the lockfile"]
        )
    return lockfile.parse(texts[LOCKFILE])

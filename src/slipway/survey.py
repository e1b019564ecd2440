"""Reads a repo once, through one filtered directory, and hands on plain values."""

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import anyio
import dagger

from . import config, detect, git, lockfile, manifest, project
from .errors import ConfigError, SlipwayError
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
# Settings, and Prisma's schema, config and seed.
_READ = re.compile(
    r"^(?:pnpm-workspace\.yaml|\.nvmrc|\.node-version)$"
    r"|(?:^|/)(?:nest-cli|tsconfig[^/]*)\.json$"
    r"|\.prisma$"
    r"|(?:^|/)prisma7?(?:\.config)?\.[cm]?[jt]s$"
    r"|(?:^|/)prisma/.*\.[cm]?[jt]s$"
)
_DOCKERFILE = re.compile(r"^\s*dockerfile\s*=\s*[\"']([^\"'\n]+)[\"']", re.MULTILINE)
LOCKFILE = "pnpm-lock.yaml"
_GIT_FILES = ("HEAD", "config", "packed-refs", "refs/heads/**", "refs/tags/**")
# git packs refs when it clones; a repo with more tags apart than this is not searched for one.
_LOOSE_TAGS = 200
# Opened files at a time; more gains nothing and floods the engine.
_AT_ONCE = 16


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
    where, root = await _places(ws, config_name)
    text = await _config_text(ws, where) if where else ""
    # A Dockerfile may have any name; the others of INCLUDE do not.
    named = [f"**/{posixpath.basename(name)}" for name in _DOCKERFILE.findall(text)]
    folder = ws.directory(root, include=[*INCLUDE, *named], exclude=list(EXCLUDE))
    repo = await _repo(folder)
    made = config.load(text, where=config_name, packages=repo.packages, files=repo.files)
    return Survey(root, repo, detect.project(repo, made), where, await _origin(ws))


async def _places(ws: dagger.Workspace, config_name: str) -> tuple[str | None, str]:
    """The config file's path and the monorepo's folder."""
    where = await ws.find_up(config_name)
    if not where and config_name != "slipway.toml":
        raise SlipwayError(f"{config_name}: no such file here or in any folder above")
    start = posixpath.dirname(where) if where else "."
    for name in ("pnpm-workspace.yaml", "pnpm-lock.yaml"):
        if found := await ws.find_up(name, from_=start):
            return where, posixpath.dirname(found)
    raise SlipwayError(
        "no pnpm-workspace.yaml or pnpm-lock.yaml here or in any folder above: "
        "slipway builds pnpm workspaces; stand in one, or commit what `pnpm install` writes"
    )


async def _config_text(ws: dagger.Workspace, where: str) -> str:
    # Not Workspace.file: it uploads the whole folder around the file.
    folder, name = posixpath.split(where)
    return await ws.directory(folder, include=[name]).file(name).contents()


async def _repo(folder: dagger.Directory) -> Monorepo:
    files = frozenset(name for name in await folder.glob("**") if not name.endswith("/"))
    texts = await contents(folder, files & {LOCKFILE})
    texts |= await contents(folder, readable(files, lockfile_of(texts)) - texts.keys())
    return monorepo(files, texts)


def readable(files: frozenset[str], lock: lockfile.Lockfile) -> frozenset[str]:
    """The surveyed files whose contents detection looks at."""
    manifests = {manifest.join(path, "package.json") for path in lock.importers}
    return frozenset(name for name in files if name in manifests or _READ.search(name))


async def contents(folder: dagger.Directory, names: Iterable[str]) -> dict[str, str]:
    """The texts of several files of a directory, read side by side."""
    texts: dict[str, str] = {}
    limit = anyio.CapacityLimiter(_AT_ONCE)

    async def one(name: str) -> None:
        async with limit:
            texts[name] = await folder.file(name).contents()

    async with anyio.create_task_group() as group:
        for name in names:
            group.start_soon(one, name)
    return texts


async def _origin(ws: dagger.Workspace) -> git.Origin:
    # In a worktree .git is a file, and the state lies outside the workspace: nothing is found.
    folder = ws.directory("/", include=[f".git/{name}" for name in _GIT_FILES])
    names = {name.removeprefix(".git/") for name in await folder.glob("**")}
    texts = await contents(folder, _git_paths(names & {"HEAD", "config", "packed-refs"}))
    head = texts.get(".git/HEAD", "").removeprefix("ref: ").strip()
    tags = {name for name in names if name.startswith("refs/tags/") and not name.endswith("/")}
    loose = {head} & names | (tags if len(tags) <= _LOOSE_TAGS else set())
    texts |= await contents(folder, _git_paths(loose))
    return git.read({name.removeprefix(".git/"): text for name, text in texts.items()})


def _git_paths(names: Iterable[str]) -> list[str]:
    return sorted(f".git/{name}" for name in names)


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
    if problems:
        raise ConfigError("the repo", problems)
    return Monorepo(packages, lock, files, texts)


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

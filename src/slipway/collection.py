"""What an image takes of the installed and built workspace."""

import json
import posixpath
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from . import prisma
from .manifest import Package
from .prisma import PrismaProject

# Where collect.mjs puts what it copies.
COLLECTED = "/out/dependencies"
# What a built package's folder holds that no program reads at run time.
_RUNTIME_NOISE = (
    "node_modules",
    "test",
    "tests",
    "__tests__",
    "e2e",
    "coverage",
    ".turbo",
    "**/*.tsbuildinfo",
    "**/*.d.ts",
    "**/*.d.mts",
    "**/*.d.cts",
    "tsconfig*.json",
    "nest-cli.json",
    "jest*",
    "vitest*",
    "eslint*",
    ".eslintrc*",
    ".prettier*",
    "tsup.config.*",
    "*Dockerfile*",
    "docker-compose*",
    "**/.env",
    "**/.env.*",
    "*.md",
    "prisma.config.*",
)


def runtime_noise(package: Package, program: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Patterns to leave out of a built package when it goes into an image.

    Args:
        package: The package.
        program: What node is started with, for an app.

    Returns:
        Patterns relative to its folder; sources are kept if an entry point is among them.
    """
    entries = [posixpath.normpath(e) for e in (*package.entry_points, *program)]
    sources = () if any(e.startswith("src/") for e in entries) or not entries else ("src",)
    return (*_RUNTIME_NOISE, *sources, "prisma/migrations", "prisma/seed*")


@dataclass(frozen=True)
class Collection:
    """What collect.mjs copies out of the installed workspace.

    Attributes:
        roots: Workspace folder → the dependencies to follow from there.
        bins: The folder whose node_modules/.bin is filled, or None.
        runners: Package managers to stand in for there.
        scripts: Package scripts to run from there, by name.
        drop: Regular expressions of files to leave out.
    """

    roots: Mapping[str, tuple[str, ...]]
    bins: str | None = None
    runners: tuple[str, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()

    def json(self) -> str:
        """The script's argument."""
        return json.dumps(asdict(self), sort_keys=True)


def dropped_files(schemas: Mapping[str, PrismaProject], *, types: bool) -> tuple[str, ...]:
    """Regular expressions of files in dependencies that nothing opens at run time.

    Args:
        schemas: Prisma in the workspace; other databases' query compilers, some megabytes each,
            are dropped.
        types: Drop type declarations too; ts-node reads them.
    """
    patterns = [r"\.[cm]?[jt]s\.map$", r"\.css\.map$"]
    if types:
        patterns.append(r"\.d\.[cm]?ts$")
    projects = schemas.values()
    unused = [
        p
        for p in prisma.PROVIDERS
        if projects and all(p in project.other_providers for project in projects)
    ]
    if unused:
        patterns.append(rf"/@prisma/client/runtime/query_\w+\.({'|'.join(unused)})\.")
    return tuple(patterns)

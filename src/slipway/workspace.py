"""The pnpm workspace as values: packages, what depends on what, what each layer reads."""

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .lockfile import Importer, Lockfile
from .manifest import Package, join

# At the root: what an install reads, next to the lockfile and the manifests.
INSTALL_FILES = (
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    ".npmrc",
    ".pnpmfile.cjs",
    ".pnpmfile.mjs",
    "pnpmfile.js",
    "patches/**",
)

# At the root: files that a package's own config may extend or read.
ROOT_FILES = (
    "*.json",
    "*.js",
    "*.cjs",
    "*.mjs",
    "*.ts",
    "*.cts",
    "*.mts",
    ".npmrc",
    ".babelrc",
    ".swcrc",
    ".browserslistrc",
    ".eslintrc*",
    "pnpm-workspace.yaml",
)
# Of those: tools whose settings no build reads.
ROOT_NOISE = (
    "*commitlint*",
    "*lint-staged*",
    "*lintstaged*",
    "*vitest*",
    "*jest*",
    "*playwright*",
    "*cypress*",
    "*stylelint*",
    "*renovate*",
    "*release*",
    "*cspell*",
    "biome.json*",
    "knip*",
    "dagger.json",
    ".pnpmfile.*",
)

# At the root too, for steps of `verify`: settings of tools, but for those that check no package.
CHECK_FILES = (
    "*.jsonc",
    ".editorconfig",
    ".eslintignore",
    ".prettierrc*",
    ".prettierignore",
    ".stylelintrc*",
    ".oxlintrc*",
)
CHECK_NOISE = (
    "*commitlint*",
    "*lint-staged*",
    "*lintstaged*",
    "*renovate*",
    "*release*",
    "dagger.json",
    ".pnpmfile.*",
)
# In a shared package: what only its own checks read. Editing one of these then leaves its dependents alone.
TEST_FILES = ("**/*.test.*", "**/*.spec.*", "**/__tests__", "**/__snapshots__")
# In a package, for its tests: variables that are no secrets, or git would ignore the file.
TEST_SETTINGS = ("**/.env.test", "**/.env.testing", "**/.env.e2e")

# In a package's own folder: what a build makes, or never reads.
BUILD_NOISE = (
    "dist",
    "build",
    "out",
    ".next",
    "coverage",
    ".turbo",
    ".nx",
    "storybook-static",
    "*.md",
)
# Anywhere in it.
NOISE = (
    "**/node_modules",
    "**/.git",
    "**/.env",
    "**/.env.*",
    "**/*.tsbuildinfo",
    "**/*.log",
    "**/.DS_Store",
    "**/.eslintcache",
    # Where jobs put slipway itself, and what it writes.
    "**/.slipway",
)
# In the context of an app's own Dockerfile, and among further files that a build reads.
CONTEXT_NOISE = ("**/node_modules", "**/.git", "**/.next", "**/.slipway")
_EXTENDS = re.compile(r'"extends"\s*:\s*(\[[^\]]*\]|"[^"]*")')
_QUOTED = re.compile(r'"(\.[^"]*)"')
_PATCH = re.compile(r"[\w@./+-]+\.patch\b")
_OUTSIDE = re.compile(r"(?<![\w.])(?:\.\./)+[\w@./-]+")


@dataclass(frozen=True)
class Monorepo:
    """A pnpm workspace.

    Attributes:
        packages: Every package by its folder; "." is the root.
        lockfile: The parsed pnpm-lock.yaml.
        files: Every file the survey listed, relative to the repo.
        texts: The contents of those that were read.
    """

    packages: Mapping[str, Package]
    lockfile: Lockfile = field(default_factory=lambda: Lockfile(9))
    files: frozenset[str] = frozenset()
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Package:
        """The package at the repo's root (empty if it has no package.json)."""
        return self.packages.get(".", Package("."))

    def closure(self, path: str, *, production: bool = False) -> tuple[str, ...]:
        """The workspace packages that one needs, dependencies before their dependents.

        Args:
            path: The package's folder.
            production: Leave out what only devDependencies bring.

        Returns:
            Folders, without the package itself.
        """
        order: list[str] = []
        self._visit(path, production, order, set())
        return tuple(order[:-1])

    def _visit(self, path: str, production: bool, order: list[str], seen: set[str]) -> None:
        seen.add(path)
        links = self.lockfile.importers.get(path, Importer())
        wanted = set(links.production)
        if not production:
            wanted |= links.development | self._extended(path)
        for target in sorted(wanted):
            if target in self.packages and target not in seen:
                self._visit(target, production, order, seen)
        order.append(path)

    def needed(self, paths: Iterable[str]) -> tuple[str, ...]:
        """The packages that some need to be built, those and the root included, sorted.

        pnpm installs no more than the packages whose manifests it finds, whatever the lockfile holds.
        """
        return tuple(sorted({".", *(p for path in paths for p in (path, *self.closure(path)))}))

    def settings(self, path: str) -> tuple[str, ...]:
        """The packages with settings that one package extends: for development, never built."""
        running = self.closure(path, production=True)
        return tuple(
            other
            for other in self.closure(path)
            if other not in running and "build" not in self.packages[other].scripts
        )

    def _extended(self, path: str) -> set[str]:
        """Packages whose files a package's tsconfig extends by path, without depending on them."""
        targets = (
            join(posixpath.dirname(join(path, name)), target)
            for name in self.below(path)
            if posixpath.basename(name).startswith("tsconfig")
            for found in _EXTENDS.findall(self.text(path, name) or "")
            for target in _QUOTED.findall(found)
        )
        return {owner for target in targets if (owner := self.owner(target)) and owner != path}

    def injected(self, path: str) -> bool:
        """Whether pnpm copies, not links, a workspace package that this one needs."""
        folders = (path, *self.closure(path))
        importers = self.lockfile.importers
        return any(
            target in self.packages
            for f in folders
            for target in importers.get(f, Importer()).injected
        )

    def install_files(self, extra: Iterable[str] = ()) -> tuple[str, ...]:
        """Patterns of the files, besides manifests, that an install reads."""
        programs = (file for package in self.packages.values() for file in package.programs)
        existing = (file for file in programs if file in self.files)
        # Older lockfiles name the patches; newer ones leave that to the settings.
        settings = f"{self.texts.get('pnpm-workspace.yaml', '')} {self.root.data.get('pnpm', '')}"
        patches = _PATCH.findall(settings)
        return _unique((*INSTALL_FILES, *self.lockfile.files, *patches, *existing, *extra))

    def source_noise(self, path: str) -> tuple[str, ...]:
        """Patterns to leave out of a package's sources, relative to its folder."""
        return _unique((*BUILD_NOISE, *NOISE, *self.nested(path)))

    def nested(self, path: str) -> tuple[str, ...]:
        """Other packages below a package's own folder, relative to it, such as an app at the root."""
        others = (
            posixpath.relpath(other, path)
            for other in self.packages
            if other not in (path, ".") and (path == "." or other.startswith(f"{path}/"))
        )
        return tuple(sorted(others))

    def root_files(self, extra: Iterable[str] = ()) -> tuple[str, ...]:
        """Patterns of the files outside the packages that a build may read."""
        loose = (
            file
            for file in sorted(self.files)
            if posixpath.basename(file).startswith("tsconfig")
            and "/" in file
            and not self.owner(file)
        )
        return _unique((*ROOT_FILES, *loose, *self._called_files(), *extra))

    def _called_files(self) -> list[str]:
        """Folders outside the packages whose files a script names: `node ../../tools/build.js`."""
        found: set[str] = set()
        for path, package in self.packages.items():
            for name in _OUTSIDE.findall(" ".join(package.scripts.values())):
                target = join(path, name)
                if "/" in target and not target.startswith("../") and not self.owner(target):
                    found.add(f"{posixpath.dirname(target)}/**")
        return sorted(found)

    def owner(self, file: str) -> str | None:
        """The folder of the package (not the root) that a file belongs to."""
        owners = [p for p in self.packages if p != "." and file.startswith(f"{p}/")]
        return max(owners, key=len, default=None)

    def below(self, path: str) -> tuple[str, ...]:
        """The listed files of one package, relative to its folder, less nested packages'."""
        mine = (f for f in self.files if (self.owner(f) or ".") == path)
        return tuple(sorted(f if path == "." else f.removeprefix(f"{path}/") for f in mine))

    def text(self, path: str, name: str) -> str | None:
        """The contents of one file of a package, if the survey read it."""
        return self.texts.get(join(path, name))


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))

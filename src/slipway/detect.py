"""From a workspace and what slipway.toml says to a project with nothing left open."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from . import deployable, prisma
from .config import NAME, AppConfig, Config, Kind, StepsConfig
from .configfile import nearest
from .errors import ConfigError
from .manifest import Package, join, node_arguments
from .prisma import PrismaProject
from .project import App, Finding, Migrator, Project, output_of
from .ranges import node_major, pnpm_version
from .workspace import Monorepo

DEFAULT_NODE = 22
# pnpm 9 and 10 both write lockfile 9; pnpm 8 writes 6.
PNPM_OF_LOCKFILE = {6: "8", 9: "10"}
HEALTH: Mapping[Kind, str] = {"next": "/", "nest": "/health", "node": "/health"}
PORTS: Mapping[Kind, int] = {"next": 3000, "nest": 3001, "node": 3001}
# Kind, the usual name of its one image, and the dependency that tells it.
_DETECTED: tuple[tuple[Kind, str, str], ...] = (
    ("next", "frontend", "next"),
    ("nest", "api", "@nestjs/core"),
)
_START_SCRIPTS = ("start:prod", "start:production", "start")
_STAGE = re.compile(r"^[ \t]*FROM[ \t].*[ \t]AS[ \t]+(\S+)", re.MULTILINE | re.IGNORECASE)
_MIGRATOR = "migrator"
_ORDER = {"name": 0, "node": 1, "pnpm": 2, "migrator": 4}


def project(repo: Monorepo, config: Config) -> Project:
    """Fill what the config leaves open from the repo.

    Args:
        repo: The surveyed workspace.
        config: What slipway.toml says; empty if there is none.

    Returns:
        The project, with what was detected and from what.

    Raises:
        ConfigError: Something needed could not be told; every such problem at once.
    """
    made, problems = attempt(repo, config)
    if problems:
        raise ConfigError("the repo", problems)
    return made


def attempt(repo: Monorepo, config: Config) -> tuple[Project, tuple[str, ...]]:
    """The project as far as it can be told, and what could not be told.

    Args:
        repo: The surveyed workspace.
        config: What slipway.toml says; empty if there is none.
    """
    detector = _Detector(repo, config)
    return detector.project(), tuple(detector.problems)


@dataclass
class _Detector:
    """Collects what is found and what is missing on the way."""

    repo: Monorepo
    config: Config
    findings: list[Finding] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def project(self) -> Project:
        packages = sorted(self.repo.packages)
        schemas = {path: found for path in packages if (found := prisma.find(self.repo, path))}
        apps = self._apps()
        name = self._name()
        self.problems += self._undeployable(name, apps)
        return Project(
            name=name,
            image=(image := self._image(apps)),
            build_image=self.config.node.build_image or image,
            pnpm=self._pnpm(),
            apps=apps,
            migrator=self._migrator(apps, schemas),
            prisma=schemas,
            environments=self.config.environments,
            install_include=self.config.install.include,
            verify=self.config.verify,
            steps=self._steps(apps),
            registry=self.config.registry,
            repositories=self._repositories(),
            sbom=self.config.sbom,
            database=self.config.database,
            findings=tuple(sorted(self.findings, key=lambda found: _ORDER.get(found.what, 3))),
        )

    def _undeployable(self, name: str, apps: tuple[App, ...]) -> list[str]:
        """Names that no server takes, where there is a server: told before anything is built."""
        servers = [key for key, value in self.config.environments.items() if value.server]
        found = [deployable.problems(name, key, [app.name for app in apps]) for key in servers]
        return list(dict.fromkeys(problem for problems in found for problem in problems))

    def _steps(self, apps: tuple[App, ...]) -> dict[str, StepsConfig]:
        """Which scripts check a package, by folder, as far as slipway.toml says."""
        shared = {path: package.verify for path, package in self.config.packages.items()}
        named = {
            app.path: self.config.apps[app.name].verify
            for app in apps
            if app.name in self.config.apps
        }
        return {**shared, **named}

    def _repositories(self) -> dict[str, str]:
        """Where images are pushed, by name, where slipway.toml says so."""
        named = {_MIGRATOR: self.config.migrator.repository}
        named |= {name: app.repository for name, app in self.config.apps.items()}
        return {name: repository for name, repository in named.items() if repository}

    def _found(self, what: str, value: str, reason: str) -> str:
        self.findings.append(Finding(what, value, reason))
        return value

    def _name(self) -> str:
        if self.config.name:
            return self.config.name
        if self.repo.root.data.get("name") and (name := slug(self.repo.root.name)):
            return self._found("name", name, "package.json")
        return self._found("name", "app", "package.json names none")

    def _image(self, apps: tuple[App, ...]) -> str:
        node = self.config.node
        return node.image or f"node:{node.version or self._node(apps)}-bookworm-slim"

    def _node(self, apps: tuple[App, ...]) -> str:
        for where, text in self._node_hints(apps):
            if (major := node_major(text)) is not None:
                return self._found("node", str(major), f'{where} "{text}"')
            self.problems.append(
                f'{where}: "{text}" — expected a range of Node versions; or set [node] version'
            )
        return self._found("node", str(DEFAULT_NODE), "nothing names a version")

    def _node_hints(self, apps: tuple[App, ...]) -> list[tuple[str, str]]:
        packages = self.repo.packages
        named = [self.repo.root, *(packages[app.path] for app in apps if app.path in packages)]
        hints = [(_place(p, "engines.node"), text) for p in named if (text := p.engine("node"))]
        for name in (".nvmrc", ".node-version"):
            text = self.repo.texts.get(name, "").strip()
            # Names such as lts/jod or node move, and tell no version.
            if re.match(r"v?\d", text):
                hints.append((name, text))
        return hints

    def _pnpm(self) -> str:
        if self.config.node.pnpm:
            return self.config.node.pnpm
        named = self.repo.root.data.get("packageManager")
        if isinstance(named, str) and named:
            tool, _, version = named.partition("@")
            if tool != "pnpm":
                self.problems.append(
                    f'package.json packageManager: "{named}" — expected pnpm@<version>'
                )
            return self._found("pnpm", version.partition("+")[0] or "10", "packageManager")
        text, lock = self.repo.root.engine("pnpm") or "", self.repo.lockfile.version
        asked = pnpm_version(text)
        # A range such as ">=8" may begin before the lockfile's format did.
        if asked and ("." in asked or int(asked) >= lock):
            return self._found("pnpm", asked, f'engines.pnpm "{text}"')
        return self._found("pnpm", PNPM_OF_LOCKFILE.get(lock, "10"), f"lockfileVersion {lock}")

    def _apps(self) -> tuple[App, ...]:
        if _MIGRATOR in self.config.apps:
            self.problems.append("apps.migrator: the migrator's image has this name already")
        if self.config.apps:
            return tuple(self._app(name, app) for name, app in sorted(self.config.apps.items()))
        kinds = {path: kind_of(self.repo, path) for path in sorted(self.repo.packages)}
        found: dict[str, App] = {}
        for kind, usual, marker in _DETECTED:
            paths = [path for path in kinds if kinds[path] == kind]
            for path in paths:
                name = usual if len(paths) == 1 else slug(path) or usual
                # Two folders may have one name: then the whole path tells them apart.
                name = slug(path.replace("/", "-")) if name in (*found, _MIGRATOR) else name
                found[name] = self._app(name, AppConfig(path=path))
                unused = "; its Dockerfile is not used" if self._has_dockerfile(path) else ""
                self._found(name, path, f"depends on {marker}{unused}")
        if not found:
            self.problems.append(
                "no app found: no workspace package depends on next or @nestjs/core (packages: "
                f"{', '.join(kinds) or 'none'}); name yours in slipway.toml as [apps.<name>] path"
            )
        return tuple(found.values())

    def _has_dockerfile(self, path: str) -> bool:
        return "Dockerfile" in self.repo.below(path)

    def _app(self, name: str, config: AppConfig) -> App:
        path = posixpath.normpath(config.path or config.context)
        package = self.repo.packages.get(path)
        kind = config.kind or (kind_of(self.repo, path) if package else None) or "node"
        program: tuple[str, ...] = (config.entry,) if config.entry else ()
        if package and kind != "next" and not config.dockerfile and not program:
            program = self._program(name, package, kind)
        self._check_target(name, config)
        return App(
            name=name,
            path=path,
            kind=kind,
            port=config.port or PORTS[kind],
            program=program,
            include=config.include,
            build_args=config.build_args,
            dockerfile=config.dockerfile,
            context=config.context,
            target=config.target,
            health=config.health or HEALTH[kind],
            any_answer=config.health is None,
            drain=config.drain,
            start=config.start,
        )

    def _check_target(self, name: str, config: AppConfig) -> None:
        """Tell of a stage that the app's Dockerfile has not, while nothing is built yet."""
        file = join(config.context, config.dockerfile or "")
        if not config.target or config.target.isdigit() or file not in self.repo.texts:
            return
        stages = {stage.lower() for stage in _STAGE.findall(self.repo.texts[file])}
        if config.target.lower() not in stages:
            self.problems.append(
                f'apps.{name}.target: "{config.target}" — no such stage in {file}'
                f"{nearest(config.target, stages)}"
            )

    def _program(self, name: str, package: Package, kind: Kind) -> tuple[str, ...]:
        scripts = (package.scripts.get(script, "") for script in _START_SCRIPTS)
        started = [found for script in scripts if (found := node_arguments(script))]
        if kind == "nest":
            # Some start scripts run in a folder that an image's own build lays out.
            compiled = (found for found in started if output_of(found))
            return next(compiled, (nest_program(self.repo.text(package.path, "nest-cli.json")),))
        if started:
            return started[0]
        self.problems.append(
            f"{_place(package, 'scripts')}: neither start:prod nor start runs node on a file; "
            f'set [apps.{name}] entry, such as "dist/main.js"'
        )
        return ()

    def _migrator(
        self, apps: tuple[App, ...], schemas: Mapping[str, PrismaProject]
    ) -> Migrator | None:
        config = self.config.migrator
        if not config.enabled:
            return None
        if config.path and config.path not in schemas:
            self.problems.append(f'migrator.path: "{config.path}" — no Prisma schema there')
            return None
        near = [config.path] if config.path else self._nearest(apps, schemas)
        if len(near) > 1:
            self.problems.append(
                f"Prisma schemas in {' and '.join(near)}: name the one to migrate as "
                "[migrator] path in slipway.toml"
            )
        if len(near) != 1:
            return None
        found = schemas[near[0]]
        self._found("migrator", found.path, f"Prisma's {found.schema}")
        return Migrator(found, config.packages, config.include, config.timeout)

    def _nearest(self, apps: tuple[App, ...], schemas: Mapping[str, PrismaProject]) -> list[str]:
        """The schemas that services use; else that any app uses; else those of no app at all."""
        for group in ([app for app in apps if app.kind != "next"], apps):
            paths = [app.path for app in group if app.path in self.repo.packages]
            used = {p for path in paths for p in (path, *self.repo.closure(path))}
            if near := [path for path in schemas if path in used]:
                return near
        return [path for path in schemas if kind_of(self.repo, path) is None]


def nest_program(config: str | None) -> str:
    """What `nest start` starts: nest-cli.json's entryFile (it may hold comments) in dist."""
    found = re.search(r'"entryFile"\s*:\s*"([^"]+)"', config or "")
    return f"dist/{found[1] if found else 'main'}"


def kind_of(repo: Monorepo, path: str) -> Kind | None:
    """What kind of app a package is; None for a library that only names a framework.

    Args:
        repo: The workspace.
        path: The package's folder.
    """
    package = repo.packages[path]
    scripts = " ".join(package.scripts.values())
    files = repo.below(path)
    configured = any(file.startswith("next.config.") for file in files)
    if "next" in package.everything and ("next build" in scripts or configured):
        return "next"
    started = any(words in scripts for words in ("nest start", "nest build", "node dist"))
    if "@nestjs/core" in package.dependencies and (started or "nest-cli.json" in files):
        return "nest"
    return None


def slug(text: str) -> str:
    """A package's name or folder as an image name: `@acme/web_app` → `web_app`."""
    plain = re.sub(r"[^a-z0-9._-]+", "-", text.lower().rpartition("/")[2]).strip("._-")
    return plain if re.fullmatch(NAME, plain) else re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _place(package: Package, key: str) -> str:
    """Where a value stands, for messages: `apps/api/package.json engines.node`."""
    return f"{join(package.path, 'package.json')} {key}"

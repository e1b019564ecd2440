"""Which steps `verify` runs, told from the packages and slipway.toml."""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from . import build, prisma, testrunner
from .config import StepsConfig
from .configfile import nearest
from .errors import ConfigError
from .manifest import Package, join
from .prisma import PrismaProject
from .project import App, Project
from .testrunner import CHECKS
from .workspace import Monorepo

Step = Literal["lint", "types", "unit", "e2e"]
# In the order of the table. Of each step's scripts, the first that the package has.
SCRIPTS: Mapping[Step, tuple[str, ...]] = {
    "lint": ("lint",),
    "types": ("typecheck", "type-check", "check-types", "types", "tsc"),
    "unit": ("test:unit", "test"),
    "e2e": ("test:e2e", "e2e"),
}
CHECK = f"{CHECKS}/check.mjs"
DATABASE_URL = "postgresql://postgres:postgres@postgres:5432/postgres"
_DATABASE = {
    "DATABASE_URL": DATABASE_URL,
    "PGHOST": "postgres",
    "PGPORT": "5432",
    "PGUSER": "postgres",
    "PGPASSWORD": "postgres",
    "PGDATABASE": "postgres",
}
_DRIVERS = {"pg", "postgres", "pg-promise", "slonik", "@mikro-orm/postgresql"}
# From 15.5 on Next writes its types without a build. Before, only the file that imports need.
_NEXT_TYPES = (
    'if node -e \'const [a, b] = require("next/package.json").version.split(".");'
    " process.exit(a > 15 || (a == 15 && b >= 5) ? 0 : 1)'; then pnpm exec next typegen;"
    " elif [ ! -f next-env.d.ts ]; then"
    ' printf \'/// <reference types="next" />\\n/// <reference types="next/image-types/global" />\\n\''
    " > next-env.d.ts; fi"
)


@dataclass(frozen=True)
class Check:
    """One step of one package.

    Attributes:
        app: The app's name, or the shared package's.
        path: The package's folder.
        step: What it is.
        line: The shell line that runs in the package's folder.
        variables: Environment variables for it.
        database: Whether it wants Postgres.
        limit: Seconds until it is stopped.
    """

    app: str
    path: str
    step: Step
    line: str
    variables: Mapping[str, str] = field(default_factory=dict)
    database: bool = False
    limit: int = 900

    @property
    def name(self) -> str:
        """Such as `api: lint`."""
        return f"{self.app}: {self.step}"

    @property
    def command(self) -> list[str]:
        """The arguments of its exec."""
        options = {
            "folder": build.folder(self.path),
            "line": self.line,
            "limit": self.limit,
            # A linter that mends what it finds succeeds: what it changed is what it found.
            "guard": self.step == "lint",
        }
        return [CHECK, self.name, json.dumps(options)]


def verified(project: Project, repo: Monorepo) -> Project:
    """A project whose apps are all checked in the workspace, those with their own Dockerfile too."""
    apps = (
        replace(app, dockerfile=None)
        for app in project.apps
        # "." is then the Dockerfile's context, not the app's own folder.
        if app.path in repo.packages and not (app.dockerfile and app.path == ".")
    )
    return replace(project, apps=tuple(apps))


def plan(project: Project, repo: Monorepo, apps: Iterable[App]) -> tuple[Check, ...]:
    """The steps of some apps and of the shared packages that they use.

    Args:
        project: The project.
        repo: The workspace.
        apps: The apps.

    Returns:
        The steps: shared packages first, each package once.

    Raises:
        ConfigError: slipway.toml names a script that is not there.
    """
    chosen = {app.path: app for app in reversed(list(apps))}
    shared = {path for app in chosen for path in repo.closure(app)} - chosen.keys()
    planner = _Planner(project, repo)
    checks = [c for path in sorted(shared) for c in planner.package(path)]
    checks += [c for app in reversed(chosen.values()) for c in planner.app(app)]
    if planner.problems:
        raise ConfigError("slipway.toml", planner.problems)
    return tuple(checks)


@dataclass
class _Planner:
    project: Project
    repo: Monorepo
    problems: list[str] = field(default_factory=list)

    def package(self, path: str) -> Iterator[Check]:
        """The steps of a shared package."""
        key = f'packages."{path}".verify'
        yield from self._checks(key, self.repo.packages[path].name, path, ("lint", "types", "unit"))

    def app(self, app: App) -> Iterator[Check]:
        """The steps of an app; browsers' e2e tests want more than a database."""
        yield from self._checks(
            f"apps.{app.name}.verify",
            app.name,
            app.path,
            ("lint", "types", "unit"),
            next_types=app.kind == "next",
        )
        steps = self.project.steps.get(app.path, StepsConfig())
        if app.kind != "next" or steps.e2e:
            yield from self._checks(f"apps.{app.name}.verify", app.name, app.path, ("e2e",))

    def _checks(
        self, key: str, name: str, path: str, wanted: tuple[Step, ...], *, next_types: bool = False
    ) -> Iterator[Check]:
        package, steps = self.repo.packages[path], self.project.steps.get(path, StepsConfig())
        for step in wanted:
            line = self._line(key, package, step, getattr(steps, step), next_types=next_types)
            if not line:
                continue
            check = Check(
                name, path, step, line, steps.variables, limit=self.project.verify.timeout
            )
            yield self._with_database(check) if step == "e2e" else check

    def _line(
        self, key: str, package: Package, step: Step, named: str | bool | None, *, next_types: bool
    ) -> str | None:
        if named is False:
            return None
        script = named if isinstance(named, str) else script_of(package, step)
        if script is None:
            return self._types(package, next_types=next_types) if step == "types" else None
        if script not in package.scripts:
            where = join(package.path, "package.json")
            hint = nearest(script, package.scripts)
            self.problems.append(f'{key}.{step}: "{script}" — no such script in {where}{hint}')
            return None
        tests = testrunner.arguments(package, script) if step in ("unit", "e2e") else ""
        return f"{self._placeholders(package, script)}pnpm run {shlex.quote(script)}{tests}"

    def _types(self, package: Package, *, next_types: bool) -> str | None:
        """The type check of a package without a script for it."""
        has_typescript = "typescript" in {**self.repo.root.everything, **package.everything}
        if not has_typescript or "tsconfig.json" not in self.repo.below(package.path):
            return None
        return f"{f'{_NEXT_TYPES} && ' if next_types else ''}pnpm exec tsc --noEmit"

    def _placeholders(self, package: Package, script: str) -> str:
        found = self.project.prisma.get(package.path)
        if not found or script.endswith("e2e") or not package.runs(script, "prisma generate"):
            return ""
        return build.assignments(prisma.placeholder_environment(found))

    def _with_database(self, check: Check) -> Check:
        folders = (check.path, *self.repo.closure(check.path))
        found = [
            p for f in folders if (p := self.project.prisma.get(f)) and "postgresql" in p.providers
        ]
        drivers = {name for f in folders for name in self.repo.packages[f].everything} & _DRIVERS
        if not found and not drivers:
            return check
        names = {name for project in found for name in project.addresses}
        variables = {**_DATABASE, **dict.fromkeys(names, DATABASE_URL), **check.variables}
        line = " && ".join([*(migrate(project) for project in found), check.line])
        return replace(check, line=line, variables=variables, database=True)


def script_of(package: Package, step: Step) -> str | None:
    """The package's script for a step, if it has one."""
    found = next((name for name in SCRIPTS[step] if name in package.scripts), None)
    return None if found and testrunner.names_no_tests(package.scripts[found]) else found


def migrate(project: PrismaProject) -> str:
    """The shell line that brings an empty database to the schema.

    Without migrations Prisma pushes the schema itself. Which of the two is told when it runs.
    """
    schema = f" --schema {shlex.quote(project.schema)}" if not project.found_by_prisma else ""
    return (
        f"(cd {shlex.quote(build.folder(project.path))}"
        f" && if ls {shlex.quote(project.migrations)}/*/migration.sql >/dev/null 2>&1;"
        f" then pnpm exec prisma migrate deploy{schema}; else pnpm exec prisma db push{schema}; fi)"
    )


def without_scripts(
    checks: Iterable[Check], project: Project, repo: Monorepo, apps: Iterable[App]
) -> list[str]:
    """What is not checked for want of a script: `frontend has no lint (script lint)`.

    Args:
        checks: The steps that are run.
        project: The project; what slipway.toml switches off is not wanting.
        repo: The workspace; types are wanting where there is TypeScript.
        apps: The apps.
    """
    have = {(check.path, check.step) for check in checks}
    notes = []
    for app in apps:
        named = project.steps.get(app.path, StepsConfig())
        typed = "typescript" in repo.packages[app.path].everything
        wanted: tuple[Step, ...] = ("lint", "types", "unit") if typed else ("lint", "unit")
        missing = [
            s for s in wanted if (app.path, s) not in have and getattr(named, s) is not False
        ]
        if missing:
            told = ", ".join(f"{step} (script {' or '.join(SCRIPTS[step])})" for step in missing)
            notes.append(f"{app.name} has no {told}")
    return notes

"""Which steps `verify` runs, from packages as people write them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from slipway import checks, configfile, detect
from slipway.checks import Check
from slipway.errors import ConfigError
from slipway.project import Project
from slipway.workspace import Monorepo
from tests.slipway.monorepos import NEST, NEXT, PRISMA, ROOT, SCHEMA, Manifest, workspace

# As `nest new` and `create-next-app` write them.
NEST_SCRIPTS = {
    "build": "nest build",
    "start:prod": "node dist/main",
    "lint": 'eslint "{src,apps,libs,test}/**/*.ts" --fix',
    "test": "jest",
    "test:watch": "jest --watch",
    "test:e2e": "jest --config ./test/jest-e2e.json",
}
NEXT_SCRIPTS = {"dev": "next dev", "build": "next build", "start": "next start", "lint": "eslint"}
TYPED: Manifest = {"devDependencies": {"typescript": "5.9.3"}}
JEST = " --watch=false --watchAll=false --json --outputFile=/slipway/verify/tests.json"
VITEST = " --run --reporter=default --reporter=json --outputFile.json=/slipway/verify/tests.json"


def planned(repo: Monorepo, config: str = "") -> tuple[Project, dict[str, Check]]:
    """The steps of every app, by name."""
    made = configfile.load(config, packages=repo.packages, files=repo.files)
    project = checks.verified(detect.project(repo, made), repo)
    return project, {c.name: c for c in checks.plan(project, repo, project.apps)}


def acme(
    web: dict[str, str] | None = None,
    api: dict[str, str] | None = None,
    ui: dict[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> Monorepo:
    """A front end, an API with Prisma, and a shared package that both use, with the given scripts."""
    return workspace(
        {
            ".": ROOT,
            "apps/web": {**NEXT, **TYPED, "scripts": web or NEXT_SCRIPTS},
            "apps/api": {**PRISMA, "scripts": api or NEST_SCRIPTS},
            "packages/ui": {"name": "@acme/ui", "scripts": ui or {}},
        },
        {
            "apps/web": {"../../packages/ui": "dependencies"},
            "apps/api": {"../../packages/ui": "devDependencies"},
        },
        {
            "apps/web/tsconfig.json": "{}",
            "apps/api/prisma/schema.prisma": SCHEMA,
            "apps/api/prisma.config.ts": "export default { url: process.env.DIRECT_URL ?? '' }",
            **(files or {}),
        },
    )


def test_what_scaffolds_write_is_found() -> None:
    """Tests report each case and never watch; Next's types are written before they are checked."""
    _, found = planned(acme())
    assert found["api: lint"].line == "pnpm run lint"
    assert found["api: unit"].line == f"pnpm run test{JEST}"
    assert found["api: e2e"].line.endswith(f" && pnpm run test:e2e{JEST}")
    assert "pnpm exec next typegen" in found["frontend: types"].line
    assert found["frontend: types"].line.endswith("&& pnpm exec tsc --noEmit")
    assert list(found) == [
        "frontend: lint",
        "frontend: types",
        "api: lint",
        "api: unit",
        "api: e2e",
    ]


@pytest.mark.parametrize("name", ["typecheck", "type-check", "check-types", "types", "tsc"])
def test_a_type_check_has_many_names(name: str) -> None:
    """The package's own script goes before `tsc`."""
    _, found = planned(acme(web={"build": "next build", name: "tsc -p ."}))
    assert found["frontend: types"].line == f"pnpm run {name}"


def test_unit_tests_go_before_all_tests() -> None:
    """`test` may run everything."""
    _, found = planned(acme(ui={"test": "pnpm unit && playwright", "test:unit": "vitest"}))
    assert found["@acme/ui: unit"].line == f"pnpm run test:unit{VITEST}"


def test_e2e_tests_are_for_services() -> None:
    """A front end's want a browser: they are run where slipway.toml names them."""
    repo = acme(web={"build": "next build", "test:e2e": "playwright test"})
    _, found = planned(repo)
    assert "frontend: e2e" not in found
    named = '[apps.frontend]\npath = "apps/web"\nverify = { e2e = "test:e2e" }\n'
    _, found = planned(repo, named)
    assert found["frontend: e2e"].line == "pnpm run test:e2e"


def test_e2e_tests_get_a_migrated_database() -> None:
    """Under the names that Prisma's files read; migrations are deployed, a bare schema is pushed."""
    _, found = planned(acme())
    check = found["api: e2e"]
    assert check.database
    assert check.variables["DATABASE_URL"] == check.variables["DIRECT_URL"] == checks.DATABASE_URL
    migrate, _, _ = check.line.rpartition(" && pnpm run")
    assert "prisma migrate deploy" in migrate
    assert "prisma db push" in migrate
    assert not found["api: unit"].database


def test_a_driver_alone_gets_an_empty_database() -> None:
    """And a service without one gets none."""
    service = {**NEST, "scripts": NEST_SCRIPTS}
    repo = workspace({".": ROOT, "apps/api": service})
    assert planned(repo)[1]["api: e2e"].database
    repo = workspace({".": ROOT, "apps/api": {**service, "dependencies": {"@nestjs/core": "11"}}})
    assert not planned(repo)[1]["api: e2e"].database


def test_scripts_can_be_named_and_switched_off() -> None:
    """Of apps and of shared packages, with variables and a limit of time."""
    config = """
    [verify]
    timeout = 60
    [apps.frontend]
    path = "apps/web"
    verify = { types = false }
    [apps.api]
    path = "apps/api"
    [apps.api.verify]
    lint = "lint:ci"
    variables = { JWT_KEY = "test" }
    [packages."packages/ui".verify]
    unit = "check"
    """
    repo = acme(api={**NEST_SCRIPTS, "lint:ci": "eslint ."}, ui={"check": "vitest run"})
    project, found = planned(repo, config)
    assert found["api: lint"].line == "pnpm run lint:ci"
    assert found["api: e2e"].variables["JWT_KEY"] == "test"
    assert found["@acme/ui: unit"].line == f"pnpm run check{VITEST}"
    assert found["@acme/ui: unit"].limit == 60
    assert "frontend: types" not in found
    notes = checks.without_scripts(found.values(), project, repo, project.apps)
    assert notes == [
        "frontend has no unit (script test:unit or test)",
    ]


def test_what_slipway_toml_gets_wrong_is_told_at_once() -> None:
    """A script that is not there, with a suggestion, wherever it is named."""
    config = """
    [apps.api]
    path = "apps/api"
    verify = { lint = "lnt" }
    [apps.web]
    path = "apps/web"
    [packages."packages/ui".verify]
    unit = "test"
    """
    with pytest.raises(ConfigError) as raised:
        planned(acme(), config)
    assert raised.value.problems == (
        'packages."packages/ui".verify.unit: "test" — no such script in packages/ui/package.json',
        'apps.api.verify.lint: "lnt" — no such script in apps/api/package.json; did you mean "lint"?',
    )


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (
            '[apps.api]\npath = "apps/api"\nverify = { lint = true }\n',
            'apps.api.verify.lint: True — expected the name of a script, such as "lint:ci", or false',
        ),
        (
            '[packages."packages/iu".verify]\nlint = false\n',
            'packages."packages/iu": "packages/iu" — no workspace package there; did you mean "packages/ui"?',
        ),
        ("[verify]\ntimeout = 0\n", "verify.timeout: 0 — expected a number above 0"),
    ],
)
def test_a_wrong_value_is_told(config: str, problem: str) -> None:
    """With its place and what was expected."""
    with pytest.raises(ConfigError) as raised:
        planned(acme(), config)
    assert raised.value.problems == (problem,)


def test_the_script_of_npm_init_is_no_test() -> None:
    """`echo "Error: no test specified" && exit 1`."""
    repo = acme(ui={"test": 'echo "Error: no test specified" && exit 1'})
    assert not [name for name in planned(repo)[1] if name.startswith("@acme/ui")]


def test_a_script_that_generates_gets_an_address() -> None:
    """Prisma insists on one, and opens no database."""
    repo = acme(
        api={**NEST_SCRIPTS, "pretest": "prisma generate"},
        files={"apps/api/prisma.config.ts": "env('DATABASE_URL')"},
    )
    line = planned(repo)[1]["api: unit"].line
    assert line.startswith("DATABASE_URL=postgresql://nobody@127.0.0.1:1/none pnpm run test")


def test_apps_with_a_dockerfile_are_verified_too() -> None:
    """In the workspace; but a Dockerfile in the root stands for no package."""
    repo = acme(files={"apps/web/Dockerfile": "FROM scratch", "Dockerfile": "FROM scratch"})
    config = """
    [apps.web]
    path = "apps/web"
    dockerfile = "apps/web/Dockerfile"
    [apps.all]
    dockerfile = "Dockerfile"
    """
    project, found = planned(repo, config)
    assert {check.app for check in found.values()} == {"web"}
    assert project.paths[:1] == ("apps/web",)


def test_a_step_tells_its_script_everything() -> None:
    """As one argument; only lint is watched for changes of files."""
    _, found = planned(acme())
    options: dict[str, Any] = json.loads(found["api: lint"].command[2])
    assert options == {
        "folder": "/app/apps/api",
        "line": "pnpm run lint",
        "limit": 900,
        "guard": True,
    }
    assert not json.loads(found["api: unit"].command[2])["guard"]

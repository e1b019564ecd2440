"""The shell lines of build steps, put together from manifests."""

import json
from dataclasses import replace

import pytest

from slipway import build, collection
from slipway.manifest import Package
from slipway.prisma import PrismaProject
from slipway.project import App
from tests.slipway.monorepos import NEST, NEXT, PRISMA, Manifest

WEB = App("frontend", "apps/web", "next", 3000)
API = App("api", "apps/api", "nest", 3001, ("dist/main",))
DATABASE = PrismaProject("apps/api", "prisma/schema.prisma", variables=("DATABASE_URL",))
PLACEHOLDER = "DATABASE_URL=postgresql://nobody@127.0.0.1:1/none "
NO_HOOKS = "pnpm --config.enable-pre-post-scripts=false"
COMPILE = "/slipway/compile.sh dist /slipway-cache "


def api_lines(scripts: dict[str, str], project: PrismaProject | None = DATABASE) -> list[str]:
    """The lines of an API with the given scripts."""
    return build.app_lines(API, Package("apps/api", {**PRISMA, "scripts": scripts}), project)


def test_a_front_end_is_built_and_laid_out() -> None:
    """Its own script, then the standalone server's layout; the build's id is made of what goes in."""
    assert build.app_lines(WEB, Package("apps/web", NEXT), None, variables={"B": "", "A": ""}) == [
        "SLIPWAY_BUILD_ID=$(node /slipway/buildid.mjs /app A B)",
        "export SLIPWAY_BUILD_ID",
        "cd /app/apps/web",
        "pnpm run build",
        "/slipway/standalone.sh apps/web",
    ]


def test_a_given_key_is_looked_at_before_anything_is_built() -> None:
    """A build of minutes would end with Next's own words, which say nothing of the key."""
    (first, *_rest) = build.app_lines(WEB, Package("apps/web", NEXT), None, key=True)
    assert first == "node /slipway/keys.mjs"


def test_an_api_generates_compiles_and_is_checked() -> None:
    """The placeholder of the database's address is set for `prisma generate` alone."""
    (*lines, laid_out) = api_lines({"build": "nest build"})
    assert lines == [
        "cd /app/apps/api",
        f"{PLACEHOLDER}pnpm exec prisma generate",
        f"{COMPILE}pnpm run build",
        "/slipway/present.sh dist/main api",
    ]
    assert "/slipway/out/app" in laid_out


def test_a_build_that_generates_itself_does_so_once() -> None:
    """Through a prebuild and another script too."""
    scripts = {"build": "nest build", "prebuild": "pnpm gen", "gen": "prisma generate"}
    assert api_lines(scripts)[1:2] == [f"{PLACEHOLDER}{COMPILE}pnpm run build"]


def test_an_install_hook_runs_when_the_sources_are_there() -> None:
    """It was left out of the install layer, which has no schema."""
    scripts = {"postinstall": "prisma generate", "build": "nest build"}
    assert api_lines(scripts)[1:3] == [
        f"{PLACEHOLDER}pnpm run postinstall",
        f"{COMPILE}pnpm run build",
    ]


@pytest.mark.parametrize(
    ("scripts", "build_line"),
    [
        ({"build": "nest build"}, "pnpm run build"),
        ({"build": "nest build", "postinstall": "prisma generate"}, "pnpm run build"),
        ({"build": "nest build", "prebuild": "npx prisma generate"}, f"{NO_HOOKS} run build"),
        (
            {"build": "nest build", "prebuild": "pnpm run gen", "gen": "prisma generate"},
            f"{NO_HOOKS} run build",
        ),
    ],
)
def test_an_api_is_built_on_a_client_that_was_generated_apart(
    scripts: dict[str, str], build_line: str
) -> None:
    """Hooks that only generate are left out: an edit of the API generates nothing."""
    package = Package("apps/api", {**PRISMA, "scripts": scripts})
    alone = replace(DATABASE, client_alone=True)
    assert build.generates_apart(package, alone)
    lines = build.app_lines(API, package, alone, generated=True)
    assert lines[1] == f"{COMPILE}{build_line}"
    assert not any("generate" in line for line in lines)


@pytest.mark.parametrize(
    "scripts",
    [
        {"build": "prisma generate && nest build"},
        {"build": "nest build", "prebuild": "prisma generate --sql"},
        {"build": "nest build", "prebuild": "prisma generate && node tools/version.js"},
        {"build": "nest build", "prebuild": "prisma generate", "postbuild": "node copy.js"},
        {"build": "nest build", "postinstall": "node tools.js && prisma generate"},
        {"build": "nest build", "prebuild": "pnpm gen", "gen": "prisma generate", "pregen": "x"},
    ],
)
def test_scripts_that_do_more_than_generate_are_run_as_they_are(scripts: dict[str, str]) -> None:
    """What else they do may be needed."""
    package = Package("apps/api", {**PRISMA, "scripts": scripts})
    assert not build.generates_apart(package, replace(DATABASE, client_alone=True))


def test_generators_that_write_elsewhere_run_with_the_build() -> None:
    """Nobody knows what to take of theirs."""
    package = Package("apps/api", {**PRISMA, "scripts": {"build": "nest build"}})
    assert not build.generates_apart(package, replace(DATABASE, client_alone=False))


def test_apps_without_a_build_script() -> None:
    """Next and Nest have commands of their own; a plain service needs none."""
    web: Manifest = {**NEXT, "scripts": {}}
    assert "pnpm exec next build" in build.app_lines(WEB, Package("apps/web", web), None)
    assert f"{COMPILE}pnpm exec nest build" in api_lines({}, None)
    worker = App("worker", "worker", "node", 3001, ("src/main.js",))
    assert build.app_lines(worker, Package("worker", {}), None)[:-1] == [
        "cd /app/worker",
        "/slipway/present.sh src/main.js worker",
    ]


def test_a_shared_package_without_a_build_runs_nothing() -> None:
    """An eslint config or a package of plain JavaScript is only copied."""
    assert build.package_lines(Package("packages/config", {"name": "config"}), None) == []


def test_a_shared_package_is_compiled_into_the_folder_it_names() -> None:
    """Its entry points tell where."""
    data = {"scripts": {"build": "tsc"}, "exports": {".": {"import": "./lib/index.js"}}}
    (*lines, laid_out) = build.package_lines(Package("packages/a", data), None)
    assert lines == [
        "cd /app/packages/a",
        "/slipway/compile.sh lib /slipway-cache pnpm run build",
    ]
    assert "/slipway/out/package" in laid_out
    assert "/slipway/out/runtime" in laid_out


def test_a_schema_prisma_does_not_find_is_named() -> None:
    """For generating as for migrating."""
    lost = PrismaProject("packages/db", "src/schema.prisma", found_by_prisma=False)
    assert build.generate(lost) == "pnpm exec prisma generate --schema src/schema.prisma"


def test_odd_names_are_quoted() -> None:
    """A folder with a space stays one word."""
    assert build.enter("apps/my api") == "cd '/app/apps/my api'"


def test_an_image_gets_no_sources_unless_they_are_the_program() -> None:
    """A package whose entry points lie in src keeps it."""
    compiled = Package("packages/a", {"main": "dist/index.js"})
    plain = Package("packages/b", {"exports": "./src/index.js"})
    assert "src" in collection.runtime_noise(compiled)
    assert "src" not in collection.runtime_noise(plain)
    assert "src" in collection.runtime_noise(Package("apps/api", NEST), ("dist/main",))


def test_what_dependencies_are_stripped_of() -> None:
    """Source maps, declarations, and query compilers of databases that no schema names."""
    postgres = PrismaProject("a", "a.prisma", providers=frozenset({"postgresql"}))
    mysql = PrismaProject("b", "b.prisma", providers=frozenset({"mysql"}))
    (*_, one) = collection.dropped_files({"a": postgres}, types=True)
    (*_, two) = collection.dropped_files({"a": postgres, "b": mysql}, types=False)
    assert "mysql" in one
    assert "mysql" not in two
    assert "postgresql" not in one + two
    assert collection.dropped_files({}, types=False) == (r"\.[cm]?[jt]s\.map$", r"\.css\.map$")


def test_the_collection_is_json_for_the_script() -> None:
    """Sorted, so that the same wishes are the same step."""
    plan = json.loads(collection.Collection({"apps/api": ("a",)}, bins="apps/api").json())
    assert plan == {
        "bins": "apps/api",
        "drop": [],
        "roots": {"apps/api": ["a"]},
        "runners": [],
        "scripts": {},
    }

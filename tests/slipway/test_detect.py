"""Detection: what a conventional layout tells, and what it cannot."""

import pytest

from slipway.config import Config
from slipway.configfile import load
from slipway.detect import project, slug
from slipway.errors import ConfigError
from slipway.project import App
from slipway.workspace import Monorepo
from tests.slipway.monorepos import NEST, NEXT, PRISMA, ROOT, SCHEMA, Manifest, workspace

CONVENTIONAL = workspace(
    {".": ROOT, "apps/frontend-next": NEXT, "apps/api-nest": PRISMA},
    files={"apps/api-nest/prisma/schema.prisma": SCHEMA},
)


def detected(manifests: dict[str, Manifest], files: dict[str, str] | None = None) -> list[App]:
    """The apps of a workspace without a config."""
    return list(project(workspace(manifests, files=files), Config()).apps)


def problems(repo: Monorepo, toml: str = "") -> tuple[str, ...]:
    """What detection complains about."""
    with pytest.raises(ConfigError) as caught:
        project(repo, load(toml, packages=repo.packages))
    return caught.value.problems


def test_the_conventional_layout() -> None:
    """Apps, migrator, Node and pnpm are told from the manifests, with the reason of each."""
    found = project(CONVENTIONAL, Config())
    assert [(app.name, app.path, app.kind, app.port) for app in found.apps] == [
        ("frontend", "apps/frontend-next", "next", 3000),
        ("api", "apps/api-nest", "nest", 3001),
    ]
    assert found.image == "node:22-bookworm-slim"
    assert found.pnpm == "10.4.1"
    assert found.migrator is not None
    assert [(finding.what, finding.value, finding.reason) for finding in found.findings] == [
        ("name", "acme", "package.json"),
        ("node", "22", 'package.json engines.node ">=22.12 <23"'),
        ("pnpm", "10.4.1", "packageManager"),
        ("frontend", "apps/frontend-next", "depends on next"),
        ("api", "apps/api-nest", "depends on @nestjs/core"),
        ("migrator", "apps/api-nest", "Prisma's prisma/schema.prisma"),
    ]


def test_several_front_ends_go_by_their_folders() -> None:
    """None of them is the front end; each has an image of its own."""
    apps = detected({".": ROOT, "apps/web": NEXT, "apps/admin_ui": NEXT, "services/api": NEST})
    assert [app.name for app in apps] == ["admin_ui", "web", "api"]


def test_two_folders_of_one_name_are_told_apart() -> None:
    """Each image's name is its own; the migrator's is taken."""
    manifests = {".": ROOT, "shop/web": NEXT, "blog/web": NEXT, "api": NEST, "db/migrator": NEST}
    assert [app.name for app in detected(manifests)] == ["web", "shop-web", "api", "db-migrator"]


def test_no_app_may_take_the_migrators_name() -> None:
    """Both images would be pushed to one place."""
    toml = '[apps.migrator]\npath = "apps/api-nest"'
    assert problems(CONVENTIONAL, toml) == (
        "apps.migrator: the migrator's image has this name already",
    )


def test_libraries_are_no_apps() -> None:
    """A UI kit names next, a Nest library names @nestjs/core; neither is started."""
    ui = {"name": "@acme/ui", "devDependencies": {"next": "16.0.0"}, "scripts": {"build": "tsc"}}
    library = {"name": "@acme/auth", "dependencies": {"@nestjs/core": "11.0.0"}}
    apps = detected({".": ROOT, "apps/web": NEXT, "packages/ui": ui, "packages/auth": library})
    assert [app.path for app in apps] == ["apps/web"]


def test_one_package_alone() -> None:
    """A repo may be one app, without a workspace."""
    (app,) = detected({".": {**NEXT, "name": "@acme/shop"}})
    assert (app.name, app.path) == ("frontend", ".")


def test_no_api_and_no_prisma() -> None:
    """A front end alone has no migrator."""
    assert project(workspace({".": ROOT, "apps/web": NEXT}), Config()).migrator is None


def test_nothing_to_build_is_an_error_that_names_the_packages() -> None:
    """The user sees what was looked at, and what to write."""
    (problem,) = problems(workspace({".": ROOT, "packages/a": {"name": "a"}}))
    assert "no app found" in problem
    assert "packages: ., packages/a" in problem
    assert "[apps.<name>] path" in problem


def test_another_package_manager_is_an_error() -> None:
    """A yarn repo is told so."""
    root = {**ROOT, "packageManager": "yarn@4.0.0"}
    repo = workspace({".": root, "apps/web": NEXT})
    assert problems(repo) == (
        'package.json packageManager: "yarn@4.0.0" — expected pnpm@<version>',
    )


def test_every_problem_at_once() -> None:
    """Node, pnpm and apps that cannot be told come together."""
    root = {"packageManager": "npm@10", "engines": {"node": "the newest"}}
    assert len(problems(workspace({".": root}))) == 3


@pytest.mark.parametrize(
    ("root", "files", "image"),
    [
        ({"engines": {"node": "^24"}}, {".nvmrc": "20"}, "node:24-bookworm-slim"),
        ({}, {".nvmrc": "v20.11.1\n"}, "node:20-bookworm-slim"),
        ({}, {".node-version": "24.1.0"}, "node:24-bookworm-slim"),
        ({}, {".nvmrc": "lts/*"}, "node:22-bookworm-slim"),
        ({}, {}, "node:22-bookworm-slim"),
    ],
)
def test_where_the_node_version_comes_from(
    root: Manifest, files: dict[str, str], image: str
) -> None:
    """`engines` first, then the version managers' files, then the default."""
    repo = workspace({".": root, "apps/web": NEXT}, files=files)
    assert project(repo, Config()).image == image


def test_builds_may_run_in_another_image_than_the_apps() -> None:
    """One with compilers, for native packages; runtime images stay on the slim one."""
    repo = workspace({".": ROOT, "apps/web": NEXT})
    found = project(repo, load('[node]\nbuild_image = "node:22-bookworm"'))
    assert (found.image, found.build_image) == ("node:22-bookworm-slim", "node:22-bookworm")
    assert project(repo, Config()).build_image == "node:22-bookworm-slim"


def test_an_app_may_name_the_node_version_for_all() -> None:
    """Where the root has no `engines`, the apps' count."""
    web = {**NEXT, "engines": {"node": ">=24"}}
    assert project(workspace({".": {}, "apps/web": web}), Config()).image.startswith("node:24-")


@pytest.mark.parametrize(
    ("root", "version"),
    [
        ({"packageManager": "pnpm@9.15.0"}, "9.15.0"),
        ({"engines": {"pnpm": ">=9"}}, "9"),
        ({"engines": {"pnpm": ">=8"}}, "10"),
        ({}, "10"),
    ],
)
def test_where_the_pnpm_version_comes_from(root: Manifest, version: str) -> None:
    """`packageManager`, then `engines`, then what writes such a lockfile."""
    assert project(workspace({".": root, "apps/web": NEXT}), Config()).pnpm == version


def test_the_config_overrides_what_would_be_detected() -> None:
    """Only the apps it names are built, and what it says is not reported as detected."""
    toml = """
    name = "shop"
    [node]
    image = "registry.example/node:22"
    pnpm = "10.1.0"
    [apps.site]
    path = "apps/frontend-next"
    port = 8080
    """
    found = project(CONVENTIONAL, load(toml, packages=CONVENTIONAL.packages))
    assert (found.name, found.image, found.pnpm) == ("shop", "registry.example/node:22", "10.1.0")
    assert [(app.name, app.kind, app.port) for app in found.apps] == [("site", "next", 8080)]
    assert found.findings == ()


@pytest.mark.parametrize(
    ("scripts", "program", "output"),
    [
        ({"start:prod": "node dist/src/main"}, ("dist/src/main",), "dist"),
        (
            {"start": "node --enable-source-maps build/main.js"},
            ("--enable-source-maps", "build/main.js"),
            "build",
        ),
        ({"start": "nest start"}, ("dist/main",), "dist"),
    ],
)
def test_what_starts_a_nest_app(
    scripts: dict[str, str], program: tuple[str, ...], output: str
) -> None:
    """The start script tells file and flags; the compiler's folder follows from it."""
    (app,) = detected({".": ROOT, "api": {**NEST, "scripts": {"build": "nest build", **scripts}}})
    assert (app.program, app.output) == (program, output)


def test_nest_may_name_its_entry_file() -> None:
    """Then a start script that is meant for another folder does not count."""
    scripts = {"build": "nest build", "start:prod": "node src/main"}
    files = {"api/nest-cli.json": '{ // of the API\n "entryFile": "api/src/main" }'}
    (app,) = detected({".": ROOT, "api": {**NEST, "scripts": scripts}}, files)
    assert app.program == ("dist/api/src/main",)


def test_a_plain_node_service_has_to_say_what_starts_it() -> None:
    """A service of no known kind is built if its start script runs node, else `entry` is asked."""
    toml = '[apps.worker]\npath = "apps/worker"\n'
    plain = workspace({".": ROOT, "apps/worker": {"scripts": {"start": "tsx src/main.ts"}}})
    (problem,) = problems(plain, toml)
    assert "set [apps.worker] entry" in problem
    named = load(f'{toml}entry = "src/main.js"', packages=plain.packages)
    assert project(plain, named).apps[0].program == ("src/main.js",)


def test_an_app_with_its_own_dockerfile_needs_no_package() -> None:
    """Whatever language it is in."""
    config = load('[apps.ml]\ndockerfile = "ml/Dockerfile"', files=("ml/Dockerfile",))
    (app,) = project(workspace({".": ROOT}), config).apps
    assert (app.dockerfile, app.context) == ("ml/Dockerfile", ".")


def test_a_dockerfile_that_nothing_asks_for_is_told() -> None:
    """Whoever wrote it should know that the image does not come from it."""
    repo = workspace({".": ROOT, "apps/web": NEXT}, files={"apps/web/Dockerfile": "FROM node"})
    reason = project(repo, Config()).findings[-1].reason
    assert reason == "depends on next; its Dockerfile is not used"


def with_target(target: str) -> App:
    """An app whose Dockerfile has the stages build and runtime."""
    file = "FROM a AS build\nRUN x\n  from --platform=x b as runtime\n"
    repo = workspace({".": ROOT}, files={"ml/Dockerfile": file})
    toml = f'[apps.ml]\ndockerfile = "ml/Dockerfile"\ntarget = "{target}"'
    return project(repo, load(toml, files=repo.files)).apps[0]


@pytest.mark.parametrize("target", ["build", "Runtime", "1"])
def test_a_stage_goes_by_its_name_or_number(target: str) -> None:
    """In upper or lower case, as Docker takes it."""
    assert with_target(target).target == target


def test_a_stage_that_the_dockerfile_has_not_is_told_before_anything_is_built() -> None:
    """With the one that was meant."""
    with pytest.raises(ConfigError, match='"runtme" — no such stage in ml/Dockerfile; did you'):
        with_target("runtme")


def test_the_schema_of_a_shared_package_is_the_one_the_api_uses() -> None:
    """Prisma may lie in a package of its own; an unrelated schema elsewhere does not matter."""
    repo = workspace(
        {".": ROOT, "apps/api": NEST, "packages/db": {"name": "db"}, "tools/old": {"name": "old"}},
        {"apps/api": {"../../packages/db": "dependencies"}},
        {"packages/db/prisma/schema.prisma": SCHEMA, "tools/old/schema.prisma": SCHEMA},
    )
    migrator = project(repo, Config()).migrator
    assert migrator is not None
    assert migrator.project.path == "packages/db"


def test_the_migrator_can_be_left_out() -> None:
    """Where something else migrates the database."""
    config = load("[migrator]\nenabled = false")
    assert project(CONVENTIONAL, config).migrator is None


def test_the_schema_of_an_app_that_is_not_built_is_left_alone() -> None:
    """Its database belongs to another deployment."""
    config = load('[apps.web]\npath = "apps/frontend-next"', packages=CONVENTIONAL.packages)
    assert project(CONVENTIONAL, config).migrator is None


def test_two_schemas_in_use_have_to_be_told_apart() -> None:
    """Which database to migrate is the user's to say."""
    files = {"apps/a/prisma/schema.prisma": SCHEMA, "apps/b/prisma/schema.prisma": SCHEMA}
    repo = workspace({".": ROOT, "apps/a": PRISMA, "apps/b": PRISMA}, files=files)
    (problem,) = problems(repo)
    assert problem.startswith("Prisma schemas in apps/a and apps/b: name the one")
    named = load('[migrator]\npath = "apps/b"', packages=repo.packages)
    migrator = project(repo, named).migrator
    assert migrator is not None
    assert migrator.project.path == "apps/b"


def test_an_environment_that_is_not_configured() -> None:
    """With others configured it is a mistake; with none there is nothing to set."""
    config = load("[environments.staging]\n[environments.prod]\n")
    repo = workspace({".": ROOT, "apps/web": NEXT})
    with pytest.raises(ConfigError, match=r'"stagign" — expected one of: prod, staging; did you'):
        project(repo, config).environment("stagign")
    assert project(repo, Config()).environment("anything").api_url is None


@pytest.mark.parametrize(
    ("text", "name"),
    [("@acme/Web App", "web-app"), ("apps/api_v2", "api_v2"), ("@a/--x--", "x")],
)
def test_names_become_image_names(text: str, name: str) -> None:
    """Registries take lower case letters, digits and single separators."""
    assert slug(text) == name

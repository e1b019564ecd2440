"""The workspace: what depends on what, and which files each layer reads."""

import pytest

from slipway.errors import ConfigError
from slipway.survey import monorepo
from tests.slipway.monorepos import NEST, NEXT, ROOT, workspace

SHARED = {"name": "@acme/shared", "scripts": {"build": "tsc"}}
UTILS = {"name": "@acme/utils"}
CONFIG = {"name": "@acme/eslint-config"}

REPO = workspace(
    {
        ".": ROOT,
        "apps/api": NEST,
        "apps/web": NEXT,
        "packages/shared": SHARED,
        "packages/utils": UTILS,
        "packages/eslint-config": CONFIG,
    },
    {
        "apps/api": {
            "../../packages/shared": "dependencies",
            "../../packages/eslint-config": "devDependencies",
        },
        "packages/shared": {"../utils": "dependencies"},
    },
)


def test_dependencies_come_before_their_dependents() -> None:
    """Shared packages are built in this order."""
    assert REPO.closure("apps/api") == (
        "packages/eslint-config",
        "packages/utils",
        "packages/shared",
    )


def test_an_image_gets_no_development_packages() -> None:
    """What only devDependencies bring is built, and stays out of the image."""
    assert REPO.closure("apps/api", production=True) == ("packages/utils", "packages/shared")


def test_an_app_without_shared_packages_hangs_on_none() -> None:
    """An edit of a shared package does not rebuild an app that does not use it."""
    assert REPO.closure("apps/web") == ()


def test_only_what_the_apps_need_is_installed() -> None:
    """The root comes along: its tools are every package's."""
    assert REPO.needed(["apps/web"]) == (".", "apps/web")
    assert "packages/utils" in REPO.needed(["apps/web", "apps/api"])


def test_packages_of_settings_are_neither_built_nor_shipped() -> None:
    """An eslint config is one; a package that runs or is built is not."""
    assert REPO.settings("apps/api") == ("packages/eslint-config",)


def test_a_tsconfig_in_another_package_belongs_to_the_sources() -> None:
    """Some extend it by path, without naming the package; no image needs it."""
    config = '{ // shared\n "extends": ["../../packages/tsconfig/nest.json", "@tsconfig/node22"] }'
    manifests = {".": ROOT, "apps/api": NEST, "packages/tsconfig": {"name": "tsconfig"}}
    repo = workspace(manifests, files={"apps/api/tsconfig.json": config})
    assert repo.closure("apps/api") == ("packages/tsconfig",)
    assert repo.closure("apps/api", production=True) == ()
    assert repo.settings("apps/api") == ("packages/tsconfig",)


def test_a_circle_of_packages_ends() -> None:
    """Circles are allowed; each package is built once."""
    links = {"a": {"../b": "dependencies"}, "b": {"../a": "dependencies"}}
    circle = workspace({".": ROOT, "a": UTILS, "b": CONFIG}, links)
    assert circle.closure("a") == ("b",)


def test_an_injected_package_is_noticed_anywhere_below() -> None:
    """It was copied before it was built, so that it must be copied again."""
    links = {"apps/api": {"../../packages/shared": "dependencies"}}
    below = {"packages/shared": {"file:packages/utils": "dependencies"}}
    manifests = {".": ROOT, "apps/api": NEST, "packages/shared": SHARED, "packages/utils": UTILS}
    assert workspace(manifests, links | below).injected("apps/api")
    assert not workspace(manifests, links).injected("apps/api")


def test_the_install_layer_reads_manifests_lockfile_and_what_they_name() -> None:
    """Sources are not among its files; a patch and a program of a package are."""
    files = {"packages/cli/cli.mjs": "", "apps/web/page.tsx": ""}
    lock = "\npatchedDependencies:\n  a@1:\n    hash: x\n    path: fixes/a.patch\n"
    manifests = {".": ROOT, "packages/cli": {"name": "cli", "bin": "cli.mjs"}}
    found = workspace(manifests, files=files, lock=lock).install_files(["vendor/**"])
    assert {"pnpm-lock.yaml", ".npmrc", "fixes/a.patch", "packages/cli/cli.mjs"} <= set(found)
    assert found[-1] == "vendor/**"
    assert "apps/web/page.tsx" not in found


def test_patches_are_found_where_newer_lockfiles_do_not_name_them() -> None:
    """They are settings of the workspace, or of the root's package.json."""
    settings = "patchedDependencies:\n  lodash@4.17.21: fixes/lodash@4.17.21.patch\n"
    root = {**ROOT, "pnpm": {"patchedDependencies": {"a": "./own/a.patch"}}}
    found = workspace({".": root}, files={"pnpm-workspace.yaml": settings}).install_files()
    assert {"fixes/lodash@4.17.21.patch", "./own/a.patch"} <= set(found)


def test_a_package_within_another_is_no_source_of_it() -> None:
    """An app at the root does not hang on the packages below it."""
    repo = workspace({".": NEXT, "packages/ui": UTILS, "packages/ui/icons": UTILS})
    assert {"packages/ui", "packages/ui/icons"} <= set(repo.source_noise("."))
    assert "icons" in repo.source_noise("packages/ui")
    assert "packages/ui" not in repo.source_noise("packages/ui/icons")


def test_root_files_hold_what_packages_extend_and_call() -> None:
    """A tsconfig in no package, and the folder of a script that a package runs."""
    web = {**NEXT, "scripts": {"build": "node ../../tools/prepare.mjs && next build"}}
    files = {"config/tsconfig.base.json": "{}", "apps/web/tsconfig.json": "{}"}
    found = workspace({".": ROOT, "apps/web": web}, files=files).root_files()
    assert {"*.json", "config/tsconfig.base.json", "tools/**"} <= set(found)
    assert "apps/web/tsconfig.json" not in found


def test_no_lockfile_is_one_clear_error() -> None:
    """A repo of another package manager is told what is missing."""
    with pytest.raises(ConfigError, match=r"no pnpm-lock\.yaml at its root: run `pnpm install`"):
        monorepo(frozenset({"yarn.lock"}), {})


def test_broken_and_missing_manifests_are_reported_together() -> None:
    """Every manifest that cannot be read is named."""
    whole = workspace({".": ROOT, "apps/api": NEST, "apps/web": NEXT})
    texts = {**whole.texts, "apps/api/package.json": "{"}
    del texts["apps/web/package.json"]
    with pytest.raises(ConfigError) as caught:
        monorepo(frozenset(texts), texts)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "apps/api/package.json",
        "apps/web/package.json",
    ]

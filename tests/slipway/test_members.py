"""What pnpm-workspace.yaml takes in, and packages that the lockfile does not know."""

import json

import pytest

from slipway.errors import ConfigError
from slipway.members import members, patterns
from slipway.survey import monorepo
from tests.slipway.monorepos import NEXT, ROOT, Manifest, lockfile


@pytest.mark.parametrize(
    "text",
    [
        "packages:\n  - apps/*\n  - 'libs/**'\n  - \"!libs/**/test\"\n",
        "catalog:\n  a: 1\n\npackages:\n- apps/* # the apps\n# and\n\n- libs/**\n- '!libs/**/test'\nother:\n  - x\n",
        "packages: [apps/*, 'libs/**', '!libs/**/test']\n",
        "packages: [\n  apps/*,\n  \"libs/**\",\n  '!libs/**/test',\n]\n",
    ],
)
def test_the_list_is_read_however_it_is_written(text: str) -> None:
    """A line each or in brackets, with quotes or without."""
    assert patterns(text) == ("apps/*", "libs/**", "!libs/**/test")


def test_patterns_name_folders_with_a_manifest() -> None:
    """`*` stays within a folder, `**` does not, `!` takes away."""
    files = [
        "package.json",
        "apps/web/package.json",
        "apps/web/e2e/package.json",
        "apps/notes.md",
        "apps/.old/package.json",
        "libs/a/package.json",
        "libs/a/b/package.json",
        "libs/a/test/package.json",
    ]
    text = "packages:\n  - ./apps/*/\n  - libs/**\n  - '!libs/**/test'\n"
    assert members(text, files) == {"apps/web", "libs/a", "libs/a/b"}


def test_a_pattern_that_is_not_understood_names_nothing() -> None:
    """Better no word than a wrong one."""
    text = "packages:\n  - apps/*\n  - libs/{a,b}\n"
    assert members(text, ["apps/web/package.json"]) == frozenset()


def added(package: Manifest) -> None:
    """A workspace where somebody added apps/new, and did not run `pnpm install`."""
    texts = {
        "package.json": json.dumps(ROOT),
        "pnpm-workspace.yaml": "packages:\n  - apps/*\n",
        "pnpm-lock.yaml": lockfile((".",), {}),
        "apps/new/package.json": json.dumps(package),
    }
    monorepo(frozenset(texts), texts)


def test_an_app_that_the_lockfile_does_not_know_is_an_error() -> None:
    """It would be left out without a word."""
    with pytest.raises(ConfigError, match=r"apps/new/package\.json: in the workspace, but not in"):
        added(NEXT)


def test_a_package_without_dependencies_need_not_be_locked() -> None:
    """Pnpm takes such a lockfile too."""
    added({"name": "new"})

"""package.json: what is read of it, and what of it an install layer hangs on."""

import json

import pytest

from slipway.manifest import Package, for_install, node_arguments, parse


def test_the_install_copy_leaves_out_what_changes_often() -> None:
    """Scripts and tool settings do not reach the install layer; everything pnpm resolves does."""
    package = Package(
        "apps/api",
        {
            "name": "api",
            "description": "x",
            "scripts": {"postinstall": "prisma generate", "lint": "eslint ."},
            "dependencies": {"a": "1"},
            "devDependencies": {"b": "catalog:"},
            "pnpm": {"overrides": {"c": "2"}},
            "jest": {},
        },
    )
    assert json.loads(for_install(package)) == {
        "name": "api",
        "dependencies": {"a": "1"},
        "devDependencies": {"b": "catalog:"},
        "pnpm": {"overrides": {"c": "2"}},
    }


def test_a_byte_order_mark_is_no_error() -> None:
    """Editors on Windows write one."""
    assert parse("a", '\ufeff{"name": "a"}').name == "a"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"name": }', r"not valid JSON: Expecting value \(line 1, column 10\)"),
        ("[]", "expected a JSON object, found list"),
    ],
)
def test_a_broken_manifest_says_where(text: str, message: str) -> None:
    """The message has line and column."""
    with pytest.raises(ValueError, match=message):
        parse("a", text)


def test_a_package_without_a_name_goes_by_its_folder() -> None:
    """Private packages often have none."""
    assert Package("tools/scripts").name == "scripts"


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("node dist/main", ("dist/main",)),
        ("NODE_ENV=production node dist/main.js", ("dist/main.js",)),
        (
            "cross-env A=1 node --enable-source-maps dist/src/main",
            ("--enable-source-maps", "dist/src/main"),
        ),
        ("node -r dotenv/config dist/main", ("-r", "dotenv/config", "dist/main")),
        ("nest start", None),
        ("prisma migrate deploy && node dist/main", None),
        ("node", None),
        ("node 'dist/main", None),
    ],
)
def test_what_a_start_script_passes_to_node(script: str, arguments: tuple[str, ...] | None) -> None:
    """Flags and the file; nothing where the script does more than start node."""
    assert node_arguments(script) == arguments


def test_install_hooks_that_matter() -> None:
    """Guards and git hooks have no place in a build."""
    scripts = {
        "preinstall": "npx only-allow pnpm",
        "postinstall": "prisma generate",
        "prepare": "husky",
    }
    assert Package("a", {"scripts": scripts}).install_hooks == ("postinstall",)


def test_a_command_is_found_through_other_scripts() -> None:
    """`build` may generate by its prebuild, and that by a third script."""
    scripts = {
        "prebuild": "pnpm run generate",
        "generate": "prisma generate",
        "build": "nest build",
        "loop": "pnpm loop",
    }
    package = Package("a", {"scripts": scripts})
    assert package.runs("build", "prisma generate")
    assert not package.runs("loop", "prisma generate")


def test_peers_are_needed_to_run_unless_they_are_optional() -> None:
    """A shared Nest module names @nestjs/common as a peer, and pnpm installs it."""
    package = Package(
        "packages/database",
        {
            "dependencies": {"pg": "8"},
            "peerDependencies": {"@nestjs/common": "11", "typescript": "5"},
            "peerDependenciesMeta": {"typescript": {"optional": True}},
        },
    )
    assert package.runtime_dependencies == ("@nestjs/common", "pg")


def test_programs_are_files_of_the_repo() -> None:
    """Only `bin` files that are there get linked, so they belong into the install layer."""
    package = Package("packages/cli", {"bin": {"acme": "./bin/acme.mjs"}})
    assert package.programs == ("packages/cli/bin/acme.mjs",)

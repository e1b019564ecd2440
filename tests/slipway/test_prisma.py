"""Prisma: where it lies, what it generates, and what migrating and seeding need."""

import pytest

from slipway import migration, prisma
from slipway.prisma import PrismaProject
from slipway.workspace import Monorepo
from tests.slipway.monorepos import NEST, PRISMA, ROOT, SCHEMA, Manifest, workspace

API = "apps/api"
OLD_SCHEMA = """
generator client {
  provider = "prisma-client-js"
}
datasource db {
  provider  = "postgres"
  url       = env("DATABASE_URL")
  directUrl = env("DIRECT_URL")
}
"""
CONFIG = """
import { defineConfig } from 'prisma/config';
import path from 'node:path';
export default defineConfig({
  schema: path.join('database', 'schema.prisma'),
  migrations: { path: 'database/history', seed: "tsx database/seed.ts" },
  datasource: { url: env('DATABASE_URL') },
});
"""


def repo(files: dict[str, str], manifest: Manifest = PRISMA) -> Monorepo:
    """A workspace with one API and the given files of it."""
    placed = {f"{API}/{name}": text for name, text in files.items()}
    return workspace({".": ROOT, API: manifest}, files=placed)


def found(files: dict[str, str], manifest: Manifest = PRISMA) -> PrismaProject:
    """Prisma in that API."""
    project = prisma.find(repo(files, manifest), API)
    assert project is not None
    return project


def seeding(seed: str, files: dict[str, str] | None = None) -> tuple[Monorepo, PrismaProject]:
    """An API whose package.json names a seed command."""
    manifest = {**PRISMA, "prisma": {"seed": seed}}
    made = repo({"prisma/schema.prisma": SCHEMA, **(files or {})}, manifest)
    project = prisma.find(made, API)
    assert project is not None
    return made, project


def test_a_package_without_a_schema_has_no_prisma() -> None:
    """Depending on @prisma/client is not enough."""
    assert prisma.find(repo({}), API) is None


def test_the_default_place_and_a_client_beside_the_sources() -> None:
    """Prisma 7's generator names its folder, relative to the schema."""
    project = found({"prisma/schema.prisma": SCHEMA})
    assert project.outputs == ("src/generated/prisma",)
    assert project.migrations == "prisma/migrations"
    assert project.other_providers == ("cockroachdb", "mysql", "sqlite", "sqlserver")
    assert not project.client_in_modules
    assert project.client_alone


def test_a_client_in_node_modules_and_variables_without_a_value() -> None:
    """Before Prisma 7: the client goes into node_modules, the schema reads variables."""
    project = found({"prisma/schema.prisma": OLD_SCHEMA})
    assert project.client_in_modules
    assert project.providers == {"postgresql"}
    assert project.variables == ("DATABASE_URL", "DIRECT_URL")
    assert prisma.placeholder_environment(project).keys() == {"DATABASE_URL", "DIRECT_URL"}


def test_a_config_that_moves_everything() -> None:
    """prisma.config.ts may name the schema, the migrations and the seed."""
    project = found({"prisma.config.ts": CONFIG, "database/schema.prisma": SCHEMA})
    assert project.schema == "database/schema.prisma"
    assert project.migrations == "database/history"
    assert project.seed == "tsx database/seed.ts"
    assert project.variables == ("DATABASE_URL",)
    assert project.found_by_prisma


@pytest.mark.parametrize("name", ["prisma7.config.ts", ".config/prisma.ts", "prisma.config.mjs"])
def test_every_place_a_config_may_have(name: str) -> None:
    """Prisma looks for several names."""
    assert found({name: "", "prisma/schema.prisma": SCHEMA}).config == name


def test_a_schema_in_several_files() -> None:
    """The folder is the schema; its blocks may lie in any of its files."""
    manifest = {**PRISMA, "prisma": {"schema": "./prisma/schema"}}
    files = {"prisma/schema/db.prisma": OLD_SCHEMA, "prisma/schema/user.prisma": "model User {}"}
    project = found(files, manifest)
    assert (project.schema, project.folder) == ("prisma/schema", "prisma")
    assert project.providers == {"postgresql"}


def test_a_schema_in_an_unusual_place_has_to_be_named() -> None:
    """Prisma does not find it there on its own."""
    project = found({"src/db/schema.prisma": SCHEMA})
    assert project.schema == "src/db/schema.prisma"
    assert not project.found_by_prisma


def test_migrating_without_a_seed_needs_little() -> None:
    """The command line, the client and what the config imports; not the API's dependencies."""
    config = "import { defineConfig } from 'prisma/config';\nimport 'pg';"
    made = repo({"prisma/schema.prisma": SCHEMA, "prisma.config.ts": config})
    project = prisma.find(made, API)
    assert project is not None
    assert migration.runtime_packages(made, project) == ("@prisma/client", "pg", "prisma")


def test_a_seed_brings_its_runner_and_its_imports() -> None:
    """`tsx`, and the packages that the seed names."""
    seed = (
        "import { Pool } from 'pg';\nimport { PrismaClient } from '../src/generated/prisma/client';"
    )
    made, project = seeding("tsx prisma/seed.ts", {"prisma/seed.ts": seed})
    assert not migration.needs_sources(made, project)
    assert migration.runtime_packages(made, project, ["@nestjs/cli"]) == (
        "@nestjs/cli",
        "@prisma/client",
        "pg",
        "prisma",
        "tsx",
    )


def test_a_seed_that_imports_the_app_brings_its_sources() -> None:
    """Then the whole package and its run time dependencies are needed."""
    made, project = seeding("tsx prisma/seed.ts", {"prisma/seed.ts": "import '../src/hash';"})
    assert migration.needs_sources(made, project)
    assert "@nestjs/core" in migration.runtime_packages(made, project)


def test_a_seed_elsewhere_may_import_anything() -> None:
    """What was not read is taken to need the sources."""
    made, project = seeding("tsx src/seed/main.ts")
    assert migration.needs_sources(made, project)
    assert "src/seed/main.ts" in migration.files(made, project)


def test_ts_node_checks_types() -> None:
    """It needs TypeScript and the declarations."""
    manifest = {
        **PRISMA,
        "prisma": {"seed": "ts-node prisma/seed.ts"},
        "devDependencies": {"ts-node": "10", "typescript": "5", "@types/node": "22", "jest": "30"},
    }
    made = repo({"prisma/schema.prisma": SCHEMA, "prisma/seed.ts": "export {}"}, manifest)
    project = prisma.find(made, API)
    assert project is not None
    names = migration.runtime_packages(made, project)
    assert {"ts-node", "typescript", "@types/node"} <= set(names)
    assert "jest" not in names


def test_a_seed_through_a_package_manager_and_a_script() -> None:
    """Neither is in the image: the program runs directly, the script by its own text."""
    manifest = {
        **PRISMA,
        "scripts": {**NEST["scripts"], "db:fill": "tsx prisma/seed.ts"},
        "prisma": {"seed": "pnpm run db:fill"},
    }
    made = repo({"prisma/schema.prisma": SCHEMA, "prisma/seed.ts": "export {}"}, manifest)
    project = prisma.find(made, API)
    assert project is not None
    assert migration.runners(made, project) == ("pnpm",)
    assert migration.seed_scripts(made, project) == {"db:fill": "tsx prisma/seed.ts"}
    assert "tsx" in migration.runtime_packages(made, project)


def test_prisma_of_the_root_counts() -> None:
    """Some repos keep the command line in the root's devDependencies."""
    root = {**ROOT, "devDependencies": {"prisma": "7"}}
    made = workspace({".": root, API: NEST}, files={f"{API}/prisma/schema.prisma": SCHEMA})
    project = prisma.find(made, API)
    assert project is not None
    assert migration.runtime_packages(made, project) == ("prisma",)

"""Prisma's schema engine as the lab's Node.js image has it, spoken to as Prisma's CLI does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import dagger
import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.engine

ENGINE = "/opt/prisma-schema-engine/schema-engine.mjs"
PASSWORD = "p@ss sentinel"
ENCODED = "p%40ss%20sentinel"
# Its body has semicolons, and the table must be there for it.
MIGRATION = """
CREATE TABLE task (id serial PRIMARY KEY, done boolean NOT NULL DEFAULT false);
CREATE FUNCTION open_tasks() RETURNS bigint AS $$
BEGIN
  RETURN (SELECT count(*) FROM task WHERE NOT done);
END;
$$ LANGUAGE plpgsql;
"""


def url(password: str = ENCODED) -> str:
    """How Prisma addresses a database of the server ``db``."""
    return f"postgresql://postgres:{password}@db:5432/shop"


def node(dag: dagger.Client) -> dagger.Container:
    """The image that projects build in."""
    return dag.container().from_("node:22-bookworm-slim")


def with_database(dag: dagger.Client) -> dagger.Container:
    """The same beside a PostgreSQL server that has no database ``shop`` yet."""
    server = dag.container().from_("postgres:17").with_env_variable("POSTGRES_PASSWORD", PASSWORD)
    service = server.with_exposed_port(5432).as_service(use_entrypoint=True)
    # A new server each time: what ran against another must not come from the cache.
    fresh = node(dag).with_env_variable("RUN", uuid4().hex)
    return fresh.with_service_binding("db", service)


def command(container: dagger.Container, name: str, address: str) -> dagger.Container:
    """Run one of the engine's commands; it may fail."""
    arguments = [ENGINE, "--datasource", json.dumps({"url": address}), "cli", name]
    return container.with_exec(arguments, expect=dagger.ReturnType.ANY)


async def error_of(container: dagger.Container) -> dict[str, Any]:
    """What the CLI reads from a command that failed: the log without its first line."""
    assert await container.exit_code() == 1
    lines = [json.loads(line) for line in (await container.stderr()).splitlines()[1:]]
    fields: dict[str, Any] = next(line["fields"] for line in lines if line["level"] == "ERROR")
    return fields


async def answers(container: dagger.Container, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    """Send requests, a line each, and read the answers until the engine ends."""
    numbered = [{"jsonrpc": "2.0", "id": i, **request} for i, request in enumerate(requests, 1)]
    ran = container.with_exec(
        [ENGINE, "--datasource", json.dumps({"url": url()})],
        stdin="\n".join(json.dumps(request) for request in numbered),
    )
    return [json.loads(line) for line in (await ran.stdout()).splitlines()]


def apply(migrations: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The request of `prisma migrate deploy`."""
    listed = [
        {
            "path": name,
            "migrationFile": {"path": "migration.sql", "content": {"tag": "ok", "value": sql}},
        }
        for name, sql in migrations
    ]
    return {
        "method": "applyMigrations",
        "params": {
            "migrationsList": {
                "baseDir": "prisma/migrations",
                "lockfile": {
                    "path": "migration_lock.toml",
                    "content": 'provider = "postgresql"',
                },
                "migrationDirectories": listed,
                "shadowDbInitScript": "",
            },
            "filters": {"externalTables": [], "externalEnums": []},
        },
    }


async def test_the_image_names_an_engine_that_runs(dag: dagger.Client) -> None:
    """Prisma's CLI takes it from the variable and prints its version."""
    named = await node(dag).env_variable("PRISMA_SCHEMA_ENGINE_BINARY")
    assert named == ENGINE
    version = await node(dag).with_exec([ENGINE, "--version"]).stdout()
    assert version.startswith("schema-engine-cli ")


async def test_a_server_that_is_not_there_is_p1001(dag: dagger.Client) -> None:
    """Nobody listens on the port."""
    unreachable = "postgresql://postgres:sentinel@127.0.0.1:1/shop"
    error = await error_of(command(node(dag), "can-connect-to-database", unreachable))
    assert error["error_code"] == "P1001"
    assert "Can't reach database server at `127.0.0.1:1`" in error["message"]


async def test_a_broken_url_is_told_without_its_password(dag: dagger.Client) -> None:
    """A password with a slash that is not encoded."""
    broken = command(node(dag), "can-connect-to-database", "postgresql://u:senti/nel@:x/shop")
    assert "The database URL cannot be parsed" in (await error_of(broken))["message"]
    assert "nel@" not in await broken.stderr()


async def test_a_wrong_password_is_p1000(dag: dagger.Client) -> None:
    """As Prisma's own engine says it."""
    error = await error_of(command(with_database(dag), "can-connect-to-database", url("wrong")))
    assert error["error_code"] == "P1000"


async def test_migrations_are_applied_once(dag: dagger.Client) -> None:
    """A missing database is P1003 until it is made; the second deploy has nothing to do."""
    beside = with_database(dag)
    missing = await error_of(command(beside, "can-connect-to-database", url()))
    assert missing["error_code"] == "P1003"
    created = command(beside, "create-database", url())
    assert await created.exit_code() == 0
    request = apply([("20260101000000_init", MIGRATION)])
    first, second = await answers(created, request, request)
    assert first["result"] == {"appliedMigrationNames": ["20260101000000_init"]}
    assert second["result"] == {"appliedMigrationNames": []}


async def test_a_failed_migration_blocks_the_next_deploy(dag: dagger.Client) -> None:
    """The server's message first; then P3009, and the engine serves on after an error."""
    ready = command(with_database(dag), "create-database", url())
    broken = apply([("20260101000000_bad", "SELEC 1;")])
    failed, blocked, unknown = await answers(ready, broken, broken, {"method": "nonsense"})
    assert 'syntax error at or near "SELEC"' in failed["error"]["data"]["message"]
    assert blocked["error"]["data"]["error_code"] == "P3009"
    assert "no method nonsense" in unknown["error"]["data"]["message"]

"""The images at work: started with a real Postgres and asked over HTTP."""

import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import dagger
import pytest

from tests.e2e.example import IMAGES, Pushed

pytestmark = pytest.mark.engine

URL = "postgresql://postgres:pass@db:5432/mindfulspace"


@dataclass(frozen=True)
class Site:
    """The running API and front end."""

    api: str
    frontend: str
    migrator: dagger.Container


def ask(url: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    """Status and answer of a request; JSON where it is some."""
    request = urllib.request.Request(url)
    if body is not None:
        request = urllib.request.Request(
            url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, _decoded(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _decoded(error.read())


def _decoded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode()


@pytest.fixture
async def site(dag: dagger.Client, released: Pushed) -> AsyncIterator[Site]:
    """Database, migrated; API and front end as services."""
    database = (
        dag.container()
        .from_("postgres:17")
        .with_env_variable("POSTGRES_PASSWORD", "pass")
        .with_env_variable("POSTGRES_DB", "mindfulspace")
        .with_exposed_port(5432)
        .as_service()
    )
    url = dag.set_secret("database-url", URL)

    def image(name: str) -> dagger.Container:
        made = dag.container().from_(released.references[name]).with_service_binding("db", database)
        return made.with_secret_variable("DATABASE_URL", url)

    migrator = image("migrator")
    await migrator.with_exec([], use_entrypoint=True).sync()
    api = image("api").with_exposed_port(3001).as_service()
    frontend = (
        dag.container().from_(released.references["frontend"]).with_exposed_port(3000).as_service()
    )
    yield Site(await api.endpoint(scheme="http"), await frontend.endpoint(scheme="http"), migrator)
    for service in (api, frontend, database):
        await service.stop()


async def test_the_site_works(site: Site) -> None:
    """Migrated, healthy, listing, creating, refusing; the front end names its API; a seed can be repeated."""
    assert ask(f"{site.api}/health")[0] == 200
    status, listed = ask(f"{site.api}/sessions")
    assert (status, listed) == (200, [])
    status, made = ask(f"{site.api}/sessions", {"title": "Breathe", "minutes": 10, "mood": "calm"})
    assert status == 201, made
    assert [item["title"] for item in ask(f"{site.api}/sessions")[1]] == ["Breathe"]
    status, refused = ask(f"{site.api}/sessions", {"title": ""})
    assert status == 400
    assert "title" in json.dumps(refused)
    seeded = await site.migrator.with_exec(["db", "seed"], use_entrypoint=True).stdout()
    assert seeded
    assert len(ask(f"{site.api}/sessions")[1]) > 1
    status, page = ask(site.frontend)
    assert status == 200
    assert "https://api.staging." in page
    assert ask(f"{site.frontend}/healthz")[0] == 200


@pytest.mark.parametrize("name", IMAGES)
async def test_no_package_manager_or_compiler_in_an_image(
    dag: dagger.Client, released: Pushed, name: str
) -> None:
    """Searched on PATH, as whoever broke in would."""
    tools = "npm npx pnpm yarn corepack apt apt-get dpkg apk gcc cc make"
    found = await (
        dag.container()
        .from_(released.references[name])
        .with_exec(["sh", "-c", f"for t in {tools}; do command -v $t; done; id -u; true"])
        .stdout()
    )
    assert found.split() == ["1000"]


@pytest.mark.parametrize("name", IMAGES)
async def test_an_image_runs_where_nothing_can_be_written(
    dag: dagger.Client, released: Pushed, name: str
) -> None:
    """Its files belong to root; the user that it runs as cannot change the program."""
    image = dag.container().from_(released.references[name])
    ran = image.with_exec(
        ["sh", "-c", "touch ./x ../x 2>&1; find /app -maxdepth 3 -name '*.js' -writable | head"]
    )
    assert "Permission denied" in await ran.stdout()

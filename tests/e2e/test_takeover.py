"""Sites that slipway 0.1 deployed are taken over: in one deploy, without a failed request, with all they had."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from slipway.errors import ConfigError
from slipway.server import status
from slipway.server.deploy import Deployment
from slipway.server.names import Site
from slipway.server.overview import overview
from slipway.server.rollback import Rollback
from slipway.server.ssh import DisconnectedError, ServerError
from tests.e2e import former
from tests.e2e.relay import relay
from tests.e2e.site import example_site, public_names
from tests.e2e.tiny import Tiny, push
from tests.e2e.traffic import visitors

pytestmark = pytest.mark.engine

STAGING, PROD = Site("shop", "staging"), Site("shop", "prod")
LOOK = """
require('node:dns/promises').lookup('db', { all: true }).then(all => console.log(all.length));
"""


def ignored(_: str) -> None:
    """What is said on the way."""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    """A server with two sites of slipway 0.1, each with a row of its own in its database."""
    folder = tmp_path_factory.mktemp("takeover")
    with (
        example_site(folder, "takeover", drain=1) as site,
        public_names(site.server.address),
    ):
        made = push(site, 2)
        for number, name in ((7, STAGING), (3, PROD)):
            former.deploy(site, made.recorded(name, "v1"), number)
            psql(
                made,
                f"{name.former_database}-db-1",
                f"create table mark as select '{name.name}'::text",
            )
        yield made


def psql(tiny: Tiny, container: str, query: str) -> str:
    """What a database answers."""
    command = f"docker exec -i {container} psql -U app -d mindful -At -v ON_ERROR_STOP=1"
    return tiny.site.server.ssh(command, stdin=f"{query};\n").strip()


def deployment(tiny: Tiny, site: Site, identifier: str, port: int = 0) -> Deployment:
    """The deploy of a release of a site; with `port`, through a relay on this machine."""
    acting = tiny.site.operator(port=port)
    operator = replace(acting, site=site, repository="git.example/team/shop")
    target = replace(tiny.recorded(site, identifier, 1), owner=operator.owner)
    return Deployment(operator, target, {})


def databases(tiny: Tiny, container: str) -> int:
    """How many addresses the database's name has in a container."""
    return int(tiny.site.server.ssh(f"docker exec -i {container} node -", stdin=LOOK))


async def test_a_plan_changes_nothing(tiny: Tiny) -> None:
    """It shows that the folder moves; status shows the old site as it is."""
    assert databases(tiny, "shop-prod-api-3-api-1") == 2
    before = tiny.site.server.ssh("find slipway | sort; docker ps --no-trunc --quiet | sort")
    plan = await deployment(tiny, PROD, "v2").plan()
    assert "move its folder (slipway/shop-prod slipway/shop--prod)" in plan
    said = status.render(await overview(deployment(tiny, PROD, "v2").operator))
    assert said.startswith("shop--prod runs v1 (number 3)")
    assert "somebody" in said
    assert (
        tiny.site.server.ssh("find slipway | sort; docker ps --no-trunc --quiet | sort") == before
    )


async def test_a_database_without_a_table_that_was_migrated_before_stops_it(tiny: Tiny) -> None:
    """Its migrations went to another site, as they could in slipway 0.1: nothing is migrated or replaced."""
    container = f"{PROD.former_database}-db-1"
    psql(tiny, container, "drop table mark")
    try:
        async with visitors(tiny.site, *addresses(PROD)) as done:
            with pytest.raises(
                ServerError, match="has no table, although earlier releases migrated it"
            ):
                await deployment(tiny, PROD, "v2").deploy(ignored)
    finally:
        psql(tiny, container, f"create table mark as select '{PROD.name}'::text")
    assert set(done) == {"ok"}, done
    assert databases(tiny, "shop-prod-api-3-api-1") == 2


def addresses(site: Site) -> tuple[str, ...]:
    """The site's public addresses."""
    return tuple(
        f"https://{site.name}-{app}.mindfulspace.example/health" for app in ("api", "frontend")
    )


async def test_one_deploy_takes_a_site_over_without_a_failed_request(tiny: Tiny) -> None:
    """Numbers, dumps, audit log and database go on; the other site of slipway 0.1 notices nothing."""
    server = tiny.site.server
    async with visitors(tiny.site, *addresses(STAGING), *addresses(PROD)) as done:
        said = await deployment(tiny, STAGING, "v2").deploy(ignored)
    assert set(done) == {"ok"}, done
    assert done["ok"] > 50
    assert "shop--staging runs v2" in said
    assert await tiny.site.status(addresses(STAGING)[0]) == (200, "shop--staging--api--8")
    assert await tiny.site.status(addresses(PROD)[0]) == (200, "shop-prod-api-3")
    assert databases(tiny, "shop--staging--api--8") == 1
    database = f"{STAGING.former_database}-db-1"
    assert psql(tiny, database, "select * from mark") == "shop--staging"
    assert psql(tiny, database, "select site from visit") == "shop--staging"
    assert (
        psql(
            tiny,
            f"{PROD.former_database}-db-1",
            "select count(*) from pg_tables where tablename = 'visit'",
        )
        == "0"
    )
    assert server.ssh("ls slipway").split() == ["shop--prod", "shop--staging"]
    assert "000007-v1.dump" in server.ssh("ls slipway/shop--staging/database/dumps")
    assert [
        line.count('"release"')
        for line in server.ssh("cat slipway/shop--staging/audit.jsonl").splitlines()
    ] == [1, 1]
    assert "shop-staging-api" not in server.ssh("docker ps --all --format '{{.Names}}'")
    members = server.ssh(
        "docker network inspect --format '{{range .Containers}}{{.Name}} {{end}}' internal"
    )
    assert database not in members


async def test_the_next_deploy_and_a_rollback_find_nothing_special(tiny: Tiny) -> None:
    """Back to the release that slipway 0.1 deployed, under the new names and on the site's own network."""
    assert "take over the site" not in await deployment(tiny, STAGING, "v3").plan()
    operator = deployment(tiny, STAGING, "v3").operator
    async with visitors(tiny.site, *addresses(STAGING)) as done:
        await Rollback(operator, to="v1", force=True).run(ignored)
    assert set(done) == {"ok"}, done
    assert await tiny.site.status(addresses(STAGING)[0]) == (200, "shop--staging--api--9")
    assert databases(tiny, "shop--staging--api--9") == 1


async def test_a_rollback_takes_a_site_over_as_well(tiny: Tiny) -> None:
    """Its database joins the site's network although the release says nothing of it."""
    site = Site("shop", "older")
    await asyncio.to_thread(former.deploy, tiny.site, tiny.recorded(site, "v1"), 1)
    await asyncio.to_thread(former.deploy, tiny.site, tiny.recorded(site, "v2", 1), 2)
    await Rollback(deployment(tiny, site, "v3").operator).run(ignored)
    assert await tiny.site.status(addresses(site)[0]) == (200, "shop--older--api--3")
    assert databases(tiny, "shop--older--api--3") == 1


CUT = Site("shop", "cut")
# A step that a take-over alone has, or that nothing can be taken back after.
STEPS = (
    "move its folder",
    "network shop--cut--internal",
    "the database joins it",
    "whose it is",
    "api is routed",
    "start with the server",
    "stop shop-cut-api-3",
    "the database leaves it",
)


async def test_a_takeover_that_is_cut_off_anywhere_is_finished_by_the_next_deploy(
    tiny: Tiny,
) -> None:
    """Nobody cleans up between, and no request fails."""
    await asyncio.to_thread(former.deploy, tiny.site, tiny.recorded(CUT, "v1"), 3)
    database, reached = f"{CUT.former_database}-db-1", list[str]()
    psql(tiny, database, "create table mark as select 'cut' as site")
    async with (
        relay(tiny.site.server.address, tiny.site.server.port) as way,
        visitors(tiny.site, *addresses(CUT)) as done,
    ):
        for number, step in enumerate(STEPS):

            def say(line: str, step: str = step) -> None:
                if line.startswith(f"  {step}"):
                    reached.append(step)
                    way.cut()

            attempt = deployment(tiny, CUT, f"cut-{number}", port=way.port)
            with pytest.raises(DisconnectedError):
                await attempt.deploy(say)
        await deployment(tiny, CUT, "v2").deploy(ignored)
    assert reached == list(STEPS)
    assert set(done) == {"ok"}, done
    (api,) = containers(tiny, "shop--cut--api--")
    assert databases(tiny, api) == 1
    assert len(containers(tiny, "shop-cut", "shop--cut")) == 3
    assert psql(tiny, database, "select distinct site from visit") == "shop--cut"
    assert psql(tiny, database, "select site from mark") == "cut"


async def test_the_site_that_was_stopped_deploys_once_its_tables_are_back(tiny: Tiny) -> None:
    """What the attempt that found no table began is finished."""
    await deployment(tiny, PROD, "v2").deploy(ignored)
    (api,) = containers(tiny, "shop--prod--api--")
    assert databases(tiny, api) == 1


def containers(tiny: Tiny, *beginnings: str) -> list[str]:
    """Names of containers that begin so."""
    names = tiny.site.server.ssh("docker ps --all --format '{{.Names}}'").split()
    return [name for name in names if name.startswith(beginnings)]


async def test_two_sites_with_one_old_name_are_not_guessed_apart(tiny: Tiny) -> None:
    """`one` + `two-three` and `one-two` + `three` had one folder and one database."""
    first, second = Site("one", "two-three"), Site("one-two", "three")
    await asyncio.to_thread(former.deploy, tiny.site, tiny.recorded(first, "v1"), 1)
    await asyncio.to_thread(former.deploy, tiny.site, tiny.recorded(second, "v1"), 2)
    with pytest.raises(ConfigError, match=r"one-two \+ three and one \+ two-three into one folder"):
        await deployment(tiny, first, "v2").deploy(ignored)


async def test_a_volume_that_nobody_claims_is_never_left_for_an_empty_one(tiny: Tiny) -> None:
    """Until somebody says whose it is."""
    server, fresh = tiny.site.server, Site("fresh", "lost")
    server.ssh("docker volume create db_data_lost")
    with pytest.raises(
        ConfigError, match="db_data_lost of slipway 0.1 is there, and nothing tells"
    ):
        await deployment(tiny, fresh, "v1").deploy(ignored)
    server.ssh(f"docker volume create {fresh.volume}")
    assert "fresh--lost runs v1" in await deployment(tiny, fresh, "v1").deploy(ignored)

"""Two projects with two environments each on one server: nothing of one is ever another's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from slipway.errors import ConfigError
from slipway.server.deploy import Deployment
from slipway.server.names import HEADER, WEB, Site, variable
from slipway.server.operator import Operator
from slipway.server.rollback import Rollback
from slipway.server.ssh import ServerError
from slipway.server.target import Target
from tests.e2e.site import example_site, public_names
from tests.e2e.tiny import Tiny, push

pytestmark = pytest.mark.engine

# The two in the middle had one name in slipway 0.1.
SITES = (
    Site("shop", "staging"),
    Site("shop", "prod-eu"),
    Site("shop-prod", "eu"),
    Site("shop-prod", "staging"),
)
# In an app's container: every address of some names, and who answers its own and the other app's internal address.
LOOK = """
const dns = require('node:dns/promises');
// A name that nobody has is passed on to the server's own resolver, which may take its time to know none.
const resolver = new dns.Resolver({ timeout: 1500, tries: 1 });
const addresses = name => resolver.resolve4(name).then(all => all.sort(), error => error.code);
const release = url => fetch(url).then(answer => answer.headers.get('@header'), error => String(error.cause?.code));
(async () => {
  const asked = ['db', 'api', 'frontend', 'migrator', 'database'];
  const names = Object.fromEntries(await Promise.all(asked.map(async name => [name, await addresses(name)])));
  const inside = {};
  for (const name of ['@api', '@frontend']) inside[name] = await release(process.env[name]);
  console.log(JSON.stringify({ names, inside }));
})();
""".replace("@header", HEADER)


def ignored(_: str) -> None:
    """What is said on the way."""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    """Tiny apps, and a server where four sites were deployed in turns, one again, and one rolled back."""
    folder = tmp_path_factory.mktemp("sites")
    with (
        example_site(folder, "sites", drain=1) as site,
        public_names(site.server.address),
    ):
        made = push(site, 2)
        asyncio.run(interleaved(made))
        yield made


async def interleaved(tiny: Tiny) -> None:
    """One after the other, and not one site to its end before the next."""
    for site in SITES:
        await deployment(tiny, tiny.recorded(site, "v1")).deploy(ignored)
    for site in reversed(SITES[:3]):
        await deployment(tiny, tiny.recorded(site, "v2", 1)).deploy(ignored)
    await Rollback(operator(tiny, SITES[1])).run(ignored)


def operator(tiny: Tiny, site: Site, repository: str = "") -> Operator:
    """Who acts on a site: each project has a repository of its own."""
    whose = repository or f"git.example/team/{site.project}"
    return replace(tiny.site.operator(), site=site, repository=whose)


def deployment(tiny: Tiny, target: Target, repository: str = "") -> Deployment:
    """The deploy of a target by its project."""
    acting = operator(tiny, target.site, repository)
    return Deployment(acting, replace(target, owner=acting.owner), {})


def containers(tiny: Tiny, site: Site) -> list[dict[str, Any]]:
    """`docker inspect` of a site's running containers, its database among them."""
    labels = f"--filter label=slipway.project={site.project} --filter label=slipway.environment={site.environment}"
    text = tiny.site.server.ssh(f"docker inspect $(docker ps --quiet {labels})")
    return list(json.loads(text))


def database(tiny: Tiny, site: Site) -> dict[str, Any]:
    """A site's one database."""
    (found,) = (
        one
        for one in containers(tiny, site)
        if one["Config"]["Labels"].get("slipway.service") == "database"
    )
    return found


def rows(tiny: Tiny, site: Site) -> list[str]:
    """What is in a site's database: which site's migrations, of which release."""
    name = database(tiny, site)["Name"].removeprefix("/")
    query = "select site || ' ' || release from visit"
    return tiny.site.server.ssh(
        f'docker exec {name} psql -U app -d mindful -At -c "{query}"'
    ).splitlines()


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_each_database_has_the_rows_of_its_own_site(tiny: Tiny, site: Site) -> None:
    """Every migration, and nobody else's; a rollback migrates nothing."""
    wanted = ["v1"] if site == SITES[3] else ["v1", "v2"]
    assert rows(tiny, site) == [f"{site.name} {release}" for release in wanted]


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_each_site_has_a_network_a_volume_and_a_folder_of_its_own(tiny: Tiny, site: Site) -> None:
    """On the network are its containers alone; the volume is in its database alone."""
    server, own = tiny.site.server, containers(tiny, site)
    format_ = "{{range .Containers}}{{.Name}} {{end}}"
    members = server.ssh(f"docker network inspect --format '{format_}' {site.network}").split()
    assert sorted(members) == sorted(one["Name"].removeprefix("/") for one in own)
    assert len(members) == 3
    holders = server.ssh(f"docker ps --all --quiet --no-trunc --filter volume={site.volume}")
    assert holders.split() == [database(tiny, site)["Id"]]
    assert server.ssh(f"docker network inspect --format '{{{{.Internal}}}}' {site.network}") == (
        "true\n"
    )
    # Docker's own 64 MB are too little for parallel queries (docker-library/postgres#416).
    assert database(tiny, site)["HostConfig"]["ShmSize"] == 256 << 20
    assert json.loads(server.ssh(f"cat {site.folder}/owner.json"))["repository"] == (
        f"git.example/team/{site.project}"
    )


def test_nothing_else_is_on_the_server(tiny: Tiny) -> None:
    """No network, volume, folder or container that is not one site's, or the proxy's."""
    server = tiny.site.server
    networks = set(server.ssh("docker network ls --format '{{.Name}}'").split())
    assert networks == {"bridge", "host", "none", WEB, *(site.network for site in SITES)}
    volumes = set(server.ssh("docker volume ls --quiet").split())
    assert volumes == {site.volume for site in SITES}
    assert set(server.ssh("ls slipway").split()) == {site.name for site in SITES}
    names = server.ssh("docker ps --all --format '{{.Names}}'").split()
    owned = {f"{site.database}-db-1" for site in SITES}
    owned |= {site.app(app, latest(site)) for site in SITES for app in ("api", "frontend")}
    assert set(names) == owned | {"proxy-traefik-1"}


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
@pytest.mark.parametrize("app", ["api", "frontend"])
def test_names_lead_to_the_site_alone(tiny: Tiny, site: Site, app: str) -> None:
    """The database to one address; no plain name of an app to anybody; internal addresses to what serves."""
    look = LOOK.replace("@api", variable("api")).replace("@frontend", variable("frontend"))
    (container,) = (
        one["Name"].removeprefix("/")
        for one in containers(tiny, site)
        if one["Config"]["Labels"].get("slipway.app") == app
    )
    said = json.loads(tiny.site.server.ssh(f"docker exec -i {container} node -", stdin=look))
    network = database(tiny, site)["NetworkSettings"]["Networks"][site.network]
    assert said["names"].pop("db") == [network["IPAddress"]]
    assert set(said["names"].values()) <= {"ENOTFOUND", "ESERVFAIL", "ETIMEOUT"}, said
    assert set(said["inside"].values()) == {
        site.app(name, latest(site)) for name in ("api", "frontend")
    }


def latest(site: Site) -> int:
    """The number of the release that serves: of the last deploy or rollback."""
    return {SITES[1]: 3, SITES[3]: 1}.get(site, 2)


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
async def test_each_address_is_answered_by_its_own_site(tiny: Tiny, site: Site) -> None:
    """By the release that serves; the one that was rolled back, by the release before."""
    for app in ("api", "frontend"):
        url = f"https://{site.name}-{app}.mindfulspace.example/health"
        assert await tiny.site.status(url) == (200, site.app(app, latest(site)))
    images = {one["Config"]["Image"] for one in containers(tiny, site)} & set(tiny.apps)
    assert images == {tiny.apps[0 if site in {SITES[1], SITES[3]} else 1]}


async def test_an_address_that_another_site_has_is_refused_with_its_name(tiny: Tiny) -> None:
    """Before anything is changed; also a part of it that is written in capitals."""
    theirs, ours = tiny.recorded(SITES[2], "v9"), tiny.recorded(SITES[0], "typo")
    host = theirs.apps[1].routing.host.upper()
    web = replace(ours.apps[1], routing=replace(ours.apps[1].routing, host=host))
    with pytest.raises(ConfigError, match="is routed to shop-prod--eu on this server already"):
        await deployment(tiny, replace(ours, apps=(ours.apps[0], web))).deploy(ignored)
    assert await tiny.site.status(f"https://{theirs.apps[1].routing.host}/health") == (
        200,
        SITES[2].app("frontend", 2),
    )


async def test_another_repository_is_refused_and_told_whose_the_site_is(tiny: Tiny) -> None:
    """And how to hand over: then it may, and the site is its own."""
    target = tiny.recorded(SITES[3], "v2")
    with pytest.raises(ConfigError) as caught:
        await deployment(tiny, target, "git.example/other/shop").deploy(ignored)
    said = str(caught.value)
    assert "belongs to git.example/team/shop-prod" in said
    assert "rm slipway/shop-prod--staging/owner.json" in said
    tiny.site.server.ssh("rm slipway/shop-prod--staging/owner.json")
    await deployment(tiny, target, "git.example/other/shop").deploy(ignored)
    told = json.loads(tiny.site.server.ssh("cat slipway/shop-prod--staging/owner.json"))
    assert told["repository"] == "git.example/other/shop"


async def test_a_volume_that_somebody_else_has_open_is_refused(tiny: Tiny) -> None:
    """Two programs on one database's files destroy them."""
    server, site = tiny.site.server, Site("shop", "fresh")
    server.ssh(f"docker volume create {site.volume}")
    server.ssh(
        f"docker run --detach --name other --volume {site.volume}:/data --entrypoint sleep "
        f"{tiny.apps[0]} 300"
    )
    try:
        with pytest.raises(ConfigError, match="other has the volume shop--fresh--database open"):
            await deployment(tiny, tiny.recorded(site, "v1")).deploy(ignored)
    finally:
        server.ssh(f"docker rm --force other && docker volume rm {site.volume}")


async def test_a_database_that_carries_another_sites_mark_is_not_migrated(tiny: Tiny) -> None:
    """As after a volume was copied from one site to the other."""
    name = database(tiny, SITES[0])["Name"].removeprefix("/")
    mark = f"docker exec -i {name} psql -U app -d mindful -v ON_ERROR_STOP=1"
    before = rows(tiny, SITES[0])
    tiny.site.server.ssh(mark, stdin="ALTER SYSTEM SET cluster_name = 'shop-prod--staging';")
    try:
        with pytest.raises(ServerError, match="marked as that of shop-prod--staging"):
            await deployment(tiny, tiny.recorded(SITES[0], "v3")).deploy(ignored)
    finally:
        tiny.site.server.ssh(mark, stdin="ALTER SYSTEM SET cluster_name = 'shop--staging';")
    assert rows(tiny, SITES[0]) == before


@pytest.mark.parametrize("network", [SITES[0].network, WEB])
async def test_what_else_answers_to_the_databases_name_stops_a_deploy(
    tiny: Tiny, network: str
) -> None:
    """On the site's network chance would decide which of the two is used; the proxy's is asked first."""
    server, before = tiny.site.server, rows(tiny, SITES[0])
    server.ssh(
        f"docker run --detach --name imposter --network {network} --network-alias db "
        f"--entrypoint sleep {tiny.apps[0]} 300"
    )
    try:
        with pytest.raises(ServerError, match="remove what else answers to db"):
            await deployment(tiny, tiny.recorded(SITES[0], "v3")).deploy(ignored)
    finally:
        server.ssh("docker rm --force imposter")
    assert rows(tiny, SITES[0]) == before


async def test_a_user_who_may_not_look_at_the_cluster_deploys_all_the_same(tiny: Tiny) -> None:
    """The mark is read as who made the cluster; the address's own user has its tables and no more."""
    site = SITES[0]
    name = database(tiny, site)["Name"].removeprefix("/")
    psql = f"docker exec -i {name} psql -U app -d mindful -v ON_ERROR_STOP=1"
    make = "CREATE ROLE lesser LOGIN PASSWORD 'lesser-sentinel'; GRANT CREATE ON SCHEMA public TO lesser; "
    make += "GRANT ALL ON ALL TABLES IN SCHEMA public TO lesser;"
    tiny.site.server.ssh(psql, stdin=make)
    target = tiny.recorded(site, "lesser")
    assert target.database
    assert target.migration
    env = {**target.database.env, "POSTGRES_USER": "lesser", "POSTGRES_PASSWORD": "lesser-sentinel"}
    url = "postgresql://lesser:lesser-sentinel@db:5432/mindful"
    said = await deployment(
        tiny,
        replace(
            target,
            database=replace(target.database, env=env),
            migration=replace(target.migration, env={**target.migration.env, "DATABASE_URL": url}),
        ),
    ).deploy(ignored)
    assert "db is the database of shop--staging" in said
    assert rows(tiny, site)[-1] == "shop--staging lesser"


async def test_a_database_elsewhere_is_migrated_and_said_to_be_nobodys(tiny: Tiny) -> None:
    """The migrator gets out to it; there is no network, no volume, no database of the site's own."""
    server, site = tiny.site.server, Site("shop", "managed")
    secret = "--env POSTGRES_USER=app --env POSTGRES_PASSWORD=app --env POSTGRES_DB=mindful"
    server.ssh(f"docker run --detach --name managed --publish 15432:5432 {secret} postgres:17")
    url = f"postgresql://app:app@{server.address}:15432/mindful"
    target = tiny.recorded(site, "v1")
    assert target.migration
    env = {**target.migration.env, "DATABASE_URL": url, "SECONDS_BEFORE": "3"}
    apps = tuple(replace(app, internal=False) for app in target.apps)
    elsewhere = replace(
        target,
        database=None,
        managed=server.address,
        apps=apps,
        migration=replace(target.migration, env=env),
    )
    lines: list[str] = []
    try:
        await deployment(tiny, elsewhere).deploy(lines.append)
        query = "docker exec -i managed psql -U app -d mindful -At"
        assert server.ssh(query, stdin="select site from visit;").strip() == "shop--managed"
    finally:
        server.ssh("docker rm --force --volumes managed")
    assert any(f"the database is at {server.address}, not on this server" in line for line in lines)
    assert site.network not in server.ssh("docker network ls --format '{{.Name}}'")
    assert site.volume not in server.ssh("docker volume ls --quiet")

"""What docker tells of a server's containers: who has which route, volume and database."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slipway.server import inventory
from slipway.server.inventory import Database, Listed, Proxy
from slipway.server.names import Site

SITE = Site("shop", "prod")
# As slipway 0.1 could not tell them apart.
ONE, OTHER = Site("shop", "prod-eu"), Site("shop-prod", "eu")
DATA = "/var/lib/postgresql/data"
# As `docker inspect --format` prints it on Debian 13, keys in docker's order; a line each.
APP_LINE = (
    '{"id":"5f0c1e2d3b4a5968778695a4b3c2d1e0f5f0c1e2d3b4a5968778695a4b3c2d1e","name":"/shop--prod--api--7",'
    '"image":"registry.example/shop/api@sha256:0a1b","labels":{"com.docker.compose.project":"shop--prod--api--7",'
    '"com.docker.compose.service":"shop--prod--api--7","slipway.app":"api","slipway.environment":"prod",'
    '"slipway.project":"shop","slipway.release":"v1","slipway.sequence":"7","traefik.enable":"true",'
    '"traefik.http.routers.shop--prod--api--7--internal.rule":"Host(`api.shop--prod.internal`)",'
    '"traefik.http.routers.shop--prod--api--7.entrypoints":"websecure",'
    '"traefik.http.routers.shop--prod--api--7.rule":"Host(`shop.example`) \\u0026\\u0026 (Path(`/api`) || '
    'PathPrefix(`/api/`))"},"status":"running","started":"2025-11-03T08:15:30.123456789Z","health":"healthy",'
    '"restarts":2,"policy":"unless-stopped","shm":67108864,"ports":{},"networks":{"shop--prod--internal":{"IPAMConfig":null,'
    '"Links":null,"Aliases":["shop--prod--api--7","shop--prod--api--7"],"IPAddress":"172.20.0.3"},"web":{'
    '"IPAMConfig":null,"Links":["proxy-traefik-1:api.shop--prod.internal"],"Aliases":null,'
    '"IPAddress":"172.18.0.5"}},"mounts":[],"arguments":["docker-entrypoint.sh","node","server.js"]}'
)
PROXY_LINE = (
    '{"id":"9e8d7c6b5a49382716059e8d7c6b5a49382716059e8d7c6b5a49382716059e8d","name":"/proxy-traefik-1",'
    '"image":"traefik:3.6","labels":{},"status":"running","started":"2025-11-01T00:00:00Z","health":"",'
    '"restarts":0,"policy":"unless-stopped","shm":67108864,"ports":{"443/tcp":[{"HostIp":"","HostPort":"443"},{"HostIp":"::",'
    '"HostPort":"443"}],"80/tcp":[{"HostIp":"","HostPort":"80"}],"8080/tcp":null,"9000/tcp":[{"HostIp":"",'
    '"HostPort":""}]},"networks":{"web":{"Aliases":["traefik"]}},"mounts":[{"Type":"bind","Source":"/etc/x",'
    '"Destination":"/etc/traefik","Mode":"ro","RW":false},{"Type":"volume","Name":"acme","Source":"/var/x",'
    '"Destination":"/acme","Driver":"local"}],"arguments":["--providers.docker=true",'
    '"--entryPoints.internal.address=:8000"]}'
)
BARE_LINE = (
    '{"id":"1","name":"/bare","image":"busybox","labels":null,"status":"created","started":"0001-01-01T00:00:00Z",'
    '"health":"none","restarts":0,"policy":"","shm":0,"ports":null,"networks":null,"mounts":null,"arguments":null}'
)


def of(site: Site, app: str = "api", sequence: int = 7, **changes: Any) -> Listed:
    """An app's container, as slipway starts it."""
    name = site.app(app, sequence)
    rule = changes.pop("rule", "Host(`shop.example`)")
    labels = {
        "com.docker.compose.project": changes.pop("project", name),
        **site.app_labels(app, sequence, "v1"),
        f"traefik.http.routers.{name}.rule": rule,
    }
    return Listed(name=name, labels=labels, **changes)


def foreign(rule: str = "Host(`shop.example`)", **changes: Any) -> Listed:
    """A container that slipway did not start."""
    labels = {"traefik.http.routers.blog.rule": rule}
    return Listed(name="blog-1", labels=labels | changes.pop("labels", {}), **changes)


def postgres(project: str, **changes: Any) -> Listed:
    """A Postgres that Compose started: slipway 0.1 put no labels of its own on it."""
    told: dict[str, Any] = {
        "id": "0123456789abcdef",
        "name": f"{project}-db-1",
        "image": "postgres:17",
        "labels": {"com.docker.compose.project": project},
        "networks": {"internal": (f"{project}-db-1", "db", "0123456789ab")},
        "volumes": {"db_data_prod": DATA},
        "shm_bytes": 512 << 20,
    }
    return Listed(**told | changes)


def test_an_apps_container_is_read_with_all_that_docker_tells_of_it() -> None:
    """Name, labels, health, networks with their aliases."""
    (app,) = inventory.read(APP_LINE + "\n")
    assert (app.name, app.project, app.image) == (
        "shop--prod--api--7",
        "shop--prod--api--7",
        "registry.example/shop/api@sha256:0a1b",
    )
    assert app.running
    assert (app.health, app.restarts, app.policy) == ("healthy", 2, "unless-stopped")
    assert app.started == "2025-11-03T08:15:30.123456789Z"
    assert app.shm_bytes == 64 << 20
    assert app.networks == {
        "shop--prod--internal": ("shop--prod--api--7", "shop--prod--api--7"),
        "web": (),
    }
    assert (app.ports, app.volumes) == (frozenset(), {})
    assert app.arguments == ("docker-entrypoint.sh", "node", "server.js")
    assert app.belongs_to(SITE)
    assert app.routes == {("shop.example", "/api"), ("api.shop--prod.internal", "/")}


def test_ports_and_volumes_are_read_and_what_is_bound_is_none() -> None:
    """Each port once; one that Docker chooses is none, and one without a binding none."""
    (proxy,) = inventory.read(PROXY_LINE)
    assert proxy.ports == {443, 80}
    assert proxy.volumes == {"acme": "/acme"}
    assert proxy.owner == ("", "", "")
    assert proxy.owner_shown == "the container proxy-traefik-1"


def test_a_range_of_ports_is_each_of_them() -> None:
    """As Docker tells of `-p 440-445:80`: the proxy may be among them."""
    line = json.loads(PROXY_LINE) | {"ports": {"80/tcp": [{"HostIp": "", "HostPort": "440-445"}]}}
    (ranged,) = inventory.read(json.dumps(line))
    assert ranged.ports == set(range(440, 446))


def test_a_container_of_which_docker_tells_nothing_is_read_too() -> None:
    """Null where there are no labels, ports, networks, mounts or arguments; no health check is no health."""
    (bare,) = inventory.read(BARE_LINE)
    expected = Listed(
        id="1",
        name="bare",
        image="busybox",
        status="created",
        started="0001-01-01T00:00:00Z",
        policy="",
    )
    assert bare == expected
    assert not bare.running


def test_every_line_is_a_container_and_blank_ones_are_none() -> None:
    """In docker's order; a server may have none."""
    text = f"{APP_LINE}\n\n{PROXY_LINE}\n{BARE_LINE}\n"
    names = [one.name for one in inventory.read(text)]
    assert names == ["shop--prod--api--7", "proxy-traefik-1", "bare"]
    assert inventory.read("") == inventory.read("\n") == ()


def test_the_format_asks_for_what_is_read_and_for_no_environment() -> None:
    """It holds secrets."""
    line = json.loads(BARE_LINE)
    assert [name for name in line if f'"{name}":' not in inventory.FORMAT] == []
    assert inventory.FORMAT.count('":') == len(line)
    assert ".Env" not in inventory.FORMAT


@pytest.mark.parametrize(
    ("rule", "routes"),
    [
        ("Host(`a.example`)", {("a.example", "/")}),
        ("Host(`A.Example`)", {("a.example", "/")}),
        ("Host(`a.example`) && PathPrefix(`/api`)", {("a.example", "/api")}),
        ("Host(`a.example`) && PathPrefix(`/api/`)", {("a.example", "/api")}),
        (
            "Host(`a.example`) && (Path(`/api`) || PathPrefix(`/api/`))",
            {("a.example", "/api")},
        ),
        ("Host(`a.example`, `b.example`)", {("a.example", "/"), ("b.example", "/")}),
        ("Host(`a.example`,`b.example`)", {("a.example", "/"), ("b.example", "/")}),
        (
            "(Host(`a.example`) || Host(`b.example`)) && PathPrefix(`/api`)",
            {("a.example", "/api"), ("b.example", "/api")},
        ),
        ('Host("a.example") && PathPrefix("/api")', {("a.example", "/api")}),
        (
            "(Host(`a.example`) && PathPrefix(`/x`)) || (host(`b.example`) && PathPrefix(`/y`))",
            {("a.example", "/x"), ("b.example", "/y")},
        ),
        ("!Host(`a.example`) && Host(`b.example`)", {("b.example", "/")}),
        ("HostRegexp(`.+`)", set()),
        ("PathPrefix(`/api`)", set()),
    ],
)
def test_a_rules_hosts_and_path_are_told(rule: str, routes: set[tuple[str, str]]) -> None:
    """In lower case; every host of it."""
    assert foreign(rule).routes == routes


def test_only_the_rules_of_http_routers_are_routes() -> None:
    """Not what else has a host in it; of several routers each."""
    labels = {
        "traefik.http.routers.other.rule": "Host(`c.example`)",
        "traefik.tcp.routers.db.rule": "HostSNI(`d.example`)",
        "traefik.http.routers.blog.tls.domains[0].main": "Host(`e.example`)",
        "note": "Host(`f.example`)",
    }
    routes = foreign("Host(`a.example`)", labels=labels).routes
    assert routes == {("a.example", "/"), ("c.example", "/")}


@pytest.mark.parametrize(
    ("listed", "who"),
    [
        (of(ONE), "shop--prod-eu"),
        (of(Site("shop", "prod", "7")), "shop--prod--7"),
        (foreign(), "the container blog-1"),
        (foreign("Host(`SHOP.example`)"), "the container blog-1"),
        (foreign("Host(`other.example`, `shop.example`)"), "the container blog-1"),
    ],
)
def test_an_address_that_somebody_else_has_is_told_with_who_has_it(
    listed: Listed, who: str
) -> None:
    """Another site, another instance of the same, and what slipway did not start."""
    wanted = [("shop.example", "/"), ("free.example", "/")]
    assert inventory.taken([listed, of(SITE)], SITE, wanted) == [("shop.example", "/", who)]


def test_a_sites_own_address_is_not_taken() -> None:
    """Its older releases have it, also those of slipway 0.1."""
    old = of(SITE, sequence=3, project="shop-prod-api-3")
    assert inventory.taken([of(SITE), old], SITE, [("shop.example", "/")]) == []


@pytest.mark.parametrize(
    ("has", "wants", "taken"),
    [
        ("Host(`shop.example`) && PathPrefix(`/api`)", "/api", True),
        ("Host(`shop.example`) && (Path(`/api`) || PathPrefix(`/api/`))", "/api", True),
        ("Host(`shop.example`) && PathPrefix(`/api`)", "/api/", True),
        ("Host(`shop.example`) && PathPrefix(`/api`)", "/", False),
        ("Host(`shop.example`) && PathPrefix(`/api`)", "/api-docs", False),
        ("Host(`shop.example`)", "/api", False),
        ("Host(`shop.example`)", "", True),
    ],
)
def test_a_path_is_taken_where_it_is_the_same_one(has: str, wants: str, taken: bool) -> None:
    """The rule of slipway 0.1 and that of today say the same; below a host others may have other paths."""
    found = inventory.taken([of(OTHER, rule=has)], SITE, [("shop.example", wants)])
    assert found == ([("shop.example", wants, "shop-prod--eu")] if taken else [])


def test_an_address_is_taken_however_its_host_is_written() -> None:
    """It is told as the one who wants it writes it."""
    found = inventory.taken([foreign()], SITE, [("Shop.Example", "/")])
    assert found == [("Shop.Example", "/", "the container blog-1")]


def test_all_who_have_an_address_are_told_once() -> None:
    """Two containers of one site are one; sorted."""
    listed = [of(OTHER, sequence=8), of(OTHER), of(ONE), foreign()]
    found = inventory.taken(listed, SITE, [("shop.example", "/")])
    assert [who for *_, who in found] == ["shop--prod-eu", "shop-prod--eu", "the container blog-1"]


def test_whoever_has_a_volume_open_holds_it_but_for_the_database() -> None:
    """The site's own, also that of slipway 0.1; what does not run has nothing open."""
    volume = SITE.volume
    mounted = {volume: "/anywhere"}
    listed = [
        Listed(name="backup", volumes=mounted),
        Listed(name="adminer", volumes={"other": DATA}),
        Listed(name="stopped", status="exited", volumes=mounted),
        postgres(SITE.database, volumes=mounted),
        postgres(SITE.former_database, volumes=mounted),
        postgres(ONE.database, volumes=mounted),
    ]
    assert inventory.holders(listed, volume, SITE) == ["backup", "shop--prod-eu--database-db-1"]


def test_two_sites_that_slipway_0_1_could_not_tell_apart_both_claim_the_old_name() -> None:
    """Whoever of them asks."""
    old = "shop-prod-eu-api-3"
    listed = [of(ONE, project=old), of(OTHER, project=old), of(SITE, project="shop-prod-api-1")]
    both = {("shop", "prod-eu"), ("shop-prod", "eu")}
    assert inventory.claims(listed, ONE) == inventory.claims(listed, OTHER) == both


def test_who_was_deployed_by_this_slipway_claims_no_old_name() -> None:
    """The other one's containers have names of their own, and so has its database."""
    listed = [of(OTHER), of(OTHER, "web"), postgres(OTHER.database), foreign()]
    assert inventory.claims(listed, ONE) == frozenset()
    listed.append(of(ONE, project="shop-prod-eu-api-3"))
    assert inventory.claims(listed, ONE) == {("shop", "prod-eu")}


def test_a_site_whose_old_name_only_begins_alike_claims_nothing() -> None:
    """`shop-prod` is the beginning of `shop-prod-eu-api-3`."""
    listed = [of(ONE, project="shop-prod-eu-api-3")]
    assert inventory.claims(listed, SITE) == frozenset()
    assert inventory.claims([postgres("shop-prod-eu-database")], ONE) == frozenset()


def test_the_sites_database_is_that_of_its_compose_project() -> None:
    """With its volume, its networks, and the names that are not Docker's own."""
    listed = postgres(
        SITE.database,
        networks={SITE.network: (f"{SITE.database}-db-1", "db", "postgres", "0123456789ab")},
        volumes={"backups": "/backups", SITE.volume: DATA},
        status="exited",
    )
    assert inventory.database([postgres(ONE.database), listed], SITE, former=False) == Database(
        "shop--prod--database-db-1",
        "postgres:17",
        "shop--prod--database",
        "shop--prod--database",
        frozenset({"shop--prod--internal"}),
        ("db", "postgres"),
        running=False,
        shm_bytes=512 << 20,
    )


def test_a_database_of_slipway_0_1_is_the_sites_where_the_old_name_is_its_own() -> None:
    """Else nobody knows whose it is."""
    listed = [postgres("shop-prod-database")]
    found = inventory.database(listed, SITE, former=True)
    assert found
    assert found == Database(
        "shop-prod-database-db-1",
        "postgres:17",
        "shop-prod-database",
        "db_data_prod",
        frozenset({"internal"}),
        ("db",),
        shm_bytes=512 << 20,
    )
    assert inventory.database(listed, SITE, former=False) is None


def test_a_database_of_slipway_0_1_that_was_taken_over_is_the_sites_from_there_on() -> None:
    """It is on the site's own network, whoever else had that old name; the other site has none."""
    taken = postgres("shop-prod-eu-database", networks={ONE.network: ("db",), "internal": ("db",)})
    found = inventory.database([taken], ONE, former=False)
    assert found
    assert found.networks == {"shop--prod-eu--internal", "internal"}
    assert inventory.database([taken], OTHER, former=False) is None


def test_a_database_without_a_named_volume_has_none() -> None:
    """Its files are in a folder of the server."""
    found = inventory.database([postgres(SITE.database, volumes={})], SITE, former=False)
    assert found
    assert found.volume == ""


def test_a_server_without_the_sites_database_has_none() -> None:
    """What is another's, or nobody's, is not it."""
    listed = [postgres(ONE.database), postgres("shop-database"), foreign(), of(SITE)]
    assert inventory.database(listed, SITE, former=True) is None


@pytest.mark.parametrize(
    ("arguments", "internal"),
    [
        (("--entrypoints.internal.address=:8000",), True),
        (("traefik", "--entryPoints.internal.address=:8000"), True),
        (("--entrypoints.internal.http.x=1", "--entrypoints.websecure.address=:443"), False),
        (("--entrypoints.internal2.address=:8000",), False),
        ((), False),
    ],
)
def test_the_proxy_tells_whether_apps_reach_each_other_by_it(
    arguments: tuple[str, ...], internal: bool
) -> None:
    """By the address of its internal entry point, however Traefik's option is written."""
    listed = [foreign(), Listed(name="edge", ports=frozenset({80, 443}), arguments=arguments)]
    assert inventory.proxy(listed) == Proxy("edge", internal=internal, arguments=arguments)


def test_what_does_not_run_or_has_another_port_is_no_proxy() -> None:
    """A Traefik that was replaced still has its binding."""
    stopped = Listed(name="old", status="exited", ports=frozenset({443}))
    assert inventory.proxy([stopped, Listed(name="app", ports=frozenset({8443}))]) is None
    (proxy,) = inventory.read(PROXY_LINE)
    assert inventory.proxy([stopped, proxy]) == Proxy(
        "proxy-traefik-1", internal=True, arguments=proxy.arguments
    )

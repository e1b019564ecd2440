"""Names on a server: thousands of sites made to collide, and none ever does."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

import pytest

from slipway import deployable
from slipway.server import files, names
from slipway.server.inventory import Proxy
from slipway.server.names import Site
from slipway.server.target import AppRelease, Database, Migration, Routing, Target

SEEDS, SITES = range(4), 400
# Names that slipway itself gives meaning to, numbers, and what `-` may join or split.
WORDS = (
    *("a", "b", "a-b", "b-a", "a_b", "0", "1", "12", "7-1", "prod", "shop", "app", "web", "db"),
    *("internal", "database", "migrator", "releases", "slipway", "db-1", "run"),
)
SEQUENCES = (1, 7, 12, 121)
PROXY = Proxy("proxy-traefik-1", internal=True)
COMPOSE = re.compile(r"[a-z0-9][a-z0-9_-]*")
# Containers, networks and volumes (RestrictedNameChars in moby's daemon/names).
DOCKER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
# A router's name is one part of a label's, which dots separate, and `@` ends it.
ROUTER = re.compile(r"[^.@\s]+")
LABEL = re.compile(r"[a-z0-9_-]{1,63}")


def letters(chance: random.Random) -> str:
    """Few characters, in any order: also what is refused."""
    return "".join(chance.choices("ab1-_", k=chance.randint(1, 5)))


def joined(chance: random.Random) -> str:
    """Words with a dash between them, sometimes two."""
    return chance.choice(("-", "-", "-", "--", "_")).join(
        chance.choices(WORDS, k=chance.randint(1, 3))
    )


def cut(chance: random.Random) -> list[str]:
    """One of a few texts in four parts, cut at three of its dashes: others cut it elsewhere."""
    words = chance.choice(
        ("a-b-a-b-a-b", "shop-prod-eu-api-1", "1-1-1-1-1", "a-internal-1-internal-1")
    ).split("-")
    ends = sorted(chance.sample(range(1, len(words)), 3))
    spans = zip([0, *ends], [*ends, len(words)], strict=True)
    return ["-".join(words[start:end]) for start, end in spans]


def part(chance: random.Random) -> str:
    return chance.choice((letters, joined, lambda chance: chance.choice(WORDS)))(chance)


@dataclass(frozen=True)
class Wanted:
    """A site, and the apps that it has."""

    site: Site
    apps: tuple[str, ...]


def wanted(chance: random.Random) -> Wanted:
    """Any site, also one that is refused."""
    parts = cut(chance) if chance.random() < 0.7 else [part(chance) for _ in range(4)]
    instance = parts[2] if chance.random() < 0.5 else ""
    apps = (parts[3], parts[0], *(part(chance) for _ in range(2)))
    return Wanted(Site(parts[0], parts[1], instance), tuple(dict.fromkeys(apps)))


def accepted(one: Wanted) -> bool:
    """Whether slipway deploys it; an instance is a part like the environment."""
    site = one.site
    instance = deployable.problems(site.project, site.instance) if site.instance else []
    return not instance and not deployable.problems(site.project, site.environment, one.apps)


def generated(seed: int) -> list[Wanted]:
    """Sites that are accepted, each once."""
    chance = random.Random(seed)  # noqa: S311 - to be had again, not to be secret
    made: dict[Site, Wanted] = {}
    while len(made) < SITES:
        one = wanted(chance)
        if accepted(one):
            made.setdefault(one.site, one)
    return list(made.values())


@dataclass
class Taken:
    """The names of one server, by kind, and what has each."""

    by: dict[tuple[str, str], tuple[object, ...]] = field(default_factory=dict)
    clashes: list[str] = field(default_factory=list)

    def add(self, kind: str, name: str, *owner: object) -> None:
        """Note a name; a clash where something else has it."""
        there = self.by.setdefault((kind, name), owner)
        if there != owner:
            self.clashes.append(f"{kind} {name}: {there} and {owner}")

    def of(self, kind: str) -> list[str]:
        """Every name of a kind."""
        return [name for there, name in self.by if there == kind]


def release(site: Site, apps: Iterable[str]) -> Target:
    """A release of these apps."""
    made = (AppRelease(a, "i", 1, Routing("x.example"), "/", 1, internal=True) for a in apps)
    return Target(site, "v1", tuple(made))


def app_names(target: Target) -> Iterator[tuple[str, str, str, int]]:
    """Kind, name, app and number of all that the compose files of apps name."""
    for app in target.apps:
        for sequence in SEQUENCES:
            file = files.app(target, app, sequence, PROXY)
            ((name, service),) = file.services.items()
            keys = [label.split("=", 1)[0].split(".") for label in service.labels]
            yield "compose project", file.name, app.name, sequence
            yield "service", name, app.name, sequence
            yield "container", service.container_name or "", app.name, sequence
            for _, _, kind, one, *_ in (key for key in keys if key[:2] == ["traefik", "http"]):
                # Two routers, and what each leads to, are of one app and number.
                yield kind, one, app.name, sequence


@cache
def taken(seed: int) -> Taken:
    """All names that the sites of one seed have on one server."""
    found = Taken()
    for one in generated(seed):
        site = one.site
        target = release(site, one.apps)
        found.add("folder", site.folder, site)
        found.add("network", site.network, site)
        found.add("volume", site.volume, site)
        database = files.database(
            site, Database("postgres:17", "db", {}), project=site.database, volume=site.volume
        )
        found.add("compose project", database.name, site, "the database")
        # As Compose calls what it starts.
        found.add("container", f"{database.name}-{files.DATABASE_SERVICE}-1", site, "the database")
        for sequence in SEQUENCES:
            migrator = files.migration(site, Migration("i", {}), sequence, "v1", site.network).name
            found.add("compose project", migrator, site, "the migrator", sequence)
            run = f"{migrator}-{names.MIGRATOR}-run-0a1b2c3d4e5f"
            found.add("container", run, site, "the migrator", sequence)
        for app in target.apps:
            found.add("internal host", site.internal_host(app.name), site, app.name)
        for kind, name, app_name, sequence in app_names(target):
            found.add(kind, name, site, app_name, sequence)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_no_two_things_on_a_server_have_one_name(seed: int) -> None:
    """Of two sites, two apps or two releases; whatever their names are made of."""
    found = taken(seed)
    assert not found.clashes, f"{len(found.clashes)} of seed {seed}, first {found.clashes[0]}"


@pytest.mark.parametrize("seed", SEEDS)
def test_docker_compose_and_traefik_take_every_name(seed: int) -> None:
    """By the patterns of their own sources."""
    found = taken(seed)
    patterns = {
        "compose project": COMPOSE,
        "container": DOCKER,
        "network": DOCKER,
        "volume": DOCKER,
        "routers": ROUTER,
        "services": ROUTER,
        "middlewares": ROUTER,
    }
    for kind, pattern in patterns.items():
        assert [name for name in found.of(kind) if not pattern.fullmatch(name)] == []
    hosts = [host.split(".") for host in found.of("internal host")]
    assert [host for host in hosts if not all(map(LABEL.fullmatch, host)) or len(host) != 3] == []
    folders = [folder.split("/") for folder in found.of("folder")]
    assert {(len(folder), folder[0]) for folder in folders} == {(2, names.HOME)}


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_has_a_name_that_slipway_0_1_gave_or_that_sites_share(seed: int) -> None:
    """A site that has not been taken over yet meets no other one's new names."""
    found = taken(seed)
    for one in (each.site for each in generated(seed)):
        assert ("folder", one.former.folder) not in found.by
        assert ("volume", one.former_volume) not in found.by
        assert ("compose project", one.former_database) not in found.by
        for sequence in SEQUENCES:
            assert ("compose project", f"{one.former_name}-a-{sequence}") not in found.by
    for network in (names.WEB, names.SHARED):
        assert ("network", network) not in found.by


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_generated_collides_where_a_single_dash_joins(seed: int) -> None:
    """As in slipway 0.1: else the tests above would prove little."""
    found = Taken()
    for one in generated(seed):
        site = one.site
        name = "-".join(filter(None, (site.project, site.environment, site.instance)))
        found.add("folder", name, site)
        for app in one.apps:
            found.add("app", f"{name}-{app}-1", site, app)
    assert len(found.clashes) > SITES / 8


EXPECTED = (
    "expected, to be deployed to a server, lower-case letters, digits, _ and single dashes; "
    "a letter or digit first, no dash last"
)


@pytest.mark.parametrize(
    "name",
    [
        *("a.b", "Shop", "sHop", "a--b", "a---b", "-a", "a-", "--", "-", "_a", "", "a b", "a/b"),
        *("ü", "a\n", "a:b", "a@b", "a`b", "٣"),
    ],
)
def test_a_name_that_no_server_takes_is_told_with_its_key(name: str) -> None:
    """The project's, the environment's and an app's, each once, with what is expected."""
    assert deployable.problems(name, "prod", ["api"]) == [f'name: "{name}" — {EXPECTED}']
    assert deployable.problems("shop", name, ["api"]) == [f'environments: "{name}" — {EXPECTED}']
    assert deployable.problems("shop", "prod", ["api", name]) == [f'apps: "{name}" — {EXPECTED}']


def test_all_names_that_no_server_takes_are_told_at_once() -> None:
    """In the order of their keys."""
    found = deployable.problems("Shop", "prod.eu", ["api", "a--b", "database"])
    assert [problem.partition('" — ')[0] for problem in found] == [
        'name: "Shop',
        'environments: "prod.eu',
        'apps: "a--b',
        'apps: "database',
    ]


def test_a_name_that_a_browser_takes_for_an_encoded_one_is_refused() -> None:
    """`xn--…` is how domain names write other alphabets: no URL takes `xn--prod`."""
    (found,) = deployable.problems("xn", "prod", ["api"])
    assert found.startswith('name: "xn"')


def test_an_app_whose_name_is_no_label_of_a_domain_name_is_refused() -> None:
    """Its internal address begins with it."""
    assert deployable.problems("shop", "prod", ["a" * 63]) == []
    (found,) = deployable.problems("shop", "prod", ["a" * 64])
    assert found.endswith("expected at most 63 characters to be deployed")


@pytest.mark.parametrize(("project", "environment"), [("a" * 56, "prod1"), ("a", "b" * 60)])
def test_project_and_environment_fill_a_label_of_a_domain_name(
    project: str, environment: str
) -> None:
    """63 characters with what joins them, and not one more."""
    assert deployable.problems(project, environment) == []
    assert max(map(len, Site(project, environment).internal_host("api").split("."))) == 63
    longer = f"{project}a"
    (found,) = deployable.problems(longer, environment)
    assert found == (
        f'name: "{longer}" and the environment "{environment}" are 62 characters together; '
        "expected at most 61"
    )


@pytest.mark.parametrize("name", ["migrator", "database"])
def test_an_app_is_not_called_as_what_slipway_deploys_itself(name: str) -> None:
    """An environment or a project may be."""
    assert deployable.problems("shop", "prod", [name]) == [
        f'apps: "{name}" — slipway deploys something of that name itself; expected another'
    ]
    assert deployable.problems(name, name, ["api"]) == []


@pytest.mark.parametrize("name", ["0", "12", "a_b", "a__b", "internal", "a-b-c", "app_"])
def test_a_name_of_digits_underscores_and_single_dashes_is_taken(name: str) -> None:
    """Numbers, and what slipway calls a network, too."""
    assert deployable.problems(name, name, [name]) == []


@pytest.mark.parametrize(
    ("one", "other", "variable"),
    [("a-b", "a_b", "SLIPWAY_A_B_URL"), ("my-api-1", "my_api-1", "SLIPWAY_MY_API_1_URL")],
)
def test_two_apps_do_not_share_the_variable_that_tells_their_address(
    one: str, other: str, variable: str
) -> None:
    """Each would be told the address of one of them."""
    found = deployable.problems("shop", "prod", [one, "web", other])
    expected = "expected names that differ in more than - and _"
    assert found == [
        f'apps: "{app}" — another app would get the same variable {variable}; {expected}'
        for app in (one, other)
    ]
    assert names.variable(one) == names.variable(other) == variable


@pytest.mark.parametrize("seed", SEEDS)
def test_each_app_of_a_site_has_a_variable_of_its_own(seed: int) -> None:
    """As a shell takes it."""
    for one in generated(seed):
        variables = [names.variable(app) for app in one.apps]
        assert len(set(variables)) == len(variables)
        assert all(re.fullmatch(r"[A-Z_][A-Z0-9_]*", variable) for variable in variables)

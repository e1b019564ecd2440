"""Whether a site may have what it wants on a server that others are on, and the words of each refusal."""

from dataclasses import replace

from slipway.server.belonging import problems, shared
from slipway.server.inventory import Database, Listed
from slipway.server.names import Site
from slipway.server.need import Need
from slipway.server.owner import Owner
from slipway.server.situation import Situation

SITE = Site("shop", "prod")
OWNER = Owner("shop", "prod", "git.example/team/shop")
NEED = Need(
    SITE, database="db", routes=(("shop.example", "/"), ("shop.example", "/api")), owner=OWNER
)
DATABASE = Database(
    f"{SITE.database}-db-1",
    "postgres:17",
    SITE.database,
    SITE.volume,
    frozenset({SITE.network}),
    ("db",),
)
OURS = Listed(
    name=SITE.app("web", 3),
    labels={
        **SITE.app_labels("web", 3, "v1"),
        "traefik.http.routers.web.rule": "Host(`shop.example`)",
    },
)
RUNNING = Listed(
    name=DATABASE.name,
    labels={"com.docker.compose.project": SITE.database},
    volumes={SITE.volume: "/var/lib/postgresql/data"},
)
IN_ORDER = Situation(
    volumes=frozenset({SITE.volume}), database=DATABASE, owner=OWNER, listed=(OURS, RUNNING)
)


def old_database(project: str) -> Listed:
    """A Postgres of slipway 0.1."""
    return Listed(
        name=f"{project}-db-1",
        labels={"com.docker.compose.project": project},
        volumes={"db_data_prod": "/var/lib/postgresql/data"},
    )


def test_a_site_in_order_may_have_all_that_it_wants() -> None:
    """Its own containers have its addresses and its volume."""
    assert problems(NEED, IN_ORDER) == []


def test_a_server_that_has_nothing_is_for_whoever_comes() -> None:
    """No owner, no volume, no container."""
    assert problems(NEED, Situation()) == []


def test_a_database_does_not_answer_to_another_name_by_a_deploy_alone() -> None:
    """Its container stays what it is: the way out is told, with what it costs."""
    (said,) = problems(replace(NEED, database="postgres"), IN_ORDER)
    assert "names postgres, and the database that is there answers to db" in said
    assert f"docker network connect --alias postgres --alias db {SITE.network}" in said


def test_a_part_of_a_host_that_another_site_has_the_rest_of_is_worth_knowing() -> None:
    """Documentation below a shop's address is fine, a typo is not: it is told, and stops nothing."""
    blog = Site("blog", "prod")
    rule = {"traefik.http.routers.blog.rule": "Host(`shop.example`) && PathPrefix(`/blog`)"}
    found = replace(IN_ORDER, listed=(Listed(labels={**blog.labels, **rule}),))
    assert problems(NEED, found) == []
    first, second = shared(NEED, found)
    assert first.startswith(
        "https://shop.example/ is beside https://shop.example/blog of blog--prod"
    )
    assert second.startswith("https://shop.example/api is beside")


def test_the_site_of_another_repository_is_refused_with_the_ways_out() -> None:
    """Another name, the hand-over with the file to remove, or `--source`."""
    other = replace(NEED, owner=Owner("shop", "prod", "git.example/other/shop"))
    assert problems(other, IN_ORDER) == [
        (
            "shop, prod on this server belongs to git.example/team/shop, and git.example/other/shop is another "
            "repository: give this project another `name`. Is it the same one, moved? Then hand it over, on the "
            "server: rm slipway/shop--prod/owner.json. Or say whose this is by --source"
        )
    ]


def test_the_file_that_hands_a_site_over_is_where_slipway_0_1_had_it() -> None:
    """Until the site is taken over."""
    other = replace(NEED, owner=Owner("shop", "prod", "git.example/other/shop"))
    (found,) = problems(other, replace(IN_ORDER, former=True))
    assert "rm slipway/shop-prod/owner.json" in found


def test_who_only_looks_is_asked_for_no_owner() -> None:
    """Nothing is deployed."""
    assert problems(replace(NEED, owner=None), IN_ORDER) == []


def test_two_sites_that_slipway_0_1_put_into_one_folder_are_for_a_person_to_part() -> None:
    """Neither is taken over in silence; each other one is named."""
    site = Site("shop", "prod-eu")
    claims = frozenset({("shop", "prod-eu"), ("shop-prod", "eu")})
    assert problems(Need(site), Situation(claims=claims)) == [
        (
            "slipway 0.1 put shop-prod + eu and shop + prod-eu into one folder, slipway/shop-prod-eu, with one "
            "database: decide whose it is, remove the other's containers, and what it has below releases/, then "
            "deploy that first"
        )
    ]


def test_each_address_that_is_somebody_elses_is_told_with_who_has_it() -> None:
    """A site, or a container that slipway did not start."""
    other = Site("blog", "prod")
    listed = (
        Listed(
            labels={
                **other.app_labels("web", 1, "v1"),
                "traefik.http.routers.web.rule": "Host(`SHOP.example`)",
            }
        ),
        Listed(
            name="legacy",
            labels={
                "traefik.http.routers.l.rule": "Host(`shop.example`) && PathPrefix(`/api`)",
            },
        ),
    )
    assert problems(NEED, replace(IN_ORDER, listed=listed)) == [
        "https://shop.example/ is routed to blog--prod on this server already: give one of them another address",
        (
            "https://shop.example/api is routed to the container legacy on this server already: give one of them "
            "another address"
        ),
    ]


def test_a_volume_that_something_else_has_open_is_told_with_what() -> None:
    """Two programs on one database's files destroy them."""
    names = ("copy", "adminer")
    others = tuple(Listed(name=name, volumes={SITE.volume: "/data"}) for name in names)
    said = (
        "adminer, copy has the volume shop--prod--database open: two programs on one database's files destroy "
        "them; stop what does not belong there"
    )
    assert problems(NEED, replace(IN_ORDER, listed=(*others, RUNNING))) == [said]
    assert problems(NEED, replace(IN_ORDER, listed=others, database=None)) == [said]
    assert problems(replace(NEED, database=""), replace(IN_ORDER, listed=others)) == []


def test_the_volume_of_a_database_of_slipway_0_1_is_looked_at_where_it_is() -> None:
    """Under the name that 0.1 gave it."""
    there = replace(DATABASE, project=SITE.former_database, volume="db_data_prod")
    other = Listed(name="blog-prod-database-db-1", volumes={"db_data_prod": "/data"})
    listed = (old_database(SITE.former_database), other)
    found = replace(IN_ORDER, database=there, volumes=frozenset({"db_data_prod"}), listed=listed)
    (said,) = problems(NEED, found)
    assert said.startswith("blog-prod-database-db-1 has the volume db_data_prod open")


LEFT = (
    "the volume db_data_prod of slipway 0.1 is there, and nothing tells whose database it is. If it is this "
    "site's, copy it, on the server: docker volume create shop--prod--database && docker run --rm "
    "-v db_data_prod:/from -v shop--prod--database:/to postgres:17 cp -a /from/. /to/. If it is not, begin with "
    "an empty one: docker volume create shop--prod--database"
)


def test_a_volume_of_slipway_0_1_is_never_left_for_an_empty_one_in_silence() -> None:
    """Nothing uses it, or what could be this site's database; both ways out are told."""
    there = Situation(volumes=frozenset({"db_data_prod"}))
    assert problems(NEED, there) == [LEFT]
    unclear = replace(there, listed=(old_database(SITE.former_database),))
    assert problems(NEED, unclear) == [LEFT]


def test_a_volume_of_slipway_0_1_is_no_matter_where_it_is_clear_whose_it_is() -> None:
    """Another project's database uses it, this site has one already, or it wants none."""
    there = Situation(volumes=frozenset({"db_data_prod"}))
    assert problems(NEED, replace(there, listed=(old_database("blog-prod-database"),))) == []
    assert problems(NEED, replace(there, volumes=there.volumes | {SITE.volume})) == []
    assert problems(NEED, replace(IN_ORDER, volumes=there.volumes)) == []
    assert problems(replace(NEED, database=""), there) == []


def test_everything_that_belongs_to_somebody_else_is_told_at_once() -> None:
    """Owner, claims, addresses, volume, in this order."""
    found = Situation(
        owner=replace(OWNER, repository="git.example/other/shop"),
        claims=frozenset({("shop", "prod"), ("sh", "op-prod")}),
        listed=(replace(OURS, labels={"traefik.http.routers.x.rule": "Host(`shop.example`)"}),),
        volumes=frozenset({"db_data_prod"}),
    )
    said = problems(NEED, found)
    words = ("belongs to git.example/other/shop", "sh + op-prod", "is routed to", "db_data_prod")
    assert len(said) == len(words)
    for problem, word in zip(said, words, strict=True):
        assert word in problem

"""What is on the server, as a plan and a rollback depend on it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from slipway.errors import ConfigError
from slipway.server.inventory import Database, Listed
from slipway.server.names import Site
from slipway.server.rollback import choose
from slipway.server.situation import (
    Container,
    Kept,
    Situation,
    containers,
    is_of,
    releases,
    taken_over,
)
from slipway.server.targetfile import AppFile, TargetFile

SITE = Site("shop", "prod")


def file(*apps: str, migrations: tuple[str, ...] = (), origin: int = 1) -> TargetFile:
    """What a release of these apps is made of."""
    made = tuple(
        AppFile(
            name=app,
            image=f"{app}@sha256:1",
            port=3000,
            host="shop.example",
            path="/",
            resolver="",
            health="/",
            band=1,
            internal=True,
            drain=10.0,
            start=60,
            env_file=False,
        )
        for app in apps
    )
    return TargetFile(identifier="v1", origin=origin, apps=made, migrations=migrations)


def kept(sequence: int, *migrations: str, completed: bool = True, migrated: bool = True) -> Kept:
    """A release whose target.json can be read."""
    made = file("api", migrations=migrations, origin=sequence)
    return Kept(sequence, f"v{sequence}", completed, migrated, made)


def started(app: str, sequence: int, *, returns: bool) -> Container:
    return Container(app, sequence, f"v{sequence}", f"{app}@sha256:1", returns=returns)


WITHOUT_MARK = Kept(2, "v2", completed=False, target=file("api", "web"))


def test_a_release_whose_containers_all_come_back_with_the_server_took_over() -> None:
    """Its mark could not be written any more."""
    there = [started("api", 2, returns=True), started("web", 2, returns=True)]
    (found,) = taken_over([WITHOUT_MARK], there)
    assert found == replace(WITHOUT_MARK, completed=True)


@pytest.mark.parametrize(
    "there",
    [
        [],
        [started("api", 2, returns=True)],
        [started("api", 2, returns=True), started("web", 2, returns=False)],
        [started("api", 2, returns=True), started("web", 1, returns=True)],
        [started("api", 2, returns=True), started("admin", 2, returns=True)],
    ],
)
def test_a_release_that_was_not_proved_whole_did_not_take_over(there: list[Container]) -> None:
    """An app is missing, does not come back, or is that of another release."""
    assert taken_over([WITHOUT_MARK], there) == (WITHOUT_MARK,)


def test_what_an_unreadable_release_is_made_of_says_nothing() -> None:
    """Without its apps nobody knows whether all are there; a mark counts anyway."""
    there = [started("api", 2, returns=True)]
    unknown = replace(WITHOUT_MARK, target=None)
    assert taken_over([unknown], there) == (unknown,)
    marked = replace(unknown, completed=True)
    assert taken_over([marked], []) == (marked,)


def test_releases_are_read_from_their_folders_oldest_first() -> None:
    """With their marks; what is no release's folder is none, and an unreadable target.json is none."""
    text = file("api").json_text()
    later = json.dumps(json.loads(text) | {"format": 2})
    found = releases(
        {
            "000010-v2": ["completed", "migrated"],
            "000002-v1.0-rc.1": ["migrated"],
            "000003-v1": [],
            "lost+found": [],
        },
        {"000010-v2": text, "000003-v1": later},
    )
    assert found == (
        Kept(2, "v1.0-rc.1", completed=False, migrated=True),
        Kept(3, "v1", completed=False),
        Kept(10, "v2", completed=True, migrated=True, target=file("api")),
    )


def test_a_site_has_the_containers_that_carry_its_labels() -> None:
    """Not its database, not another instance's; with what its compose project is called."""
    labels = SITE.app_labels("api", 7, "v1") | {"com.docker.compose.project": "shop-prod-api-7"}
    ours = Listed(image="api@sha256:1", labels=labels, health="healthy", policy="unless-stopped")
    migrator = Listed(
        labels=SITE.app_labels("migrator", 8, "v2") | {"slipway.seconds": "90"}, status="exited"
    )
    listed = [
        ours,
        migrator,
        Listed(labels=SITE.labels | {"slipway.service": "database"}),
        Listed(labels=Site("shop", "prod", "7").app_labels("api", 7, "v1")),
        Listed(labels=Site("shop", "staging").app_labels("api", 7, "v1")),
        Listed(name="foreign"),
    ]
    assert containers(listed, SITE) == (
        Container(
            "api", 7, "v1", "api@sha256:1", project="shop-prod-api-7", returns=True, seconds=600
        ),
        Container("migrator", 8, "v2", "", running=False, health="", seconds=90),
    )


def test_a_container_is_the_sites_where_it_is_a_releases_or_its_database() -> None:
    """By app, number and compose project; the database by its name."""
    database = Database("db-1", "postgres:17", "p", "v", frozenset())
    found = Situation((Container("api", 7, "v1", "i", project="x"),), database=database)
    labels = SITE.app_labels("api", 7, "v1")
    assert is_of(Listed(labels=labels | {"com.docker.compose.project": "x"}), found)
    assert not is_of(Listed(labels=labels | {"com.docker.compose.project": "y"}), found)
    assert is_of(Listed(name="db-1"), found)
    assert not is_of(Listed(name="db-2"), found)
    assert not is_of(Listed(name="db-1"), replace(found, database=None))


def test_a_release_that_migrated_and_cannot_be_read_is_told() -> None:
    """One that did not begin its migrations is no matter."""
    unread = Kept(2, "v2", migrated=True)
    there = Situation(releases=(kept(1, "1_init"), unread, Kept(3, "v3"), kept(4, "1_init")))
    assert there.unread == (unread,)
    assert there.schema == {"1_init"}


def test_the_next_number_is_above_all_that_were_ever_used() -> None:
    """Also of a container whose files are gone."""
    there = Situation((started("api", 9, returns=False),), (kept(3),))
    assert there.next_sequence == 10
    assert Situation().next_sequence == 1


def test_what_serves_is_the_newest_release_with_an_app_that_is_healthy() -> None:
    """Not one that is starting, stopped, or has no files."""
    apps = (
        started("api", 1, returns=True),
        started("api", 2, returns=True),
        replace(started("api", 3, returns=False), health="starting"),
        replace(started("api", 4, returns=False), running=False),
        started("api", 5, returns=False),
    )
    there = Situation(apps, (kept(1), kept(2), kept(3), kept(4)))
    assert there.serving == kept(2)


SERVES = (started("api", 3, returns=True),)
# A later slipway wrote the target.json of release 2, or nobody did.
LOST = Kept(2, "v2", migrated=True)


def test_nobody_goes_back_across_a_migration_that_nobody_can_name() -> None:
    """The release is named, and both ways out."""
    there = Situation(SERVES, (kept(1, "1_init"), LOST, kept(3, "1_init")))
    with pytest.raises(ConfigError) as caught:
        choose(there, "v1")
    assert caught.value.problems == (
        (
            "v2 (2) migrated the database, and nobody can tell by what: no target.json that this slipway reads. "
            "Where v1 can live with it: --force; else mend forwards"
        ),
    )


def test_what_was_gone_back_to_knows_no_more_than_when_it_was_first_deployed() -> None:
    """v1 came back as number 3, after a migration that nobody can name: it does not know it either."""
    back = replace(kept(3, "1_init"), target=kept(1, "1_init").target)
    serving = (started("api", 4, returns=True),)
    there = Situation(serving, (kept(1, "1_init"), LOST, back, kept(4, "1_init")))
    with pytest.raises(ConfigError, match=r"v2 \(2\) migrated the database"):
        choose(there, "3")


def test_who_forces_it_goes_back_across_a_migration_that_nobody_can_name() -> None:
    """The older code can live with it."""
    there = Situation(SERVES, (kept(1, "1_init"), LOST, kept(3, "1_init")))
    assert choose(there, "v1", force=True) == kept(1, "1_init")


def test_every_release_whose_migrations_nobody_can_name_is_told() -> None:
    """Not only the first; one that failed has migrated all the same."""
    there = Situation(
        SERVES,
        (
            kept(1),
            replace(LOST, completed=False),
            kept(3),
            Kept(4, "v4", completed=False, migrated=True),
        ),
    )
    with pytest.raises(ConfigError) as caught:
        choose(there)
    assert caught.value.problems[0].startswith("v2 (2), v4 (4) migrated the database")


@pytest.mark.parametrize("force", [False, True])
def test_nobody_goes_back_to_a_release_that_cannot_be_read(force: bool) -> None:
    """Nobody knows what it is made of, forced or not; it is deployed again."""
    there = Situation(SERVES, (kept(1), LOST, kept(3)))
    with pytest.raises(ConfigError) as caught:
        choose(there, force=force)
    assert caught.value.problems == (
        "v2 has no target.json that this slipway reads; deploy it again",
    )


def test_an_unreadable_release_before_the_one_to_go_back_to_is_in_nobodys_way() -> None:
    """Its migrations were there when that one was deployed."""
    before = Kept(1, "v1", migrated=True)
    there = Situation(SERVES, (before, kept(2, "1_init"), kept(3, "1_init")))
    assert choose(there) == kept(2, "1_init")


def test_an_unreadable_release_that_migrated_nothing_is_in_nobodys_way() -> None:
    """The database is as it was."""
    there = Situation(SERVES, (kept(1), Kept(2, "v2"), kept(3)))
    assert choose(there, "1") == kept(1)


def test_a_migration_that_has_a_name_is_told_by_it() -> None:
    """A refusal of its own; force passes that, too."""
    there = Situation(SERVES, (kept(1, "1_init"), kept(3, "1_init", "2_more")))
    with pytest.raises(ConfigError) as caught:
        choose(there)
    assert "v1 does not know: 2_more" in caught.value.problems[0]
    assert choose(there, force=True) == kept(1, "1_init")

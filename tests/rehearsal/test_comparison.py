"""The rehearsal's proof that each site has its own data: what it complains of, and its table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ci.rehearsal.comparison import (
    MOST,
    Answer,
    Reading,
    Row,
    complaints,
    content,
    rows,
    table,
    tagline,
)

SEEDED = Row(1, "Morning breath", 10, "calm", "2026-01-05T09:00:00.000Z")
TO_STAGING = Row(2, "written in staging", 5, "calm", "2026-01-05T09:00:01.000Z")
TO_PROD = Row(1, "written in prod", 5, "calm", "2026-01-05T09:00:02.000Z")
STAGING_DATABASE, PROD_DATABASE = "shop--staging--database-db-1", "shop--prod--database-db-1"


def reading(environment: str, stored: tuple[Row, ...], written: Row) -> Reading:
    site = f"shop--{environment}"
    web, api = f"https://{environment}.example/", f"https://api.{environment}.example/sessions"
    database = f"{site}--database-db-1"
    return Reading(
        site=site,
        page=Answer(web, 200, f"{site}--frontend--1"),
        api=Answer(api, 200, f"{site}--api--2"),
        wanted="A shop.",
        said="A shop.",
        answered=stored,
        written=(written,),
        databases={database: stored},
        network=(database,),
    )


STAGING = reading("staging", (TO_STAGING, SEEDED), TO_STAGING)
PROD = reading("prod", (TO_PROD,), TO_PROD)


def complained(*readings: Reading) -> str:
    return "\n".join(complaints(readings, ()))


def test_sites_with_data_of_their_own_are_fine() -> None:
    """Each shows what is in its own database, and nothing else."""
    assert not complaints([STAGING, PROD], ())


def test_sites_whose_apis_share_a_database_are_told_apart() -> None:
    """As it was with one network: production's API on staging's database, its own being empty."""
    both = (TO_PROD, TO_STAGING, SEEDED)
    staging = replace(STAGING, databases={STAGING_DATABASE: both}, answered=both)
    prod = replace(PROD, databases={PROD_DATABASE: ()}, answered=both)
    said = complained(staging, prod)
    assert f"staging: in its database are rows of shop--prod: {TO_PROD}" in said
    assert f"staging: its API shows rows of shop--prod: {TO_PROD}" in said
    assert f"prod: its API shows rows of shop--staging: 2, the newest {TO_STAGING}" in said
    assert f"prod: its API wrote {TO_PROD}, which is not in its database" in said
    assert f"only shown: 3, the newest {TO_PROD}; only in the database: none" in said


def test_a_copied_row_is_in_the_wrong_database_though_nobody_wrote_it_there() -> None:
    """Such as a seed that went to production."""
    copied = (TO_PROD, SEEDED)
    prod = replace(PROD, databases={PROD_DATABASE: copied}, answered=copied)
    expected = f"prod: in its database are rows of shop--staging: {SEEDED}"
    assert expected in complained(STAGING, prod)


def test_an_api_that_shows_other_rows_than_its_database_has_is_told() -> None:
    """Both differences, by name."""
    staging = replace(STAGING, answered=(SEEDED, TO_PROD))
    said = complained(staging, PROD)
    assert f"only shown: {TO_PROD}; only in the database: {TO_STAGING}" in said
    assert f"staging: its API shows rows of shop--prod: {TO_PROD}" in said


def test_an_api_shows_no_more_than_its_newest() -> None:
    """The rows that it leaves out are no difference."""
    stored = (TO_STAGING, *(replace(SEEDED, id=number) for number in range(MOST)))
    full = replace(STAGING, databases={STAGING_DATABASE: stored}, answered=stored[:MOST])
    assert not complaints([full, PROD], ())
    assert "only in the database" in complained(replace(full, answered=stored[: MOST - 1]), PROD)


def test_an_empty_database_has_lost_what_was_written() -> None:
    """Also where the API shows just as little."""
    prod = replace(PROD, databases={PROD_DATABASE: ()}, answered=())
    assert complained(STAGING, prod) == (
        f"shop--prod: its API wrote {TO_PROD}, which is not in its database"
    )
    assert "no session" in table([STAGING, prod])


def test_a_site_that_nothing_was_written_to_proves_nothing() -> None:
    """A comparison of nothing with nothing is no proof."""
    untold = replace(PROD, databases={PROD_DATABASE: ()}, answered=(), written=())
    assert "shop--prod: nothing was written by its API" in complained(STAGING, untold)


def test_a_missing_container_is_told() -> None:
    """Once: its rows are not compared with nothing."""
    prod = replace(PROD, databases={}, network=())
    assert complained(STAGING, prod) == (
        "shop--prod: expected one database container, there are 0: none"
    )
    assert "not read" in table([STAGING, prod]).splitlines()[-1]


def test_a_second_container_is_told_by_name() -> None:
    """Nobody knows then which of them the API writes to."""
    names = (PROD_DATABASE, "prod-database-db-1")
    two = replace(PROD, databases=dict.fromkeys(names, (TO_PROD,)), network=names)
    assert complained(STAGING, two) == (
        "shop--prod: expected one database container, there are 2: "
        "shop--prod--database-db-1, prod-database-db-1"
    )


@pytest.mark.parametrize("others", [(), (STAGING_DATABASE,), (PROD_DATABASE, STAGING_DATABASE)])
def test_a_network_with_another_database_than_the_sites_own_is_told(
    others: tuple[str, ...],
) -> None:
    """None, another's, or both."""
    said = complained(STAGING, replace(PROD, network=others))
    assert f"its own database alone ({PROD_DATABASE}); on it " in said
    assert all(name in said for name in others)


def test_a_database_that_every_site_reaches_is_told() -> None:
    """On the proxy's network."""
    (line,) = complaints([STAGING, PROD], [PROD_DATABASE])
    assert line.startswith(f"{PROD_DATABASE}: is on the network of the proxy")


@pytest.mark.parametrize("release", ["", "shop--staging--api--2", "shop--prod-eu--api--2"])
def test_an_answer_of_another_site_is_told(release: str) -> None:
    """Or of nobody's."""
    prod = replace(PROD, api=replace(PROD.api, release=release))
    assert f"{PROD.api.url} is answered by {release or 'no release'}, which" in complained(
        STAGING, prod
    )


def test_a_front_page_is_read() -> None:
    """Its line below the name, and what it was to say."""
    page = "<main><header><h1>Shop</h1><p>Fish &amp; chips.</p></header><p>Other</p></main>"
    assert tagline(page) == "Fish & chips."
    assert tagline("<p>No header</p>") == ""
    assert "its front page says ''; expected 'A shop.'" in complained(replace(STAGING, said=""))


def test_the_table_tells_what_was_read() -> None:
    """Of each site its own."""
    head, *lines = table([STAGING, PROD]).splitlines()
    assert head.split()[:3] == ["ADDRESS", "ANSWER", "RELEASE"]
    assert [line.split("  ")[-1].strip() for line in lines] == [
        "'A shop.'",
        "2 sessions, the last: 'written in staging'",
        "'A shop.'",
        "1 session, the last: 'written in prod'",
    ]
    assert content(None).startswith("not read")


def test_rows_of_the_api_and_of_the_database_are_read_alike() -> None:
    """The query spells them as the API does."""
    answer = (
        '[{"id": 1, "title": "Morning breath", "minutes": 10, "mood": "calm",'
        ' "createdAt": "2026-01-05T09:00:00.000Z"}]'
    )
    assert rows(answer) == (SEEDED,)

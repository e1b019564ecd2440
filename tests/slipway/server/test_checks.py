"""Preflight: every problem of a server at once, each with its fix."""

from dataclasses import replace
from typing import Any

import pytest

from slipway.server.checks import Facts, problems, version, warnings
from slipway.server.inventory import Database, Proxy
from slipway.server.names import Site
from slipway.server.need import Need
from slipway.server.situation import Situation

SITE = Site("shop", "prod")
GOOD = Facts(
    docker="26.1.5+dfsg1",
    compose="2.26.1-4",
    free=20_000_000_000,
    addresses={"shop.example": frozenset({"203.0.113.7"})},
    own=frozenset({"203.0.113.7"}),
)
THERE = Situation(
    networks=frozenset({"bridge", "web"}),
    proxy=Proxy("proxy-traefik-1", internal=True),
    volumes=frozenset({SITE.volume}),
    database=Database(
        "db", "postgres:17", SITE.database, SITE.volume, frozenset({SITE.network}), ("db",)
    ),
)
NEED = Need(SITE, bytes_to_pull=400_000_000, database="db")


def test_a_server_in_order_has_no_problem() -> None:
    """The versions are Debian 13's."""
    assert problems(GOOD, NEED, THERE) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"docker": "", "docker_error": "permission denied"},
            ("permission denied", "group docker"),
        ),
        ({"docker": "20.10.24"}, ("20.10.24", "24.0")),
        ({"compose": ""}, ("package docker-compose",)),
        ({"compose": "v2.17.0"}, ("v2.17.0", "2.24")),
        (
            {"free": 1_000_000_000},
            ("1.0 GB free", "2.1 GB", "400.0 MB to pull", "docker image prune"),
        ),
        ({"clock": -3600.0}, ("3600 s behind", "timedatectl")),
        ({"addresses": {"shop.example": frozenset()}}, ("shop.example", "nowhere", "203.0.113.7")),
        ({"missing": ("flock",)}, ("flock", "apt-get")),
        ({"database": "password authentication failed"}, ("shop--prod--database", "ALTER ROLE")),
    ],
)
def test_what_is_wrong_is_told_with_its_fix(change: dict[str, Any], words: tuple[str, ...]) -> None:
    """One message for each, the values in it."""
    (problem,) = problems(replace(GOOD, **change), NEED, THERE)
    for word in words:
        assert word in problem


def test_all_problems_come_at_once() -> None:
    """A server that nobody has set up."""
    facts, nothing = Facts(docker="26.1.5", clock=100), Situation(networks=frozenset())
    assert len(problems(facts, NEED, nothing)) == 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"networks": frozenset({"bridge"})}, ("docker network create web",)),
        ({"proxy": None}, ("port 443",)),
    ],
)
def test_what_is_not_there_is_told_with_its_fix(
    change: dict[str, Any], words: tuple[str, ...]
) -> None:
    """The network that the proxy shares with the sites, and the proxy."""
    (problem,) = problems(GOOD, NEED, replace(THERE, **change))
    for word in words:
        assert word in problem


def test_a_name_that_leads_elsewhere_is_told_and_stops_nothing() -> None:
    """A content network may be in front of the server; a typo may be, too."""
    facts = replace(GOOD, addresses={"shop.example": frozenset({"198.51.100.1"})})
    arguments = ("--providers.docker=true", "…idleconntimeout=3s", "…readtimeout=1h")
    there = replace(THERE, proxy=Proxy("proxy-traefik-1", internal=True, arguments=arguments))
    assert problems(facts, NEED, there) == []
    (warning,) = warnings(facts, there)
    assert "198.51.100.1" in warning
    assert "203.0.113.7" in warning


def test_versions_are_compared_as_numbers() -> None:
    """2.9 is older than 2.24."""
    assert version("v2.9.0") < version("2.24") < version("26.1.5+dfsg1")

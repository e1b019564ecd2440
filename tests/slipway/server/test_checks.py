"""Preflight: every problem of a server at once, each with its fix."""

from dataclasses import replace
from typing import Any

import pytest

from slipway.server.checks import Facts, Need, problems, version

GOOD = Facts(
    docker="26.1.5+dfsg1",
    compose="2.26.1-4",
    free=20_000_000_000,
    networks=frozenset({"bridge", "web", "internal"}),
    proxies=("proxy-traefik-1",),
)
NEED = Need(("web", "internal"), bytes_to_pull=400_000_000, volume="db_data_prod")


def test_a_server_in_order_has_no_problem() -> None:
    """The versions are Debian 13's."""
    assert problems(GOOD, NEED) == []


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
        ({"networks": frozenset({"web"})}, ("docker network create internal",)),
        ({"proxies": ()}, ("port 443",)),
        ({"missing": ("flock",)}, ("flock", "apt-get")),
        ({"database": "password authentication failed"}, ("db_data_prod", "ALTER ROLE")),
    ],
)
def test_what_is_wrong_is_told_with_its_fix(change: dict[str, Any], words: tuple[str, ...]) -> None:
    """One message for each, the values in it."""
    (problem,) = problems(replace(GOOD, **change), NEED)
    for word in words:
        assert word in problem


def test_all_problems_come_at_once() -> None:
    """A server that nobody has set up."""
    assert len(problems(Facts(docker="26.1.5", clock=100), NEED)) == 6


def test_versions_are_compared_as_numbers() -> None:
    """2.9 is older than 2.24."""
    assert version("v2.9.0") < version("2.24") < version("26.1.5+dfsg1")

"""What an operator is told to do about a failure that names itself."""

import pytest

from slipway.server.hints import hints


@pytest.mark.parametrize("code", ["P3009", "P3018"])
def test_a_migration_that_stopped_half_way_is_to_be_resolved(code: str) -> None:
    """Prisma would refuse every deploy from there on."""
    (hint,) = hints(
        f"migrate failed on the server (exit code 1)\nError: {code}\n\nmigrate found failed"
    )
    assert "migrate resolve --rolled-back NAME" in hint


def test_a_full_disk_says_how_to_make_room() -> None:
    """Whoever prints it."""
    (hint,) = hints("pull x failed: write /var/lib/docker/tmp/y: no space left on device")
    assert "docker image prune --all" in hint


def test_a_certificate_that_nobody_trusts_leads_to_the_proxy() -> None:
    """Until ACME is done, Traefik shows one that it made itself."""
    (hint,) = hints(
        "https://a.example/ is not answered by a-1 after 60 s; the last answer: [SSL: "
        "CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"
    )
    assert "docker logs proxy-traefik-1" in hint


def test_other_failures_are_left_as_they_are() -> None:
    """A port or a digest is no code."""
    assert hints("P1001: Can't reach database server at db:30090") == []

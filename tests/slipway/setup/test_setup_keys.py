"""authorized_keys: one key is added, nobody is locked out."""

import pytest

from slipway.setup.keys import authorized

KEY = "ssh-ed25519 AAAAC3one deploys"
OTHER = 'from="198.51.100.7",no-pty ssh-rsa AAAAB3two somebody'


def test_the_first_key_makes_the_file() -> None:
    """One line, ended."""
    assert authorized("", KEY) == f"{KEY}\n"


def test_others_stay_also_behind_a_line_without_an_end() -> None:
    """Two keys on one line would be none."""
    assert authorized(OTHER, KEY) == f"{OTHER}\n{KEY}\n"


@pytest.mark.parametrize("line", [KEY, "ssh-ed25519 AAAAC3one", f"no-pty {KEY}"])
def test_a_key_that_is_let_in_is_not_added_again(line: str) -> None:
    """Whatever comment or options it has there."""
    assert authorized(f"{line}\n", KEY) == f"{line}\n"


def test_a_key_in_a_comment_is_not_let_in() -> None:
    """Someone took it away so."""
    assert authorized(f"# {KEY}\n", KEY).splitlines() == [f"# {KEY}", KEY]

"""The firewall: what is let in, and how a change is noticed."""

import pytest

from slipway.setup.firewall import loaded, rules


def test_ssh_and_the_web_are_let_in() -> None:
    """On every port that sshd has, in order; everything else is dropped."""
    text = rules([2222, 22])
    assert "tcp dport { 22, 80, 443, 2222 } accept" in text
    assert "policy drop" in text


def test_docker_s_tables_are_left_alone() -> None:
    """Only our own table is replaced."""
    assert "flush" not in rules([22])
    assert [line for line in rules([22]).splitlines() if line.startswith("delete")] == [
        "delete table inet slipway"
    ]


def test_rules_without_a_port_for_ssh_are_never_made() -> None:
    """They would lock everybody out."""
    with pytest.raises(ValueError, match="SSH"):
        rules([])


def test_sshd_on_443_alone_is_a_port_for_ssh() -> None:
    """Unusual, and no reason to refuse."""
    assert "tcp dport { 80, 443 } accept" in rules([443])


def test_rules_are_loaded_when_the_kernel_s_table_carries_their_digest() -> None:
    """Others, or a table without its chain, are not."""
    listing = rules([22])
    assert loaded(listing, rules([22]))
    assert not loaded(listing, rules([22, 2222]))
    assert not loaded("", rules([22]))
    assert not loaded(listing.replace("policy drop", "policy accept"), rules([22]))

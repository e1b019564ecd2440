"""Logging in where it goes wrong: against a server that listens on this machine alone."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import asyncssh
import pytest

from slipway.server.ssh import Address, ServerError, connect


def key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


def private(one: asyncssh.SSHKey) -> str:
    return one.export_private_key().decode()


def public(one: asyncssh.SSHKey) -> str:
    """Type and key, as known_hosts has them."""
    return " ".join(one.export_public_key().decode().split()[:2])


def shown(one: asyncssh.SSHKey) -> str:
    return f"ssh-ed25519 {one.get_fingerprint()}"


HOST, PINNED, OTHER = key(), key(), key()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Where an SSH server listens that lets nobody in."""
    async with asyncssh.listen("127.0.0.1", 0, server_host_keys=[HOST], config=[]) as server:
        yield server.get_port()


async def refusal(port: int, *known_hosts: str, login: str | None = None) -> str:
    """What somebody is told who logs in."""
    address = Address("127.0.0.1", port, known_hosts=known_hosts)
    with pytest.raises(ServerError) as caught:
        async with connect(address, login or private(key())):
            pass
    return str(caught.value)


async def test_a_key_that_is_not_pinned_is_told_with_both_fingerprints(port: int) -> None:
    """And where to compare them."""
    said = await refusal(port, f"* {public(PINNED)}")
    assert said.splitlines() == [
        "127.0.0.1 shows a key that is not pinned, and nothing was sent to it",
        f"  seen:   {shown(HOST)}",
        f"  pinned: {shown(PINNED)}",
        "If the server was set up anew, compare the fingerprint at its console:",
        "  ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
        "then pin what `ssh-keyscan 127.0.0.1` prints as known_hosts in slipway.toml.",
    ]


async def test_what_ssh_keyscan_prints_beside_keys_is_no_pinned_key(port: int) -> None:
    """Comments, blank lines; a comment behind a key is none of it."""
    said = await refusal(
        port,
        "# 127.0.0.1:22 SSH-2.0-OpenSSH_10.0p2 Debian-7",
        "",
        f"* {public(PINNED)} root@old",
        "  # 127.0.0.1:22 SSH-2.0-OpenSSH_10.0p2 Debian-7",
        f"[127.0.0.1]:{port} {public(OTHER)}",
    )
    pinned = [line for line in said.splitlines() if line.startswith("  pinned:")]
    assert pinned == [f"  pinned: {shown(PINNED)}", f"  pinned: {shown(OTHER)}"]


async def test_a_certificate_authoritys_key_is_told_without_its_marker(port: int) -> None:
    """The marker stands before the host."""
    said = await refusal(port, f"@cert-authority * {public(PINNED)}", f"* {public(OTHER)}")
    pinned = [line for line in said.splitlines() if line.startswith("  pinned:")]
    assert pinned == [f"  pinned: {shown(PINNED)}", f"  pinned: {shown(OTHER)}"]


async def test_where_only_comments_are_pinned_it_says_none(port: int) -> None:
    """As somebody pins who copies the first line alone."""
    said = await refusal(port, "# 127.0.0.1:22 SSH-2.0-OpenSSH_10.0p2 Debian-7")
    assert "  pinned: none\n" in said


async def test_a_key_that_the_server_does_not_let_in_is_told_by_its_fingerprint(port: int) -> None:
    """With the file that its public half belongs in; the private one is nowhere."""
    login = key()
    said = await refusal(port, f"* {public(HOST)}", login=private(login))
    assert said == (
        f"deploy@127.0.0.1:{port} does not let the key {login.get_fingerprint()} in: add its public half to "
        "~deploy/.ssh/authorized_keys on the server, or give the right key"
    )


async def test_what_is_no_private_key_is_told_before_anything_is_sent() -> None:
    """Such as its public half; it is not shown."""
    half = public(key())
    said = await refusal(1, login=half)
    assert said.startswith("ssh_key is no private key that can be used: ")
    assert half.split()[1] not in said


async def test_a_server_that_does_not_answer_is_told_with_its_address() -> None:
    """User, host and port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = await refusal(port, f"* {public(HOST)}")
    assert said.startswith(f"deploy@127.0.0.1:{port} cannot be reached: ")

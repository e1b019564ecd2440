"""Subnets of the bridges of this machine's daemons: each has one of its own."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

COUNT = 64
"""Subnets of 10.87.0.0/16, each of 1022 addresses."""


def choose(bridge: str, number: int, routes: Mapping[str, str]) -> str:
    """The subnet of a bridge: the one it has, else the first from a number on that nobody has.

    Args:
        bridge: Name of the network interface.
        number: Where to begin, so that a daemon finds its subnet again.
        routes: Names of interfaces by the network that they lead to.
    """
    names = [f"10.87.{(number + step) % COUNT * 4}.0" for step in range(COUNT)]
    own = next((name for name in names if routes.get(name) == bridge), None)
    free = next((name for name in names if name not in routes), names[0])
    return f"{own or free}/22"


def routes() -> dict[str, str]:
    """Interfaces of this machine by the network that they lead to (proc_net(5), `route`)."""
    lines = Path("/proc/net/route").read_text().splitlines()[1:]
    return {_address(fields[1]): fields[0] for line in lines if (fields := line.split())}


def _address(number: str) -> str:
    return socket.inet_ntoa(bytes.fromhex(number)[::-1])

"""Docker's daemon.json: what the administrator set stays, what is missing is added. Pure."""

import json
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from slipway.errors import ConfigError

FILE = "/etc/docker/daemon.json"
# What `docker info` calls a node of a Swarm.
_NODE = frozenset({"active", "pending", "locked", "error"})
# The version from which on IPv6 is no experiment; Debian 13 has 26.
_IPV6 = 27
# Two thousand networks, a part of what Docker takes by default: those end near thirty, and each site has one.
_POOLS = ({"base": "172.24.0.0/13", "size": 24},)


@dataclass(frozen=True)
class Running:
    """What the running daemon says of itself.

    Attributes:
        live_restore: Whether containers outlive it.
        log_driver: Where their logs go; empty where no daemon answers.
        pools: What networks are cut from, as (range, size).
        swarm: Whether the server is a node of a Swarm.
        experimental: Whether what is experimental is on.
        version: The first number of its version; 0 where no daemon answers.
    """

    live_restore: bool = False
    log_driver: str = ""
    pools: frozenset[tuple[str, int]] = frozenset()
    swarm: bool = False
    experimental: bool = False
    version: int = 0


def running(text: str) -> Running:
    """What a daemon said.

    Args:
        text: `docker info` as JSON; empty, or full of zeros, where no daemon answers.
    """
    said = json.loads(text) if text.strip() else {}
    return Running(
        live_restore=bool(said.get("LiveRestoreEnabled")),
        log_driver=said.get("LoggingDriver") or "",
        pools=_pools(said.get("DefaultAddressPools") or ()),
        swarm=(said.get("Swarm") or {}).get("LocalNodeState") in _NODE,
        experimental=bool(said.get("ExperimentalBuild")),
        version=int((said.get("ServerVersion") or "0").partition(".")[0]),
    )


def merged(text: str, now: Running = Running(), *, ipv6: bool = False) -> str:
    """The file with our settings added.

    Args:
        text: What it holds now; empty where there is none.
        now: What the running daemon says: an administrator may have set it by the daemon's flags, too.
        ipv6: Whether a network is to have IPv6.

    Returns:
        What it should hold: the very same text where nothing is missing.

    Raises:
        ConfigError: It is no JSON object.
    """
    before = _parsed(text)
    after = dict(before)
    # Unattended upgrades restart the daemon at night: containers go on meanwhile. A node of a Swarm does not start so.
    if not (now.swarm or now.live_restore):
        after.setdefault("live-restore", True)
    # The usual driver, json-file, grows without end. Options are a driver's own: no other driver below them.
    if "log-opts" not in before and now.log_driver in {"", "json-file"}:
        after.setdefault("log-driver", "local")
    if not now.pools:
        after.setdefault("default-address-pools", list(_POOLS))
    # Without it, what comes by IPv6 is taken on by a program of Docker's, and has that one's address.
    if ipv6 and now.version < _IPV6 and not now.experimental:
        after.setdefault("ip6tables", True)
        after.setdefault("experimental", True)
    return text if after == before else json.dumps(after, indent=2, ensure_ascii=False) + "\n"


def lacks(text: str, now: Running) -> bool:
    """Whether the running daemon lacks what its file says: it was not restarted since.

    Args:
        text: The file.
        now: The running daemon.
    """
    said = _parsed(text)
    if not now.log_driver:
        return False
    return (
        said.get("live-restore", now.live_restore) != now.live_restore
        or said.get("experimental", now.experimental) != now.experimental
        or said.get("log-driver", now.log_driver) != now.log_driver
        or _pools(said.get("default-address-pools") or ()) not in {now.pools, frozenset()}
    )


def forwards_ipv6(text: str, now: Running) -> bool:
    """Whether a daemon with this file forwards IPv6 to published ports as it does IPv4.

    Args:
        text: The file.
        now: The running daemon.
    """
    said, by_itself = _parsed(text), now.version >= _IPV6
    return bool(
        said.get("ip6tables", by_itself)
        and (by_itself or said.get("experimental", now.experimental))
    )


def stops(text: str, now: Running) -> bool:
    """Whether Docker would not start any more: `live-restore` on a node of a Swarm.

    Args:
        text: The file.
        now: The running daemon.
    """
    return now.swarm and bool(_parsed(text).get("live-restore"))


def _pools(listed: Any) -> frozenset[tuple[str, int]]:
    """Pools in one form: the file has `base`, the daemon says `Base`."""
    rows = ({name.lower(): value for name, value in pool.items()} for pool in listed)
    return frozenset((_range(str(row.get("base"))), row.get("size", 0)) for row in rows)


def _range(text: str) -> str:
    """A range of addresses as its network: `10.1.2.3/8` → `10.0.0.0/8`; the text itself where it is none."""
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        return text


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise ConfigError(FILE, [f"no valid JSON, put it right on the server: {error}"]) from None
    if not isinstance(found, dict):
        raise ConfigError(FILE, ["expected a JSON object, such as {}"])
    return found

"""What has to be right on a server before a deploy changes anything. Pure: facts in, problems out."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from slipway.report import size

from . import belonging
from .names import INTERNAL_ENTRYPOINT, INTERNAL_PORT, WEB
from .need import Need
from .situation import Situation

# env_file values are read with today's rules, and `up --wait` tells what is healthy, from there on.
COMPOSE = (2, 24)
DOCKER = (24, 0)
CLOCK_SECONDS = 60.0
# What a pull needs on disk, compressed layer and unpacked files together, for each compressed byte.
UNPACKED = 4
_SPARE_BYTES = 500_000_000
# Part of the proxy's arguments → what is wrong without it.
_WORTH = {
    "idleconntimeout": "the proxy keeps connections longer than Node does (5 s), and a POST that meets a closed "
    "one gets 502: start Traefik with --serverstransport.forwardingtimeouts.idleconntimeout=3s",
    "readtimeout": "the proxy cuts uploads that take longer than 60 s: start Traefik with "
    "--entrypoints.websecure.transport.respondingtimeouts.readtimeout=1h",
}
_INTERNAL = (
    f"the proxy has no entry point {INTERNAL_ENTRYPOINT}, so apps get no SLIPWAY_…_URL of each other: run `setup`, or "
    f"start Traefik with --entrypoints.{INTERNAL_ENTRYPOINT}.address=:{INTERNAL_PORT}, and publish no port for it"
)


@dataclass(frozen=True)
class Facts:
    """What a server said of itself.

    Attributes:
        docker: The daemon's version; empty where it does not answer.
        docker_error: What docker said instead.
        compose: Compose's version; empty where there is none.
        free: Bytes free where Docker keeps its data.
        clock: Seconds that its clock is ahead of ours.
        missing: Programs that are not there.
        database: What the running database said to the password: empty for yes, or for no database.
        registry: What the registry said to the login: empty for yes, or where none was tried.
        addresses: Public host → the addresses that it leads to from here; none where it leads nowhere.
        own: The server's own addresses, as its name leads to them from here.
        proxy_refused: What docker said to the proxy, if it refused it.
    """

    docker: str = ""
    docker_error: str = ""
    compose: str = ""
    free: int = 0
    clock: float = 0.0
    missing: tuple[str, ...] = ()
    database: str = ""
    registry: str = ""
    addresses: Mapping[str, frozenset[str]] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    proxy_refused: str = ""


def problems(facts: Facts, need: Need, found: Situation) -> list[str]:
    """Everything that is wrong, each with its fix; nothing where a deploy can go on.

    Args:
        facts: What the server said of itself.
        need: What the release wants.
        found: What is on the server.
    """
    if found.unknown and facts.docker:
        return [*_programs(facts, need), found.unknown]
    return [
        *_programs(facts, need),
        *_room(facts, need),
        *(_network(facts, found) if facts.docker else ()),
        *_registry(facts, need),
        *_database(facts, found),
        *_names(facts),
        *belonging.problems(need, found),
    ]


def warnings(facts: Facts, found: Situation) -> list[str]:
    """What is worth changing, and is in no deploy's way."""
    said = " ".join(found.proxy.arguments if found.proxy else ()).lower()
    # What is in a file or in its environment is not seen.
    options = _WORTH if "providers.docker" in said else {}
    made = [text for option, text in options.items() if option not in said]
    if found.proxy and not found.proxy.internal:
        made.append(_INTERNAL)
    return [*made, *_links(found), *_elsewhere(facts)]


def _links(found: Situation) -> Iterator[str]:
    """Containers that look for the proxy under a name that it has no more."""
    proxy = found.proxy.name if found.proxy else ""
    lost = {name for container in found.listed for name in container.links} - {proxy}
    ours = [one.name for one in found.listed if one.running and one.links & lost]
    if proxy and ours:
        yield (
            f"the proxy is called {proxy}, and {', '.join(sorted(ours))} know it as {', '.join(sorted(lost))}: their "
            "SLIPWAY_…_URL lead nowhere until each site is deployed again"
        )


def _elsewhere(facts: Facts) -> Iterator[str]:
    """Names that lead past the server: to a content network, or by mistake."""
    for host, addresses in sorted(facts.addresses.items()):
        if addresses and facts.own and not addresses & facts.own:
            yield (
                f"{host} leads to {_listed(addresses)}, and the server is {_listed(facts.own)}: right only where "
                "something in front of it passes requests on"
            )


def _listed(addresses: Iterable[str]) -> str:
    return ", ".join(sorted(addresses))


def _programs(facts: Facts, need: Need) -> Iterator[str]:
    if facts.missing:
        yield f"not installed: {', '.join(facts.missing)}; install with apt-get, or run `setup`"
    if not facts.docker:
        yield (
            f"docker does not answer {need.user}: {facts.docker_error or 'no answer'}; start it, and add "
            f"{need.user} to the group docker"
        )
    elif version(facts.docker) < DOCKER:
        yield f"docker is {facts.docker}; expected {_shown(DOCKER)} or newer"
    if facts.docker and not facts.compose:
        yield "docker compose is not installed; on Debian it is the package docker-compose"
    elif facts.compose and version(facts.compose) < COMPOSE:
        yield f"docker compose is {facts.compose}; expected {_shown(COMPOSE)} or newer"
    if abs(facts.clock) > CLOCK_SECONDS:
        direction = "ahead" if facts.clock > 0 else "behind"
        yield (
            f"the server's clock is {abs(facts.clock):.0f} s {direction}; certificates and tokens fail "
            "that way: timedatectl set-ntp true"
        )


def _room(facts: Facts, need: Need) -> Iterator[str]:
    wanted = need.bytes_to_pull * UNPACKED + _SPARE_BYTES
    if facts.docker and facts.free < wanted:
        yield (
            f"{size(facts.free)} free where Docker keeps its data; expected {size(wanted)}: "
            f"{size(need.bytes_to_pull)} to pull, unpacked about {UNPACKED} times that, and "
            f"{size(_SPARE_BYTES)} to spare: docker system df, docker image prune"
        )


def _network(facts: Facts, found: Situation) -> Iterator[str]:
    if WEB not in found.networks:
        yield f"no Docker network {WEB}: run `setup`, or: docker network create {WEB}"
    if not found.proxy:
        yield "nothing listens on port 443: start Traefik"
    if facts.proxy_refused:
        yield (
            f"docker refuses the proxy: {facts.proxy_refused}; take a Traefik that is newer than 3.6.0, "
            "or 2.11.31 of the older ones (traefik/traefik#12253)"
        )


def _names(facts: Facts) -> Iterator[str]:
    for host, addresses in sorted(facts.addresses.items()):
        if not addresses:
            where = f", which is {_listed(facts.own)}" if facts.own else ""
            yield f"{host} leads nowhere: its DNS record should lead to the server{where}"


def _registry(facts: Facts, need: Need) -> Iterator[str]:
    if facts.registry:
        yield f"the registry refuses {need.registry}: {facts.registry}"


def _database(facts: Facts, found: Situation) -> Iterator[str]:
    if facts.database:
        volume = found.database.volume if found.database else ""
        yield (
            f"the running database refuses the password of its address in api_env: {facts.database}\n"
            f"    It was set when the volume {volume} was made; a new one in the secret does not change it. "
            "On the server, as its owner: ALTER ROLE … PASSWORD '…'"
        )


def version(text: str) -> tuple[int, ...]:
    """The first numbers of a version: `v2.26.1-4` → (2, 26, 1)."""
    found = re.search(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _shown(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))

"""Every container of a server, as docker tells of it: who has which network, volume and route. Pure."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .names import INTERNAL_ENTRYPOINT, INTERNAL_PORT, LABEL, Site

# For `docker inspect --format`: a line of JSON for each container, without its environment, which holds secrets.
FORMAT = (
    '{"id":{{json .Id}},"name":{{json .Name}},"image":{{json .Config.Image}},"labels":{{json .Config.Labels}},'
    '"status":{{json .State.Status}},"started":{{json .State.StartedAt}},'
    '"health":{{with index .State "Health"}}{{json .Status}}{{else}}""{{end}},"restarts":{{json .RestartCount}},'
    '"policy":{{json .HostConfig.RestartPolicy.Name}},"shm":{{json .HostConfig.ShmSize}},'
    '"ports":{{json .HostConfig.PortBindings}},'
    '"networks":{{json .NetworkSettings.Networks}},"mounts":{{json .Mounts}},"arguments":{{json .Args}}}'
)
# Where the official image has its cluster.
POSTGRES_DATA = "/var/lib/postgresql/data"
_PROJECT = "com.docker.compose.project"
_ONE_OFF = "com.docker.compose.oneoff"
# A container in one of these has its files open, or is about to.
_OPEN = frozenset({"running", "paused", "restarting"})
_RULE = re.compile(r"traefik\.http\.routers\.[^.]+\.rule", re.IGNORECASE)
# Matchers that are not negated, and their values, in either kind of quotes.
_HOSTS = re.compile(r"(?<![!\w])Host\(([^)]*)\)", re.IGNORECASE)
_PATHS = re.compile(r"(?<![!\w])Path(?:Prefix)?\(([^)]*)\)", re.IGNORECASE)
_QUOTED = re.compile(r"[`\"]([^`\"]*)[`\"]")
_INTERNAL = re.compile(
    rf"--entrypoints\.{INTERNAL_ENTRYPOINT}\.address=\S*:{INTERNAL_PORT}(?:/tcp)?", re.IGNORECASE
)


@dataclass(frozen=True)
class Listed:
    """A container of the server, whoever started it.

    Attributes:
        id: Docker's.
        name: Its name.
        image: As it was asked for.
        labels: All of them.
        status: `running`, `exited`, …
        health: `healthy`, `starting`, `unhealthy`, or empty without a health check.
        started: When it last started, ISO 8601 in UTC.
        restarts: How often Docker started it again.
        policy: When Docker starts it again, such as `no`.
        shm_bytes: Its shared memory.
        ports: Ports of the server that lead to it.
        networks: Docker's networks that it is on, and the names that it answers to there.
        links: The containers that it calls by names of its own.
        volumes: The names of its volumes, and where each is in the container.
        arguments: What its program was started with.
    """

    id: str = ""
    name: str = ""
    image: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    status: str = "running"
    health: str = ""
    started: str = ""
    restarts: int = 0
    policy: str = "no"
    shm_bytes: int = 0
    ports: frozenset[int] = frozenset()
    networks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    links: frozenset[str] = frozenset()
    volumes: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()

    @property
    def project(self) -> str:
        """Its compose project."""
        return self.labels.get(_PROJECT, "")

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.status == "running"

    @property
    def owner(self) -> tuple[str, str, str]:
        """Project, environment and instance of the site that it belongs to; empty without one."""
        return tuple(self.labels.get(f"{LABEL}.{part}", "") for part in _OWNER)  # type: ignore[return-value]

    @property
    def owner_shown(self) -> str:
        """For messages: the site, else the container."""
        project, environment, instance = self.owner
        return (
            Site(project, environment, instance).name if project else f"the container {self.name}"
        )

    @property
    def routes(self) -> frozenset[tuple[str, str]]:
        """Hosts and paths that Traefik sends to it, from its labels."""
        rules = (rule for name, rule in self.labels.items() if _RULE.fullmatch(name))
        return frozenset(route for rule in rules for route in _routes(rule))

    def belongs_to(self, site: Site) -> bool:
        """Whether a site's labels are on it."""
        return self.owner == (site.project, site.environment, site.instance)


_OWNER = ("project", "environment", "instance")


def _routes(rule: str) -> set[tuple[str, str]]:
    """Hosts and paths of a rule of Traefik."""
    parts = _alternatives(rule)
    if len(parts) > 1:
        return {route for part in parts for route in _routes(part)}
    hosts = {host.lower() for group in _HOSTS.findall(rule) for host in _QUOTED.findall(group)}
    paths = {path.rstrip("/") for group in _PATHS.findall(rule) for path in _QUOTED.findall(group)}
    return {(host, path or "/") for host in hosts for path in paths or {""}}


def _alternatives(rule: str) -> list[str]:
    """What stands between the `||` that are in no brackets; brackets around all of it are left out."""
    bare = rule.strip()
    depth, parts, closed = 0, [""], []
    for piece in re.split(r"(\|\||[()])", bare):
        depth += {"(": 1, ")": -1}.get(piece, 0)
        if piece == "||" and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
        if piece == ")" and depth == 0:
            closed.append(sum(map(len, parts)))
    wrapped = bare.startswith("(") and closed == [len(bare)]
    return _alternatives(bare[1:-1]) if wrapped else parts


def read(text: str) -> tuple[Listed, ...]:
    """What `docker inspect --format FORMAT` printed.

    Args:
        text: A line for each container.
    """
    return tuple(_listed(json.loads(line)) for line in text.split("\n") if line.strip())


def _listed(told: Mapping[str, Any]) -> Listed:
    return Listed(
        id=told["id"],
        name=told["name"].removeprefix("/"),
        image=told["image"],
        labels=told["labels"] or {},
        status=told["status"],
        health=told["health"] if told["health"] != "none" else "",
        started=told["started"],
        restarts=told["restarts"],
        policy=told["policy"],
        shm_bytes=told["shm"],
        ports=frozenset(
            port for binding in _bindings(told["ports"]) for port in _range(binding["HostPort"])
        ),
        networks={name: _aliases(end) for name, end in (told["networks"] or {}).items()},
        links=frozenset(
            link.partition(":")[0]
            for end in (told["networks"] or {}).values()
            for link in end.get("Links") or ()
        ),
        volumes={
            mount["Name"]: mount["Destination"]
            for mount in told["mounts"] or ()
            if mount.get("Name")
        },
        arguments=tuple(told["arguments"] or ()),
    )


def _bindings(
    ports: Mapping[str, Sequence[Mapping[str, str]]] | None,
) -> Iterable[Mapping[str, str]]:
    return (binding for bindings in (ports or {}).values() for binding in bindings or ())


def _range(port: str) -> range:
    """The ports that `443` or `8080-8090` stands for; none where Docker chooses one."""
    first, _, last = port.partition("-")
    return range(int(first), int(last or first) + 1) if first else range(0)


def _aliases(end: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(end.get("Aliases") or ())


@dataclass(frozen=True)
class Database:
    """A site's running or stopped Postgres.

    Attributes:
        name: The container's.
        image: What it was started from.
        project: Its compose project; that of slipway 0.1 for one that was taken over.
        volume: The volume that its files are on.
        networks: Docker's networks that it is on.
        aliases: The names that apps know it by.
        running: Whether it runs.
        shm_bytes: Its shared memory.
    """

    name: str
    image: str
    project: str
    volume: str
    networks: frozenset[str]
    aliases: tuple[str, ...] = ()
    running: bool = True
    shm_bytes: int = 256 << 20


def database(listed: Iterable[Listed], site: Site, *, former: bool) -> Database | None:
    """A site's database.

    Args:
        listed: Every container of the server.
        site: The site.
        former: Whether what slipway 0.1 gave the site's old name is this site's.

    Returns:
        Its database, also one that slipway 0.1 started; None where it has none.
    """
    # What `compose run` started beside it is none.
    containers = [one for one in listed if one.labels.get(_ONE_OFF) != "True"]
    ours = [one for one in containers if one.project == site.database]
    kept = [
        one
        for one in containers
        if one.project == site.former_database and (former or site.network in one.networks)
    ]
    return next(map(_database, [*ours, *kept]), None)


def _database(container: Listed) -> Database:
    names = {name for aliases in container.networks.values() for name in aliases}
    own = {container.id[:12], container.name}
    return Database(
        container.name,
        container.image,
        container.project,
        next((name for name, path in container.volumes.items() if path == POSTGRES_DATA), ""),
        frozenset(container.networks),
        tuple(sorted(names - own)),
        container.running,
        container.shm_bytes,
    )


def claims(listed: Iterable[Listed], site: Site) -> frozenset[tuple[str, str]]:
    """The sites that slipway 0.1 gave this site's old name, as their containers tell.

    Args:
        listed: Every container of the server.
        site: The site.
    """
    return frozenset(
        (project, environment)
        for container in listed
        for project, environment, _ in (container.owner,)
        if project
        and container.project.startswith(f"{site.former_name}-")
        and Site(project, environment).former_name == site.former_name
    )


@dataclass(frozen=True)
class Proxy:
    """The container that has the server's port 443.

    Attributes:
        name: Its name.
        internal: Whether it has the entry point that apps reach each other by.
        arguments: What it was started with.
    """

    name: str
    internal: bool
    arguments: tuple[str, ...] = ()


def proxy(listed: Iterable[Listed]) -> Proxy | None:
    """The proxy; None where no container has port 443."""
    for container in listed:
        if container.running and 443 in container.ports:
            internal = any(_INTERNAL.fullmatch(argument) for argument in container.arguments)
            return Proxy(container.name, internal, container.arguments)
    return None


def taken(
    listed: Iterable[Listed], site: Site, wanted: Iterable[tuple[str, str]]
) -> list[tuple[str, str, str]]:
    """Hosts and paths that are somebody else's.

    Args:
        listed: Every container of the server.
        site: The site that wants them.
        wanted: Host and path.

    Returns:
        Host, path and who has it, for each.
    """
    others = [one for one in listed if not one.belongs_to(site)]
    return sorted(
        {
            (host, path, one.owner_shown)
            for host, path in wanted
            for one in others
            if (host.lower(), path.rstrip("/") or "/") in one.routes
        }
    )


def holders(listed: Iterable[Listed], volume: str, site: Site) -> list[str]:
    """Names of containers that have a volume open, but for the site's database.

    Args:
        listed: Every container of the server.
        volume: The volume's name.
        site: The site that wants it.
    """
    databases = {site.database, site.former_database}
    return sorted(
        one.name
        for one in listed
        if one.status in _OPEN and volume in one.volumes and one.project not in databases
    )

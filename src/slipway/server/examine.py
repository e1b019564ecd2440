"""Asks a server for the facts that preflight judges; nothing is changed."""

import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass

import anyio

from .checks import Facts
from .files import DATABASE_ENV
from .situation import Situation
from .ssh import Result, Server
from .target import Database, Login

PROGRAMS = ("docker", "flock", "timeout", "mktemp", "sync")
_MISSING = 'for name; do command -v -- "$name" >/dev/null || echo "$name"; done'
# $1 user, $2 database. Not by 127.0.0.1: the official image trusts that without a password.
_LOGIN = """
IFS= read -r PGPASSWORD
export PGPASSWORD
exec psql -h "$(hostname -i | cut -d ' ' -f 1)" -U "$1" -d "$2" -c 'select 1'
"""


# $1 user, $2 host. The login goes with its folder.
_REGISTRY = """
set -eu
DOCKER_CONFIG=$(mktemp -d)
export DOCKER_CONFIG
trap 'rm -rf -- "$DOCKER_CONFIG"' EXIT
trap 'exit 1' HUP INT TERM
docker login --username "$1" --password-stdin "$2"
"""
_REFUSED = "is too old. Minimum supported API version"


@dataclass(frozen=True)
class Question:
    """What is asked of a server.

    Attributes:
        found: What is on it.
        database: The database whose password is tried, if it runs.
        login: The registry's login, which is tried.
        hosts: The public names, which are looked up here.
    """

    found: Situation
    database: Database | None = None
    login: Login | None = None
    hosts: tuple[str, ...] = ()


async def facts(server: Server, question: Question) -> Facts:
    """Ask for everything at once.

    Args:
        server: The server.
        question: What depends on the release.
    """
    running, login = question.found.database, question.login
    found: dict[str, Result] = {}
    asked: dict[str, tuple[str, ...]] = {
        "missing": ("sh", "-c", _MISSING, "missing", *PROGRAMS),
        "docker": ("docker", "version", "--format", "{{.Server.Version}}"),
        "compose": ("docker", "compose", "version", "--short"),
        "clock": ("date", "+%s.%N"),
    }

    async def ask(name: str, command: tuple[str, ...]) -> None:
        found[name] = await server.run(*command)

    ours = time.time()
    try:
        async with anyio.create_task_group() as group:
            for name, command in asked.items():
                group.start_soon(ask, name, command)
    except ExceptionGroup as failed:
        # One connection: what broke it for one broke it for all.
        raise failed.exceptions[0] from None
    docker = found["docker"]
    proxy = question.found.proxy
    known = await _addresses({*question.hosts, server.address.host})
    return Facts(
        docker=docker.output.strip() if not docker.code else "",
        docker_error=docker.error.strip().partition("\n")[0],
        compose=found["compose"].output.strip() if not found["compose"].code else "",
        free=(await disk(server))[0],
        clock=float(found["clock"].output or ours) - ours,
        missing=tuple(found["missing"].output.split()),
        database=await _refused(server, running.name, question.database)
        if running and running.running and question.database
        else "",
        addresses={host: known[host] for host in question.hosts},
        own=known[server.address.host],
        registry=await _login(server, login) if login and not docker.code else "",
        proxy_refused=await _proxy(server, proxy.name) if proxy else "",
    )


async def _addresses(hosts: Iterable[str]) -> dict[str, frozenset[str]]:
    """Where names lead from here; nothing for one that leads nowhere."""
    return {host: await _address(host) for host in hosts}


async def _address(host: str) -> frozenset[str]:
    try:
        told = await anyio.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except OSError:
        return frozenset()
    return frozenset(str(address[0]) for *_, address in told)


async def _proxy(server: Server, name: str) -> str:
    """Docker's refusal in the proxy's log; empty where there is none."""
    log = await server.run("docker", "logs", "--since", "10m", "--tail", "50", name)
    lines = (log.output + log.error).splitlines()
    refused = [line[line.index("client version") :] for line in lines if _REFUSED in line]
    return refused[-1][:200] if refused else ""


async def _login(server: Server, login: Login) -> str:
    """What the registry says to the login; empty where it takes it."""
    command = ("sh", "-c", _REGISTRY, "login", login.user, login.host)
    done = await server.run(*command, stdin=login.password)
    return (done.error.strip().splitlines() or ["no answer"])[-1] if done.code else ""


async def disk(server: Server) -> tuple[int, int]:
    """Bytes free and altogether where Docker keeps its data."""
    root = await server.run("docker", "info", "--format", "{{.DockerRootDir}}")
    folder = root.output.strip() or "/"
    # The folder is Docker's own, which only root may enter: then its parent is asked.
    for where in (folder, folder.rpartition("/")[0] or "/"):
        done = await server.run("df", "--output=avail,size", "--block-size=1", where)
        if not done.code:
            free, total = done.output.split()[-2:]
            return int(free), int(total)
    return 0, 0


async def _refused(server: Server, container: str, database: Database) -> str:
    """What the running database says to the password; empty if it takes it."""
    done = await server.run(
        *("docker", "exec", "--interactive", container, "sh", "-c", _LOGIN, "login"),
        *(database.user, database.name),
        stdin=f"{database.password}\n",
    )
    return done.error.strip() or DATABASE_ENV if done.code else ""

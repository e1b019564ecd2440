"""Asks a server for the facts that preflight judges; nothing is changed."""

import time

import anyio

from .checks import Facts
from .files import DATABASE_ENV
from .names import Site
from .ssh import Result, Server
from .target import Database

PROGRAMS = ("docker", "flock", "timeout", "mktemp", "sync")
_MISSING = 'for name; do command -v -- "$name" >/dev/null || echo "$name"; done'
_PUBLISHED = "publish=443"
# $1 user, $2 database. Not by 127.0.0.1: the official image trusts that without a password.
_LOGIN = """
read -r PGPASSWORD
export PGPASSWORD
exec psql -h "$(hostname -i | cut -d ' ' -f 1)" -U "$1" -d "$2" -c 'select 1'
"""


async def facts(server: Server, site: Site, database: Database | None) -> Facts:
    """Ask for everything at once.

    Args:
        server: The server.
        site: Project and environment.
        database: The database whose password is tried, if it runs.
    """
    found: dict[str, Result] = {}
    asked: dict[str, tuple[str, ...]] = {
        "missing": ("sh", "-c", _MISSING, "missing", *PROGRAMS),
        "docker": ("docker", "version", "--format", "{{.Server.Version}}"),
        "compose": ("docker", "compose", "version", "--short"),
        "root": ("docker", "info", "--format", "{{.DockerRootDir}}"),
        "networks": ("docker", "network", "ls", "--format", "{{.Name}}"),
        "proxies": ("docker", "ps", "--filter", _PUBLISHED, "--format", "{{.Names}}"),
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
    return Facts(
        docker=docker.output.strip() if not docker.code else "",
        docker_error=docker.error.strip().partition("\n")[0],
        compose=found["compose"].output.strip() if not found["compose"].code else "",
        free=await _free(server, found["root"].output.strip()),
        clock=float(found["clock"].output or ours) - ours,
        networks=frozenset(found["networks"].output.split()),
        proxies=tuple(found["proxies"].output.split()),
        missing=tuple(found["missing"].output.split()),
        database=await _refused(server, site, database) if database else "",
    )


async def _free(server: Server, folder: str) -> int:
    """Bytes free; the folder is Docker's own, which only root may enter, so its parent is asked."""
    parent = folder.rpartition("/")[0] or "/"
    done = await server.run("df", "--output=avail", "--block-size=1", folder or "/")
    if done.code:
        done = await server.run("df", "--output=avail", "--block-size=1", parent)
    lines = done.output.split()
    return int(lines[-1]) if len(lines) > 1 else 0


async def _refused(server: Server, site: Site, database: Database) -> str:
    """What the running database says to the password; empty if it takes it, or if none runs."""
    running = await server.run(
        "docker", "ps", "--quiet", "--filter", f"label=com.docker.compose.project={site.database}"
    )
    container = running.output.strip()
    if not container:
        return ""
    done = await server.run(
        *("docker", "exec", "--interactive", container, "sh", "-c", _LOGIN, "login"),
        *(database.user, database.name),
        stdin=database.env.get("POSTGRES_PASSWORD", "") + "\n",
    )
    return done.error.strip() or DATABASE_ENV if done.code else ""

"""Looks at a server: everything that a plan depends on."""

import json
import posixpath
from collections.abc import Mapping
from typing import Any

from .names import LABEL, Site
from .situation import Situation, containers, releases
from .ssh import Server

# A line for each folder with its marks; below each that has one, its target.json, which is one line.
_RELEASES = """
cd -- "$1/releases" 2>/dev/null || exit 0
for folder in *; do
  printf '%s' "$folder"
  for mark in completed migrated; do
    if [ -e "$folder/$mark" ]; then printf ' %s' "$mark"; fi
  done
  echo
  cat -- "$folder/target.json" 2>/dev/null || true
done
"""


async def look(server: Server, site: Site) -> Situation:
    """The situation of one site; nothing is changed.

    Raises:
        ServerError: Docker does not answer.
    """
    folders, targets = read_releases(await _folders(server, site))
    return Situation(
        containers=containers(await inspected(server, site)),
        releases=releases(folders, targets),
        images=frozenset(await _lines(server, "image", "ls", "--digests", "--format", _IMAGE)),
        volumes=frozenset(await _lines(server, "volume", "ls", "--quiet")),
        networks=frozenset(await _lines(server, "network", "ls", "--format", "{{.Name}}")),
    )


_IMAGE = "{{.Repository}}@{{.Digest}}\n{{.Repository}}:{{.Tag}}"


def read_releases(text: str) -> tuple[dict[str, list[str]], dict[str, str]]:
    """What the server printed of its releases.

    Args:
        text: Lines of folders with their marks, and of JSON.

    Returns:
        Folder → its marks, and folder → its target.json.
    """
    folders: dict[str, list[str]] = {}
    targets: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("{"):
            targets[name] = line
        elif line.strip():
            name, *marks = line.split()
            folders[name] = marks
    return folders, targets


async def _folders(server: Server, site: Site) -> str:
    folder = posixpath.normpath(site.folder)
    done = await server.run("sh", "-c", _RELEASES, "releases", folder)
    return done.checked("looking for releases")


async def inspected(
    server: Server, site: Site, *, database: bool = False
) -> list[Mapping[str, Any]]:
    """`docker inspect` of a site's containers.

    Args:
        server: The server.
        site: Project and environment.
        database: Also the database's.

    Raises:
        ServerError: Docker does not answer.
    """
    ours = (f"{LABEL}.project={site.project}", f"{LABEL}.environment={site.environment}")
    ids = await _lines(server, "ps", "--all", "--quiet", *(f"--filter=label={one}" for one in ours))
    if database:
        label = f"--filter=label=com.docker.compose.project={site.database}"
        ids += await _lines(server, "ps", "--all", "--quiet", label)
    if not ids:
        return []
    done = await server.run("docker", "inspect", *ids)
    # One that has gone since is named as an error; the others are told all the same.
    return list(json.loads(done.output or "[]"))


async def _lines(server: Server, *arguments: str) -> list[str]:
    done = await server.run("docker", *arguments)
    return done.checked().split("\n")[:-1]

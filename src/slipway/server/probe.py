"""Looks at a server: everything that a plan depends on."""

import json
import posixpath

from .names import LABEL, Site
from .situation import Situation, containers, releases
from .ssh import Server

_RELEASES = """
cd -- "$1/releases" 2>/dev/null || exit 0
for folder in *; do
  if [ -e "$folder/completed" ]; then echo "$folder completed"; else echo "$folder"; fi
done
"""


async def look(server: Server, site: Site) -> Situation:
    """The situation of one site; nothing is changed.

    Raises:
        ServerError: Docker does not answer.
    """
    folders = [line.split() for line in (await _folders(server, site)).splitlines()]
    return Situation(
        containers=containers(await _inspected(server, site)),
        releases=releases(
            (words[0] for words in folders), (words[0] for words in folders if words[1:])
        ),
        images=frozenset(await _lines(server, "image", "ls", "--digests", "--format", _IMAGE)),
        volumes=frozenset(await _lines(server, "volume", "ls", "--quiet")),
        networks=frozenset(await _lines(server, "network", "ls", "--format", "{{.Name}}")),
    )


_IMAGE = "{{.Repository}}@{{.Digest}}\n{{.Repository}}:{{.Tag}}"


async def _folders(server: Server, site: Site) -> str:
    folder = posixpath.normpath(site.folder)
    done = await server.run("sh", "-c", _RELEASES, "releases", folder)
    return done.checked("looking for releases")


async def _inspected(server: Server, site: Site) -> list[dict[str, object]]:
    filters = [
        f"--filter=label={LABEL}.project={site.project}",
        f"--filter=label={LABEL}.environment={site.environment}",
    ]
    ids = await _lines(server, "ps", "--all", "--quiet", *filters)
    if not ids:
        return []
    done = await server.run("docker", "inspect", *ids)
    # One that has gone since is named as an error; the others are told all the same.
    return list(json.loads(done.output or "[]"))


async def _lines(server: Server, *arguments: str) -> list[str]:
    done = await server.run("docker", *arguments)
    return done.checked().split("\n")[:-1]

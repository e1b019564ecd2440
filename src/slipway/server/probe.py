"""Looks at a server: everything that a plan depends on."""

import posixpath
import re
from dataclasses import dataclass

from . import inventory, owner
from .inventory import Listed
from .names import Site
from .owner import Owner
from .situation import Situation, containers, releases, taken_over
from .ssh import DisconnectedError, Server, ServerError

# A line for each folder with its marks; below each that has one, its target.json, which is one line.
_RELEASES = """
cd -- "$1/releases" 2>/dev/null || exit 0
for folder in *; do
  printf '%s' "$folder"
  for mark in completed migrated; do
    if [ -e "$folder/$mark" ]; then printf ' %s' "$mark"; fi
  done
  echo
  # One that somebody edited may lack its last line break.
  if cat -- "$folder/target.json" 2>/dev/null; then echo; fi
done
"""
# $1 a site's folder: whether it is there, whose it says it is, and whose its releases say they are.
_FOLDER = """
[ -d "$1" ] || exit 0
echo there
if [ -e "$1/owner.json" ]; then printf 'owner '; tr '\n' ' ' <"$1/owner.json"; echo; fi
grep -hE '^  "(name|environment)": ' -- "$1"/releases/*/release.json 2>/dev/null || true
"""
# release.json: the project's name, then the environment.
_TOLD = re.compile(r'  "(?:name|environment)": "([^"]*)"')
_IMAGE = "{{.Repository}}@{{.Digest}}\n{{.Repository}}:{{.Tag}}"
# A container that goes while it is asked for is none any more; every other error is one.
_INSPECT = """
ids=$(docker ps --all --quiet --no-trunc) || exit 1
[ -n "$ids" ] || exit 0
{ docker inspect --format "$1" $ids 2>&1 >&3 | grep -viE 'no such object|^warning' >&2 && exit 1; } 3>&1
exit 0
"""


@dataclass(frozen=True)
class _Folder:
    """What a site's folder tells of its owner.

    Attributes:
        there: Whether there is such a folder.
        owner: Whose it says it is.
        deployed: Project and environment of the releases in it.
    """

    there: bool = False
    owner: Owner | None = None
    deployed: frozenset[tuple[str, str]] = frozenset()


async def look(server: Server, site: Site) -> Situation:
    """The situation of one site; nothing is changed.

    Raises:
        ServerError: Docker does not answer.
    """
    listed = await every_container(server)
    folder, old = await _folder(server, site), await _folder(server, site.former)
    claims = _claims(site, listed, old, folder)
    alone = claims == {(site.project, site.environment)}
    former = alone and old.there and not folder.there
    folders, targets = read_releases(await _releases(server, site.former if former else site))
    ours = containers(listed, site)
    return Situation(
        containers=ours,
        releases=taken_over(releases(folders, targets), ours),
        # --all: Docker 29 leaves out what has no tag, which is every image that came by digest.
        images=frozenset(
            await _lines(server, "image", "ls", "--all", "--digests", "--format", _IMAGE)
        ),
        volumes=frozenset(await _lines(server, "volume", "ls", "--quiet")),
        networks=frozenset(await _lines(server, "network", "ls", "--format", "{{.Name}}")),
        database=inventory.database(listed, site, former=alone),
        proxy=inventory.proxy(listed),
        owner=(old if former else folder).owner,
        former=former,
        claims=claims if len(claims) > 1 else frozenset(),
        listed=listed,
    )


async def located(server: Server, site: Site) -> Site:
    """The site, with its folder where it is: slipway 0.1 gave it another name.

    Where Docker does not answer, only what the folders tell counts.
    """
    if (await _folder(server, site)).there:
        return site
    old = await _folder(server, site.former)
    try:
        listed = await every_container(server)
    except DisconnectedError:
        raise
    except ServerError:
        listed = ()
    ours = _claims(site, listed, old) == {(site.project, site.environment)}
    return site.former if old.there and ours else site


async def every_container(server: Server) -> tuple[Listed, ...]:
    """Every container of the server.

    Raises:
        ServerError: Docker does not answer.
    """
    done = await server.run("sh", "-c", _INSPECT, "inspect", inventory.FORMAT)
    return inventory.read(done.checked("docker inspect"))


def _claims(
    site: Site, listed: tuple[Listed, ...], *folders: _Folder
) -> frozenset[tuple[str, str]]:
    """The sites that slipway 0.1 gave this site's old name."""
    deployed = {pair for folder in folders for pair in folder.deployed}
    return inventory.claims(listed, site) | {
        pair for pair in deployed if Site(*pair).former_name == site.former_name
    }


async def _folder(server: Server, site: Site) -> _Folder:
    done = await server.run("sh", "-c", _FOLDER, "folder", posixpath.normpath(site.folder))
    lines = done.checked("looking for the site's folder").splitlines()
    told = next((line.partition(" ")[2] for line in lines if line.startswith("owner ")), None)
    names = [found[1] for line in lines if (found := _TOLD.match(line))]
    whose = owner.read(told) if told is not None else None
    return _Folder(bool(lines), whose, frozenset(zip(names[::2], names[1::2], strict=False)))


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
    for line in text.split("\n"):
        if line.startswith("{"):
            targets[name] = line
        elif line.strip():
            name, *marks = line.split()
            folders[name] = marks
    return folders, targets


async def _releases(server: Server, site: Site) -> str:
    done = await server.run("sh", "-c", _RELEASES, "releases", posixpath.normpath(site.folder))
    return done.checked("looking for releases")


async def _lines(server: Server, *arguments: str) -> list[str]:
    done = await server.run("docker", *arguments)
    return done.checked().split("\n")[:-1]

"""Whether a site may have what it wants on a server that others are on. Pure: values in, problems out."""

from collections.abc import Iterator

from . import inventory
from .inventory import Listed
from .need import Need
from .situation import Situation


def problems(need: Need, found: Situation) -> list[str]:
    """What belongs to somebody else, and what nobody can tell whose it is; each with what settles it.

    Args:
        need: What the release wants.
        found: What is on the server.
    """
    return [
        *_owner(need, found),
        *_claims(need, found),
        *_routes(need, found),
        *(_volume(need, found) if need.database else ()),
    ]


def _owner(need: Need, found: Situation) -> Iterator[str]:
    if need.owner and found.owner:
        folder = need.site.former.folder if found.former else need.site.folder
        yield from found.owner.refuses(need.owner, folder)


def _claims(need: Need, found: Situation) -> Iterator[str]:
    """Two sites that slipway 0.1 could not tell apart."""
    site = need.site
    others = sorted(claim for claim in found.claims if claim != (site.project, site.environment))
    for project, environment in others:
        yield (
            f"slipway 0.1 put {project} + {environment} and {site.project} + {site.environment} into one folder, "
            f"{site.former.folder}, with one database: decide whose it is, remove the other's containers, and what "
            "it has below releases/, then deploy that first"
        )


def _routes(need: Need, found: Situation) -> Iterator[str]:
    for host, path, owner in inventory.taken(found.listed, need.site, need.routes):
        yield (
            f"https://{host}{path} is routed to {owner} on this server already: give one of them another address"
        )


def shared(need: Need, found: Situation) -> list[str]:
    """Hosts that this site has a part of, and another one another: allowed, and worth knowing.

    Args:
        need: What the release wants.
        found: What is on the server.
    """
    others = [one for one in found.listed if not one.belongs_to(need.site)]
    return sorted(
        {
            f"https://{host}{path} is beside https://{host}{theirs} of {one.owner_shown}: the longer path comes first"
            for host, path in need.routes
            for one in others
            for name, theirs in one.routes
            if name == host.lower() and theirs != path
        }
    )


def _volume(need: Need, found: Situation) -> Iterator[str]:
    site = need.site
    volume = found.database.volume if found.database else site.volume
    if names := inventory.holders(found.listed, volume, site):
        yield (
            f"{', '.join(names)} has the volume {volume} open: two programs on one database's files destroy them; "
            "stop what does not belong there"
        )
    if not found.database and site.volume not in found.volumes:
        yield from _former_volume(need, found)
    there = found.database
    if there and site.network in there.networks and need.database not in there.aliases:
        aliases = " ".join(f"--alias {name}" for name in [need.database, *there.aliases])
        yield (
            f"the database's address names {need.database}, and the database that is there answers to "
            f"{', '.join(there.aliases)}: use that, or give it the name, on the server, which cuts its connections: "
            f"docker network disconnect {site.network} {there.name} && docker network connect {aliases} {site.network} "
            f"{there.name}"
        )


def _former_volume(need: Need, found: Situation) -> Iterator[str]:
    """A volume of slipway 0.1 that may be this site's: it is never left for an empty one in silence."""
    site, old = need.site, need.site.former_volume
    users = [container for container in found.listed if old in container.volumes]
    if old not in found.volumes or (users and not any(_unclear(one, need) for one in users)):
        return
    yield (
        f"the volume {old} of slipway 0.1 is there, and nothing tells whose database it is. If it is this site's, "
        f"copy it, on the server: docker volume create {site.volume} && docker run --rm -v {old}:/from "
        f"-v {site.volume}:/to postgres:17 cp -a /from/. /to/. If it is not, begin with an empty one: "
        f"docker volume create {site.volume}"
    )


def _unclear(container: Listed, need: Need) -> bool:
    """Whether a container could be the database of this site or of another one of the same old name."""
    return container.project == need.site.former_database

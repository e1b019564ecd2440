"""What things are called on the server, so that every step finds them again. Pure.

A name is made of parts, joined by `--`. No part holds `--`, or begins or ends with a dash
(`slipway.deployable` refuses it), so no two sites, and no two things of one kind, ever share a name.
"""

import posixpath
import re
from dataclasses import dataclass, replace

from slipway.deployable import DATABASE, JOINT, MIGRATOR

# Below the deploying user's home.
HOME = "slipway"
LABEL = "slipway"
HEADER = "X-Slipway-Release"
# Docker's network of the proxy: the only thing that sites share.
WEB = "web"
# What slipway 0.1 put every database on.
SHARED = "internal"
# The proxy's entry point for requests from one app of a site to another; no port of the server leads to it.
INTERNAL_ENTRYPOINT, INTERNAL_PORT = "internal", 8000
# Room for a million releases of each app before its band of priorities meets the next one's.
BAND = 1_000_000


@dataclass(frozen=True)
class Site:
    """One environment of one project on one server: it owns all that has its name.

    Attributes:
        project: The project's name.
        environment: The environment's name.
        instance: Which of several of that environment, such as a review's; empty where there is one.
        old: Whether its folder still has the name that slipway 0.1 gave it.
    """

    project: str
    environment: str
    instance: str = ""
    old: bool = False

    @property
    def name(self) -> str:
        """Such as `mindfulspace--staging`."""
        return JOINT.join(filter(None, (self.project, self.environment, self.instance)))

    @property
    def former_name(self) -> str:
        """What slipway 0.1 called it; `shop` + `prod-eu` and `shop-prod` + `eu` had the same."""
        return f"{self.project}-{self.environment}"

    @property
    def former(self) -> "Site":
        """The same site, with its folder where slipway 0.1 had it."""
        return replace(self, old=True)

    @property
    def folder(self) -> str:
        """Where everything of it is, relative to the deploying user's home."""
        return posixpath.join(HOME, self.former_name if self.old else self.name)

    @property
    def login_folder(self) -> str:
        """Where the login to the registry is while images are pulled."""
        return posixpath.join(self.folder, ".docker")

    @property
    def network(self) -> str:
        """Docker's network of its database and its apps; it leads nowhere else."""
        return f"{self.name}{JOINT}internal"

    @property
    def volume(self) -> str:
        """The database's volume, which no deploy ever makes again."""
        return f"{self.name}{JOINT}{DATABASE}"

    @property
    def former_volume(self) -> str:
        """What slipway 0.1 called the volume: two projects had the same."""
        return f"db_data_{self.environment}"

    @property
    def database(self) -> str:
        """The database's compose project."""
        return f"{self.name}{JOINT}{DATABASE}"

    @property
    def former_database(self) -> str:
        """What slipway 0.1 called the database's compose project."""
        return f"{self.former_name}-{DATABASE}"

    def release(self, sequence: int, identifier: str) -> str:
        """The folder of one release."""
        return posixpath.join(self.folder, "releases", f"{sequence:06d}-{identifier}")

    def app(self, app: str, sequence: int) -> str:
        """One app of one release: its compose project, its service, its router, its alias on networks."""
        return JOINT.join((self.name, app, str(sequence)))

    def internal_host(self, app: str) -> str:
        """The name that leads to an app's serving release, for the other apps of the site."""
        return f"{app}.{self.name}.internal"

    def internal_url(self, app: str) -> str:
        """The address that leads to an app's serving release, for the other apps of the site."""
        return f"http://{self.internal_host(app)}:{INTERNAL_PORT}"

    @property
    def labels(self) -> dict[str, str]:
        """What each of its containers, networks and volumes carries."""
        instance = {f"{LABEL}.instance": self.instance} if self.instance else {}
        return {
            f"{LABEL}.project": self.project,
            f"{LABEL}.environment": self.environment,
            **instance,
        }

    @property
    def label_options(self) -> tuple[str, ...]:
        """The same for docker's `create` commands."""
        return tuple(f"--label={key}={value}" for key, value in self.labels.items())

    def app_labels(self, app: str, sequence: int, identifier: str) -> dict[str, str]:
        """What an app's container carries: the old ones are found, and removed, by these."""
        return {
            **self.labels,
            f"{LABEL}.app": app,
            f"{LABEL}.release": identifier,
            f"{LABEL}.sequence": str(sequence),
        }


def variable(app: str) -> str:
    """The environment variable that tells an app's internal address: `api` → SLIPWAY_API_URL."""
    return f"SLIPWAY_{re.sub(r'[^A-Z0-9]', '_', app.upper())}_URL"


def priority(band: int, sequence: int) -> int:
    """A router's priority: newer releases of an app above older ones, apps apart from each other.

    Equal priorities flip at random on each reload of Traefik, and without bands a newer front end
    would take an older API's paths where both share a host.

    Args:
        band: 1 for the first app, 2 for the next.
        sequence: The release's number.
    """
    return band * BAND + sequence


__all__ = [
    "BAND",
    "DATABASE",
    "HEADER",
    "HOME",
    "INTERNAL_ENTRYPOINT",
    "INTERNAL_PORT",
    "LABEL",
    "MIGRATOR",
    "SHARED",
    "WEB",
    "Site",
    "priority",
    "variable",
]

"""What things are called on the server, so that every step finds them again."""

import posixpath
from dataclasses import dataclass

# Below the deploying user's home.
HOME = "slipway"
LABEL = "slipway"
HEADER = "X-Slipway-Release"
# What a migrator's container is called, as an app's by the app's name.
MIGRATOR = "migrator"
# Room for a million releases of each app before its band of priorities meets the next one's.
BAND = 1_000_000


@dataclass(frozen=True)
class Site:
    """One environment of one project on one server.

    Attributes:
        project: The project's name.
        environment: The environment's name.
    """

    project: str
    environment: str

    @property
    def name(self) -> str:
        """Such as `mindfulspace-staging`."""
        return f"{self.project}-{self.environment}"

    @property
    def folder(self) -> str:
        """Where everything of it is, relative to the deploying user's home."""
        return posixpath.join(HOME, self.name)

    @property
    def volume(self) -> str:
        """The database's volume, which no deploy ever makes again."""
        return f"db_data_{self.environment}"

    @property
    def database(self) -> str:
        """The database's compose project."""
        return f"{self.name}-database"

    def release(self, sequence: int, identifier: str) -> str:
        """The folder of one release."""
        return posixpath.join(self.folder, "releases", f"{sequence:06d}-{identifier}")

    def app(self, app: str, sequence: int) -> str:
        """One app of one release: its compose project, its router, its service."""
        return f"{self.name}-{app}-{sequence}"

    def labels(self, app: str, sequence: int, identifier: str) -> dict[str, str]:
        """What its container carries: the old ones are found, and removed, by these."""
        return {
            f"{LABEL}.project": self.project,
            f"{LABEL}.environment": self.environment,
            f"{LABEL}.app": app,
            f"{LABEL}.release": identifier,
            f"{LABEL}.sequence": str(sequence),
        }


def priority(band: int, sequence: int) -> int:
    """A router's priority: newer releases of an app above older ones, apps apart from each other.

    Equal priorities flip at random on each reload of Traefik, and without bands a newer front end
    would take an older API's paths where both share a host.

    Args:
        band: 1 for the first app, 2 for the next.
        sequence: The release's number.
    """
    return band * BAND + sequence

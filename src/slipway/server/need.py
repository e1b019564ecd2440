"""What a release wants of a server: values."""

from dataclasses import dataclass

from .names import Site
from .owner import Owner


@dataclass(frozen=True)
class Need:
    """What a release wants of a server.

    Attributes:
        site: The site.
        bytes_to_pull: Compressed size of what is not there yet.
        user: Who logs in.
        database: The host of its database on the server; empty without one.
        registry: Who logs in where, for messages.
        routes: Host and path of each app.
        owner: Whose the site is; None where nothing is deployed.
    """

    site: Site
    bytes_to_pull: int = 0
    user: str = "deploy"
    database: str = ""
    registry: str = ""
    routes: tuple[tuple[str, str], ...] = ()
    owner: Owner | None = None

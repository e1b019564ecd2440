"""Someone at work on one site's server: who it is, and how they get in."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from slipway.progress import Say

from .lock import Holder, held
from .names import Site
from .need import Need
from .owner import Owner
from .probe import located
from .routing import Router
from .ssh import Address, Server, connect
from .target import Target

LOCK_SECONDS = 300


@dataclass(frozen=True)
class Operator:
    """Who acts, and where.

    Attributes:
        site: Project and environment.
        address: The server's.
        key: The private key to log in with.
        who: The person or job.
        job: The job's address, if it is one.
        ca: Further authorities of the public addresses, PEM.
        repository: Host and path of the repository; empty where it has no address.
    """

    site: Site
    address: Address
    key: str = field(repr=False)
    who: str
    job: str = ""
    ca: str = ""
    repository: str = ""

    @property
    def owner(self) -> Owner:
        """Whose the site is that they deploy."""
        return Owner(self.site.project, self.site.environment, self.repository)

    @property
    def router(self) -> Router:
        """Asks the server's own proxy, whatever the public names lead to."""
        return Router(self.address.host, self.ca)

    def connected(self) -> AbstractAsyncContextManager[Server]:
        """A connection to the server, closed at the end."""
        return connect(self.address, self.key)

    def locked(self, server: Server, release: str, say: Say) -> AbstractAsyncContextManager[None]:
        """The site's lock, for as long as the context lasts.

        Args:
            server: The server.
            release: What is brought there, for those who wait.
            say: Shows a line: whom it waits for.
        """
        holder = Holder(self.who, release, now(), self.job)
        return self._locked(server, holder, say)

    @asynccontextmanager
    async def _locked(self, server: Server, holder: Holder, say: Say) -> AsyncIterator[None]:
        site = await located(server, self.site)
        async with held(server, site, holder, LOCK_SECONDS, say):
            moved = await located(server, self.site)
            if moved == site:
                yield
                return
        # Whoever had the lock took the site over: its folder, and the lock in it, have their new name for good.
        async with held(server, moved, holder, LOCK_SECONDS, say):
            yield


def now() -> str:
    """This moment, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def need(operator: Operator, target: Target) -> Need:
    """What a release wants of a server, before it is known what has to be pulled.

    Args:
        operator: Who acts there.
        target: The release.
    """
    return Need(
        site=target.site,
        user=operator.address.user,
        database=target.database.host if target.database else "",
        registry=f"{target.login.user} at {target.login.host}" if target.login else "",
        routes=target.routes,
        owner=operator.owner,
    )

"""The streams of requests that run while a release is replaced. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SESSION = {"title": "Under load", "minutes": 3, "mood": "calm"}
"""What a POST sends: the example's API writes it to its database."""
SLOW_SECONDS = 2


@dataclass(frozen=True)
class Stream:
    """Requests of one kind.

    Attributes:
        name: As in the results.
        url: The address.
        body: What a POST sends; None for a GET.
        keep: Whether connections are kept for the next request.
        http2: Whether HTTP/2 may be used, which kept connections of browsers do.
    """

    name: str
    url: str
    body: dict[str, Any] | None = None
    keep: bool = True
    http2: bool = False

    @property
    def method(self) -> str:
        """As HTTP spells it."""
        return "POST" if self.body else "GET"


def streams(web: str, api: str) -> tuple[Stream, ...]:
    """Every kind of request, for the example's front end and its API.

    Args:
        web: The front end's address, without a slash at its end.
        api: The API's.
    """
    sessions, breath = f"{api}/sessions", f"{api}/breath?seconds="
    return (
        Stream("front end, GET, kept", f"{web}/"),
        Stream("front end, GET, new", f"{web}/", keep=False),
        Stream("front end, GET, HTTP/2", f"{web}/healthz", http2=True),
        Stream("API, GET, kept", f"{breath}0.1"),
        Stream("API, GET, new", f"{breath}0.1", keep=False),
        Stream("API, POST, kept", sessions, SESSION),
        Stream("API, POST, new", sessions, SESSION, keep=False),
        Stream(f"API, GET of {SLOW_SECONDS} s", f"{breath}{SLOW_SECONDS}"),
    )


def inside(api: str) -> tuple[Stream, ...]:
    """What another app of the site sends to the API, within the server.

    Args:
        api: The API's address for the site's own apps.
    """
    return (
        Stream("API, inside, GET, kept", f"{api}/health"),
        Stream("API, inside, GET, new", f"{api}/health", keep=False),
    )

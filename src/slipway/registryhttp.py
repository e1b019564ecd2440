"""What is asked of a registry over HTTP, and what it answers. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Self

import httpx

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_STATUSES = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True)
class Request:
    """What is asked.

    Attributes:
        method: GET, HEAD, PUT, POST or DELETE.
        url: Where.
        headers: Further headers.
        content: The body.
        limit: How many bytes the answer may have.
    """

    method: str
    url: httpx.URL
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes = b""
    limit: int = 1_000_000

    @property
    def repeatable(self) -> bool:
        """Whether it comes to the same when it is sent twice."""
        return self.method in {"GET", "HEAD", "PUT"}

    def authorized(self, authorization: str | None) -> Self:
        """The request with a login.

        Args:
            authorization: The header's value; None for no login.
        """
        if authorization is None:
            return self
        return replace(self, headers={**self.headers, "Authorization": authorization})


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        method: What was asked.
        url: Who answered, after all redirects.
        status: The HTTP status.
        headers: The headers.
        body: The whole body.
    """

    method: str
    url: httpx.URL
    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def good(self) -> bool:
        """Whether it is what was asked for."""
        return 200 <= self.status < 300

    @property
    def page(self) -> bool:
        """Whether it is a web page, which no API answers with."""
        return self.body.lstrip().startswith(b"<")

    @property
    def errors(self) -> list[str]:
        """What a registry says is wrong (distribution spec, "Error Codes"); nothing of any other body."""
        try:
            found = json.loads(self.body)["errors"]
            said = [f"{one['code']}: {one.get('message') or ''}" for one in found]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return []
        return [" ".join(text.split())[:200].rstrip(": ") for text in said]

    def words(self, *more: str) -> str:
        """A refusal as engines say it.

        Args:
            more: What else is known of it.
        """
        asked = f"unexpected status from {self.method} request to {shown(self.url)}"
        status = f"{self.status} {_STATUSES.get(self.status, 'Unknown')}"
        return ": ".join([asked, status, *self.errors, *more])


def loopback(host: str) -> bool:
    """Whether a name or address is this machine's own."""
    return host in LOOPBACK or host.startswith("127.")


def shown(url: httpx.URL) -> str:
    """An address without a user and without parameters."""
    return f"{url.scheme}://{url.netloc.decode()}{url.path}"


def same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    """Whether two addresses are the same server's (RFC 6454)."""
    return _origin(one) == _origin(other)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"https": 443, "http": 80}.get(url.scheme)

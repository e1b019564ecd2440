"""Asks the server's proxy which release answers an address."""

import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio
import httpx

from .names import HEADER
from .ssh import ServerError

_EVERY_SECONDS = 0.25
_ASK_SECONDS = 5.0
_BROKEN = 500


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: The HTTP status, or 0 without an answer.
        release: What the release's header says.
        error: Why there was no answer.
    """

    status: int = 0
    release: str = ""
    error: str = ""

    def __str__(self) -> str:
        """For messages."""
        return self.error or f"status {self.status}, answered by {self.release or 'no release'}"


@dataclass(frozen=True)
class Router:
    """Asks one server, whatever the names resolve to here.

    Attributes:
        host: The server's own address; empty to go where the name resolves to.
        ca: Further certificates to trust, PEM.
    """

    host: str = ""
    ca: str = ""

    async def ask(self, url: str) -> Answer:
        """Ask once.

        Args:
            url: The public address.
        """
        parts = urlsplit(url)
        name = parts.hostname or ""
        asked = parts._replace(netloc=_bracketed(self.host) or parts.netloc).geturl()
        try:
            async with httpx.AsyncClient(verify=self._trust(), trust_env=not self.host) as client:
                answer = await client.get(
                    asked,
                    headers={"Host": parts.netloc},
                    # The certificate is checked for the public name.
                    extensions={"sni_hostname": name},
                    timeout=_ASK_SECONDS,
                )
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return Answer(error=str(error) or type(error).__name__)
        return Answer(answer.status_code, answer.headers.get(HEADER, ""))

    async def wait(self, url: str, release: str, seconds: float) -> Answer:
        """Ask until one release answers.

        Args:
            url: The public address.
            release: What its header says.
            seconds: How long.

        Raises:
            ServerError: It did not in that time; with the last answer.
        """
        deadline = time.monotonic() + seconds
        while (answer := await self.ask(url)).release != release or answer.status >= _BROKEN:
            if time.monotonic() > deadline:
                raise ServerError(
                    f"{url} is not answered by {release} after {seconds:g} s; the last answer: {answer}"
                )
            await anyio.sleep(_EVERY_SECONDS)
        return answer

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.ca:
            context.load_verify_locations(cadata=self.ca)
        return context


def _bracketed(host: str) -> str:
    """A host as an address has it: IPv6 in brackets (RFC 3986, 3.2.2)."""
    return f"[{host}]" if ":" in host else host

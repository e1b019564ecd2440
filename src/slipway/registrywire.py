"""Sends requests to a registry: trust, bounds, repeats, and what went wrong in one line."""

import email.utils
import os
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

import anyio
import httpx

from .registryhttp import LOOPBACK, Answer, Request, loopback, shown

# Seconds: to connect, between two pieces of an answer, and for one request with all its repeats.
_TIMEOUT = httpx.Timeout(30, connect=10)
_TOTAL = 120
_WAITS = (0.3, 1.0)
# How long a registry may have a client wait, in seconds.
_PATIENCE = 10.0
_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_PASSING = {500, 502, 503, 504}
# What OpenSSL makes of an answer that is no TLS.
_NO_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"}


class WireError(Exception):
    """No answer, or none that can be read; the text is what an engine would say of it, on one line.

    Attributes:
        no_tls: Whether the other side is there, but speaks no TLS.
    """

    def __init__(self, said: str, *, no_tls: bool = False) -> None:
        super().__init__(said)
        self.no_tls = no_tls


class Wire:
    """One client for all requests to a registry, its token service and wherever it redirects to."""

    def __init__(self, host: str, ca: str = "") -> None:
        """Load what is trusted.

        Args:
            host: The registry's name, without a port; if it is this machine's, no proxy is asked for it.
            ca: PEM text of a further authority.

        Raises:
            ssl.SSLError: That text is no certificate.
        """
        # The machine's own bundle, or SSL_CERT_FILE; httpx by itself would take a list of its own.
        trust = ssl.create_default_context()
        # Where engines and people put authorities on Debian; a Python from elsewhere does not look there.
        if "SSL_CERT_FILE" not in os.environ and _BUNDLE.exists():
            trust.load_verify_locations(cafile=_BUNDLE)
        if ca:
            trust.load_verify_locations(cadata=ca)
        own = {*LOOPBACK, host} if loopback(host) else LOOPBACK
        self._client = httpx.AsyncClient(
            verify=trust,
            timeout=_TIMEOUT,
            mounts={f"all://{f'[{name}]' if ':' in name else name}": None for name in own},
            # Digests are those of what is sent.
            headers={"Accept-Encoding": "identity", "User-Agent": "slipway"},
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def ask(self, request: Request) -> Answer:
        """Send a request; after a failure that may pass, twice more if it comes to the same.

        A redirect of GET and HEAD is followed, to another server without the login.

        Raises:
            WireError: Nothing answers, or not with HTTP, or with too much.
        """
        try:
            with anyio.fail_after(_TOTAL):
                for pause in _WAITS:
                    try:
                        answer = await self._once(request)
                        wait = _wait(answer, pause, repeatable=request.repeatable)
                        if wait is None:
                            return answer
                    except httpx.HTTPError as error:
                        if not request.repeatable or _lasts(error):
                            raise
                        wait = pause
                    await anyio.sleep(wait)
                return await self._once(request)
        except httpx.HTTPError as error:
            raise _wire_error(request, error) from None
        except TimeoutError:
            said = f"{_asked(request.method, request.url)}: i/o timeout"
            raise WireError(said) from None

    async def _once(self, request: Request) -> Answer:
        sent = self._client.build_request(
            request.method, request.url, headers=request.headers, content=request.content
        )
        follow = request.method in {"GET", "HEAD"}
        answer = await self._client.send(sent, stream=True, follow_redirects=follow)
        body = bytearray()
        try:
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > request.limit:
                    raise WireError(
                        f"{_asked(request.method, answer.url)}: more than {request.limit} bytes"
                    )
        finally:
            await answer.aclose()
        return Answer(request.method, answer.url, answer.status_code, answer.headers, bytes(body))


def _wait(answer: Answer, pause: float, *, repeatable: bool) -> float | None:
    """How long to wait before the same request once more; None to take the answer as it is."""
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        asked = _retry_after(answer.headers.get("Retry-After", ""))
        wait = pause if asked is None else asked
        return wait if wait <= _PATIENCE else None
    return pause if repeatable and answer.status in _PASSING else None


def _retry_after(text: str) -> float | None:
    """Seconds, or a date (RFC 9110, 10.2.3)."""
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def _lasts(error: httpx.HTTPError) -> bool:
    """Whether a failure will be the same a second later."""
    lasting = (httpx.UnsupportedProtocol, httpx.TooManyRedirects, httpx.LocalProtocolError)
    return isinstance(error, lasting) or any(
        isinstance(cause, ssl.SSLError) for cause in _causes(error)
    )


def _wire_error(request: Request, error: httpx.HTTPError) -> WireError:
    url = request.url
    with suppress(RuntimeError):  # after a redirect, another one than was asked
        url = error.request.url
    causes = list(_causes(error))
    # Some close the connection instead of an answer that is no TLS.
    no_tls = isinstance(error, httpx.ConnectError) and any(
        isinstance(cause, ssl.SSLEOFError | ConnectionResetError) or _reason(cause) in _NO_TLS
        for cause in causes
    )
    said = f"{_asked(request.method, url)}: {_said(error, causes)}"
    return WireError(said, no_tls=no_tls)


def _asked(method: str, url: httpx.URL) -> str:
    """As engines say it, in the words of Go's client."""
    return f'{method.capitalize()} "{shown(url)}"'


def _said(error: httpx.HTTPError, causes: list[BaseException]) -> str:
    """What failed, in the words of Go's client where it has any."""
    if isinstance(error, httpx.TimeoutException):
        return "i/o timeout"
    if isinstance(error, httpx.RemoteProtocolError):
        return f"unexpected EOF: {error}"
    if isinstance(error, httpx.ProxyError):
        return f"the proxy of this machine answers {error}"
    words = (_words(cause) for cause in reversed(causes))
    return next(filter(None, words), "connection reset by peer")


def _words(cause: BaseException) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"tls: certificate verify failed: {cause.verify_message}"
    if (reason := _reason(cause)) in _NO_TLS:
        return f"tls: {reason.lower().replace('_', ' ')}"
    if isinstance(cause, OSError) and not isinstance(cause, socket.gaierror | ssl.SSLError):
        return os.strerror(cause.errno).lower() if cause.errno else ""
    return str(cause.args[-1]) if cause.args else ""


def _reason(error: BaseException) -> str:
    return str(error.reason) if isinstance(error, ssl.SSLError) else ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception, and what it comes from; of several at once, the first."""
    found: BaseException | None = error
    while found is not None:
        yield found
        group = found.exceptions[0] if isinstance(found, BaseExceptionGroup) else None
        found = group or found.__cause__ or found.__context__

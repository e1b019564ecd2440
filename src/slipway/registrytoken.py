"""How a registry wants to know who asks, and the tokens that its token service gives.

The token service is asked as the distribution project's docs/spec/auth/token.md says. Neither password nor token
goes to anybody but the registry and, over TLS, the token service that it names.
"""

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import httpx

from .registryfaults import RegistryError
from .registryhttp import Request, loopback, shown
from .registrywire import Wire

# `name=value` or `name="value"`; a word without either begins the next challenge.
_PART = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([A-Za-z][\w-]*)')
_KNOWN = ("bearer", "basic")
# What may stand in a header.
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class Challenge:
    """One way to log in that a registry offers (RFC 9110, 11.6.1).

    Attributes:
        scheme: In lower case, such as basic or bearer.
        parameters: By name in lower case.
    """

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def without_scope(self) -> "Challenge":
        """What holds for other requests, too."""
        rest = {name: value for name, value in self.parameters.items() if name != "scope"}
        return Challenge(self.scheme, rest)


def challenges(headers: Iterable[str]) -> list[Challenge]:
    """Every way to log in; tokens come before passwords.

    Args:
        headers: Every WWW-Authenticate header.
    """
    found = [one for header in headers for one in _parsed(header)]
    return sorted(found, key=lambda one: _KNOWN.index(one.scheme) if one.scheme in _KNOWN else 2)


def known(found: Iterable[Challenge]) -> Challenge | None:
    """The way to log in that slipway takes, if there is one."""
    return next((one for one in found if one.scheme in _KNOWN), None)


def _parsed(header: str) -> list[Challenge]:
    found: list[Challenge] = []
    for name, quoted, bare, scheme in _PART.findall(header):
        if scheme:
            found.append(Challenge(scheme.lower()))
        elif found:
            found[-1].parameters[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) or bare
    return found


@dataclass(frozen=True)
class Login:
    """Who logs in.

    Attributes:
        user: A name, or None for nobody.
        password: A password or a token.
    """

    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def basic(self) -> str | None:
        """The header Authorization, or None without a login."""
        if not self.user or not self.password:
            return None
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


class TokenRefusedError(Exception):
    """The token service gives no token; the text is what an engine would say."""


@dataclass
class Tokens:
    """The tokens of one login, by what they are for.

    Attributes:
        wire: Sends requests.
        host: The registry, for messages.
        login: Who logs in.
    """

    wire: Wire
    host: str
    login: Login
    _kept: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def secrets(self) -> list[str]:
        """What nobody may read: the password, plain and as it is sent, and every token."""
        basic = (self.login.basic or "").removeprefix("Basic ")
        return [one for one in (*self._kept.values(), self.login.password, basic) if one]

    async def kept(self, challenge: Challenge, scope: str, api: httpx.URL) -> str:
        """A token that was given before, or else a new one: arguments and errors are those of `renewed`."""
        return self._kept.get(scope) or await self.renewed(challenge, scope, api)

    async def renewed(self, challenge: Challenge, scope: str, api: httpx.URL) -> str:
        """A new token.

        Args:
            challenge: What the registry says of its token service.
            scope: What for: `repository:NAME:pull` or `repository:NAME:pull,push`.
            api: Where the registry's API is.

        Raises:
            RegistryError: The service is where no login may be sent, or answers without a token.
            TokenRefusedError: The service refuses.
            WireError: The service does not answer.
        """
        realm = _realm(challenge.parameters.get("realm", ""), api, self.host)
        basic = self.login.basic
        asked = list(realm.params.multi_items())
        if service := challenge.parameters.get("service"):
            asked.append(("service", service))
        # A registry behind a proxy may know the repository by another name.
        scopes = dict.fromkeys(filter(None, (scope, challenge.parameters.get("scope"))))
        asked += [("scope", one) for one in scopes]
        if basic and self.login.user:
            asked.append(("account", self.login.user))
        request = Request("GET", realm.copy_with(params=asked)).authorized(basic)
        answer = await self.wire.ask(request)
        if not answer.good:
            kind = "oauth" if basic else "anonymous"
            raise TokenRefusedError(f"failed to fetch {kind} token: {answer.words()}")
        token = _token(answer.body)
        if token is None:
            raise RegistryError(
                f"the token service of {self.host}, {shown(realm)}, answers without a token: it may be something "
                "else, or not work. See the realm in the settings of the registry, and the service's log"
            )
        self._kept[scope] = token
        return token


def _realm(text: str, api: httpx.URL, host: str) -> httpx.URL:
    """The token service, if a login may be sent there."""
    try:
        realm = httpx.URL(text)
    except httpx.InvalidURL:
        realm = httpx.URL()
    if realm.scheme == "https" and realm.host:
        return realm
    # A registry that is plain HTTP by choice has a token service that is no safer; on this machine it need not be.
    near = realm.host == api.host or (loopback(realm.host) and loopback(api.host))
    if realm.scheme == "http" and api.scheme == "http" and near:
        return realm
    raise RegistryError(
        f'{host} names "{shown(realm)}" as its token service, and a login is sent over HTTPS alone. '
        "Correct the realm in the settings of the registry"
    )


def _token(body: bytes) -> str | None:
    try:
        found = json.loads(body)
        token = found.get("token") or found.get("access_token")
    except (ValueError, AttributeError, RecursionError):
        return None
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else None

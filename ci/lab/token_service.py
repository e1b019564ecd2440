"""A token service as GitLab has one at ``/jwt/auth``, for a registry that trusts its key.

What it answers is what GitLab's `JwtController` and `ContainerRegistryAuthenticationService` do:
POST is unknown (404), a wrong login is 401 with the code UNAUTHORIZED, no login at all is 403 with
the code DENIED, and actions that a user may not do are left out of the token without a word: the
registry refuses later. Format of the tokens: distribution's docs/spec/auth/jwt.md.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import ssl
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from . import authority

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import trustme

SERVICE = "container_registry"
ISSUER = "slipway-lab"
LIFETIME = 300  # seconds, GitLab's default
# The registry goes on for a minute with a token that has expired.
LEEWAY = 60
NO_LOGIN = {"errors": [{"code": "DENIED", "message": "access forbidden"}]}
WRONG_LOGIN = {
    "errors": [
        {
            "code": "UNAUTHORIZED",
            "message": "HTTP Basic: Access denied. The password is incorrect, or the token is "
            "incorrect, expired or improperly scoped.",
        }
    ]
}


@dataclass
class Account:
    """Who may do what.

    Attributes:
        actions: of ``pull``, ``push``, ``delete``.
        password: a made-up one.
    """

    actions: frozenset[str]
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))


@dataclass
class TokenService:
    """The service; what is changed in it counts from the next request on.

    Attributes:
        project: the path whose repositories its users may use, ``group/shop``.
        signer: the certificate whose key signs the tokens.
        ca: the certificate of who signed that one.
        address: ``host:port`` of the service.
        accounts: by name: ``ci`` pulls and pushes, ``deploy`` only pulls, as a deploy token.
        lifetime: of the tokens, in seconds; below -60 the registry refuses them at once.
        requests: what was asked for, oldest first: user and scopes.
    """

    project: str
    signer: trustme.LeafCert
    ca: Path
    address: str
    accounts: dict[str, Account] = field(
        default_factory=lambda: {
            "ci": Account(frozenset({"pull", "push"})),
            "deploy": Account(frozenset({"pull"})),
        }
    )
    lifetime: int = LIFETIME
    requests: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    @property
    def password(self) -> str:
        """Of the user ``ci``."""
        return self.accounts["ci"].password

    def expire(self) -> None:
        """Have every token from now on be refused as expired."""
        self.lifetime = -LEEWAY - 1

    def config(self) -> dict[str, Any]:
        """The section ``auth`` of the registry's config."""
        realm = f"https://{self.address}/jwt/auth"
        rest = {"issuer": ISSUER, "rootcertbundle": str(self.ca)}
        return {"token": {"realm": realm, "service": SERVICE, **rest}}

    def authorization(self, repository: str) -> str:
        """A header that may do everything with a repository."""
        access = {"type": "repository", "name": repository, "actions": ["pull", "push", "delete"]}
        return f"Bearer {self._token('', [access], LIFETIME)}"

    def answer(self, basic: str | None, query: str) -> tuple[int, dict[str, Any]]:
        """Status and body for one request.

        Args:
            basic: user and password as the header has them, in base64; None without any.
            query: the part of the address behind the question mark.
        """
        asked = parse_qs(query)
        if asked.get("service") != [SERVICE]:
            return 404, {}
        if basic is None:
            return 403, NO_LOGIN
        user, _, password = base64.b64decode(basic).decode(errors="replace").partition(":")
        scopes = tuple(scope for value in asked.get("scope", ()) for scope in value.split(" "))
        self.requests.append((user, scopes))
        account = self.accounts.get(user)
        if account is None or not hmac.compare_digest(account.password.encode(), password.encode()):
            return 401, WRONG_LOGIN
        granted = [self._grant(scope, account) for scope in scopes]
        access = [grant for grant in granted if grant["actions"]]
        return 200, {"token": self._token(user, access, self.lifetime)}

    def _grant(self, scope: str, account: Account) -> dict[str, Any]:
        """What a user gets of what was asked for."""
        kind, name, actions = (*scope.split(":"), "", "")[:3]
        own = kind == "repository" and f"{name}/".startswith(f"{self.project}/")
        may: Iterable[str] = account.actions if own else ()
        return {
            "type": kind,
            "name": name,
            "actions": [action for action in actions.split(",") if action in may],
        }

    def _token(self, user: str, access: list[dict[str, Any]], lifetime: int) -> str:
        """A signed token, with the certificate that its signature is checked with."""
        import jwt  # noqa: PLC0415  a library of the tests

        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": user,
            "aud": SERVICE,
            "iat": now,
            "nbf": now - 5,
            "exp": now + lifetime,
            "jti": secrets.token_hex(8),
            "access": access,
        }
        certificate = ssl.PEM_cert_to_DER_cert(self.signer.cert_chain_pems[0].bytes().decode())
        return jwt.encode(
            claims,
            self.signer.private_key_pem.bytes(),
            algorithm="ES256",
            headers={"x5c": [base64.b64encode(certificate).decode()]},
        )


@contextmanager
def token_service(folder: Path, issuer: Path, project: str) -> Iterator[TokenService]:
    """A service on a free port of 127.0.0.1, with TLS, for as long as the context lasts.

    Args:
        folder: keeps its certificate and key.
        issuer: the folder of the authority that signs it.
        project: the path whose repositories its users may use.
    """
    folder.mkdir(parents=True, exist_ok=True)
    signer = authority.load(issuer)
    certificate, key = authority.issue(signer, folder, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        address = f"127.0.0.1:{server.server_address[1]}"
        # The handshake is the handler's: a slow client keeps nobody else waiting.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        service = TokenService(
            project, signer.issue_cert("tokens.lab.test"), issuer / "ca.crt", address
        )
        server.service = service  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    timeout = 10

    def do_GET(self) -> None:
        """A token, or why there is none."""
        service: TokenService = self.server.service  # type: ignore[attr-defined]
        url = urlsplit(self.path)
        if url.path != "/jwt/auth":
            self._reply(404, {})
            return
        kind, _, basic = self.headers.get("Authorization", "").partition(" ")
        self._reply(*service.answer(basic if kind.lower() == "basic" else None, url.query))

    def do_POST(self) -> None:
        """Unknown, as in GitLab; a client then asks with GET."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._reply(404, {})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: the test's own output is enough."""

    def _reply(self, status: int, body: dict[str, Any]) -> None:
        """Send a JSON document."""
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

"""Registries with TLS and a login: Debian's docker-registry as a project's own registry would be."""

from __future__ import annotations

import base64
import fcntl
import json
import secrets
import socket
import ssl
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Protocol

from . import authority, settings, token_service
from .background import BOUND, Background
from .oci import MANIFEST
from .settings import LOOPBACK, LabError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .token_service import TokenService

USER = "ci"
# Checked at each request: more rounds than bcrypt's fewest would only slow the tests down.
ROUNDS = 4


class Login(Protocol):
    """How a registry knows who asks."""

    @property
    def password(self) -> str:
        """Of the user ``ci``."""

    def config(self) -> dict[str, Any]:
        """The section ``auth`` of the registry's config."""

    def authorization(self, repository: str) -> str:
        """A header that may do everything with a repository."""


@dataclass(frozen=True)
class Password:
    """One user with a password, checked by the registry itself (bcrypt, ``htpasswd``).

    Attributes:
        folder: keeps the password (``password``) and its hash (``htpasswd``), both of mode 0600.
    """

    folder: Path

    @property
    def password(self) -> str:
        """The password; made where there is none."""
        path = self.folder / "password"
        if not path.exists():
            authority.write_private(path, secrets.token_urlsafe(24).encode())
        return path.read_text()

    def config(self) -> dict[str, Any]:
        """The section ``auth``; writes the file it names."""
        import bcrypt  # noqa: PLC0415  a library of the tests

        path = self.folder / "htpasswd"
        hashed = bcrypt.hashpw(self.password.encode(), bcrypt.gensalt(ROUNDS))
        authority.write_private(path, f"{USER}:".encode() + hashed + b"\n")
        return {"htpasswd": {"realm": "slipway lab", "path": str(path)}}

    def authorization(self, repository: str) -> str:  # noqa: ARG002  one user for all of them
        """The user's name and password."""
        return "Basic " + base64.b64encode(f"{USER}:{self.password}".encode()).decode()


@dataclass(frozen=True)
class SecureRegistry:
    """A registry that serves TLS only, and asks who is there.

    Attributes:
        folder: keeps its config and certificate.
        images: keeps its images; several that listen at different addresses may share them.
        host: the address it listens at.
        port: the port it listens at.
        issuer: the folder of the authority that signs its certificate.
        login: how it knows its users.
        prefix: what is put before its command.
    """

    folder: Path
    images: Path
    host: str
    port: int
    issuer: Path
    login: Login
    prefix: Sequence[str] = field(default=())

    @property
    def address(self) -> str:
        """As image names spell it, ``host:port``."""
        return f"{self.host}:{self.port}"

    @property
    def user(self) -> str:
        """Who may pull and push."""
        return USER

    @property
    def password(self) -> str:
        """That user's password."""
        return self.login.password

    @property
    def ca(self) -> Path:
        """The authority's certificate, in PEM format."""
        return self.issuer / "ca.crt"

    @property
    def process(self) -> Background:
        """Its process."""
        config = self.folder / "config.json"
        return Background(
            command=("docker-registry", "serve", str(config)),
            mark=config,
            pid_file=self.folder / "pid",
            log=self.folder / "log",
            prefix=self.prefix,
        )

    def start(self) -> None:
        """Start it, with a new certificate, unless it runs.

        Raises:
            LabError: no docker-registry here, the port is taken, or it ended at once.
        """
        if self.process.pid() and self.answers():
            return
        if self.answers():
            raise LabError(f"another registry answers at {self.address}: stop it")
        self.process.stop()
        self.folder.mkdir(parents=True, exist_ok=True)
        config = json.dumps(self._config(), indent=2)
        authority.write_private(self.folder / "config.json", config.encode())
        self.process.start(self.answers)

    def stop(self) -> bool:
        """Stop it; what it holds stays.

        Returns:
            Whether it was running.
        """
        return self.process.stop()

    def answers(self) -> bool:
        """Whether a registry with a certificate of this authority serves at the address."""
        try:
            self._open("", "").close()
        except urllib.error.HTTPError as error:
            error.close()
            return error.code == 401
        except (OSError, HTTPException):
            return False
        return True

    def digest(self, repository: str, reference: str) -> str | None:
        """The digest that a tag stands for, or None where there is no such tag.

        Args:
            repository: ``group/shop/api``.
            reference: a tag or a digest.
        """
        path = f"{repository}/manifests/{reference}"
        try:
            with self._open(path, self.login.authorization(repository)) as answer:
                return str(answer.headers["Docker-Content-Digest"])
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                return None
            raise

    def tags(self, repository: str) -> list[str]:
        """The tags of a repository, sorted; none where there is no such repository."""
        try:
            authorization = self.login.authorization(repository)
            with self._open(f"{repository}/tags/list", authorization) as answer:
                return sorted(json.load(answer)["tags"] or ())
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                return []
            raise

    def _config(self) -> dict[str, Any]:
        """The registry's own config; it reads JSON as the YAML that it is."""
        signer = authority.load(self.issuer)
        certificate, key = authority.issue(signer, self.folder, self.host)
        return {
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.images)},
                "delete": {"enabled": True},
            },
            "http": {
                "addr": self.address,
                "tls": {"certificate": str(certificate), "key": str(key)},
            },
            "auth": self.login.config(),
        }

    def _open(self, path: str, authorization: str) -> Any:
        """An answer of the registry's API."""
        headers = {"Accept": MANIFEST}
        if authorization:
            headers["Authorization"] = authorization
        request = urllib.request.Request(f"https://{self.address}/v2/{path}", headers=headers)
        handler = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.ca))
        # A proxy of the machine has no business between it and its own addresses.
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)
        return direct.open(request, timeout=5)


def of_lab(config: settings.Settings, host: str = LOOPBACK) -> SecureRegistry:
    """The lab's own, which stays when the commands have ended.

    Args:
        config: the lab's folder and ports.
        host: the address it listens at; several of them have the same images and password.
    """
    home = config.home / "secure-registry"
    folder = home if host == LOOPBACK else home / host
    login, images = Password(home), home / "images"
    return SecureRegistry(folder, images, host, config.secure_port, config.authority, login)


@contextmanager
def spare_port(config: settings.Settings) -> Iterator[int]:
    """A port that the daemon trusts the lab's authority at, for as long as it is used.

    Raises:
        LabError: there is no lab, or all are in use.
    """
    if not config.home.is_dir():
        raise LabError("there is no lab here. Run: ci/lab/up")
    for port in config.spare_ports:
        with (config.home / f"port-{port}").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                socket.create_server((LOOPBACK, port)).close()
            except OSError:
                continue
            yield port
            return
    first, last = config.spare_ports[0], config.spare_ports[-1]
    raise LabError(f"all ports from {first} to {last} are in use: stop a registry of another test")


@contextmanager
def running(registry: SecureRegistry) -> Iterator[SecureRegistry]:
    """Start a registry, and stop it at the end, whatever happens.

    Raises:
        LabError: it does not start.
    """
    try:
        registry.start()
        yield registry
    finally:
        registry.stop()


@contextmanager
def tls_registry(folder: Path, issuer: Path | None = None) -> Iterator[SecureRegistry]:
    """A registry with TLS and a user ``ci``, for as long as the context lasts.

    It ends with the thread that entered the context, too: a test that is killed leaves nothing.

    Args:
        folder: keeps all that it has; the password is in ``folder/password``.
        issuer: the folder of the authority that signs its certificate; None for the lab's, which
            the daemon trusts.

    Raises:
        LabError: there is no lab, or it does not start.
    """
    config = settings.load()
    folder.mkdir(parents=True, exist_ok=True)
    with spare_port(config) as port:
        login = Password(folder)
        registry = SecureRegistry(
            folder, folder / "images", LOOPBACK, port, issuer or config.authority, login, BOUND
        )
        with running(registry):
            yield registry


@contextmanager
def token_registry(
    folder: Path, project: str = "group/shop", issuer: Path | None = None
) -> Iterator[tuple[SecureRegistry, TokenService]]:
    """A registry behind a token service, as GitLab has it, for as long as the context lasts.

    Args:
        folder: keeps all that both have.
        project: the path whose repositories may be used, below the registry's address.
        issuer: as for `tls_registry`, of both.

    Raises:
        LabError: there is no lab, or it does not start.
    """
    config = settings.load()
    signer = issuer or config.authority
    with (
        spare_port(config) as port,
        token_service.token_service(folder / "tokens", signer, project) as service,
    ):
        registry = SecureRegistry(folder, folder / "images", LOOPBACK, port, signer, service, BOUND)
        with running(registry):
            yield registry, service

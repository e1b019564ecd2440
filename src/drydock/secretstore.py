"""Plaintexts of secrets: fetched when needed, kept in memory, known to BuildKit by a keyed digest."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from drydock import paths
from drydock.errors import ApiError
from drydock.objects import Secret

SCHEMES = ("env", "file", "cmd")


class SecretStore:
    """The plaintexts of one session."""

    def __init__(self, environment: Mapping[str, str], cwd: Path) -> None:
        self._environment = environment
        self._cwd = cwd
        self._plaintexts: dict[str, bytes] = {}
        self._key: bytes | None = None

    def by_value(self, name: str, plaintext: str) -> Secret:
        """A secret whose plaintext a client gave."""
        data = plaintext.encode()
        digest = self._digest(data)
        self._plaintexts[digest] = data
        return Secret(name=name, digest=digest)

    def by_uri(self, uri: str) -> Secret:
        """A secret that is read from `env://NAME`, `file://PATH` or `cmd://COMMAND` when it is needed.

        Raises:
            ApiError: If the URI has no scheme, or one that is not served.
        """
        scheme, separator, _rest = uri.partition("://")
        if not separator:
            raise ApiError(f'parse "{uri}": malformed id')
        if scheme not in SCHEMES:
            served = ", ".join(f"{name}://" for name in SCHEMES)
            raise ApiError(f'unsupported secret provider: "{scheme}" (drydock serves {served})')
        return Secret(uri=uri)

    async def plaintext(self, secret: Secret) -> bytes:
        """The plaintext of a secret.

        Raises:
            ApiError: If its variable is not set, its file cannot be read or its command fails.
        """
        if secret.digest:
            return self._plaintexts[secret.digest]
        scheme, _, rest = secret.uri.partition("://")
        if scheme == "env":
            return self._variable(rest)
        return self._file(rest) if scheme == "file" else await self._command(rest)

    async def identity(self, secret: Secret) -> str:
        """What BuildKit knows a secret by: equal for equal plaintexts, so that an exec is cached by its value."""
        data = await self.plaintext(secret)
        digest = self._digest(data)
        self._plaintexts[digest] = data
        return digest

    def known(self, identities: set[str]) -> dict[str, bytes]:
        """Plaintexts by identity."""
        return {identity: self._plaintexts[identity] for identity in identities}

    def _variable(self, name: str) -> bytes:
        if name not in self._environment:
            # A value may stand where a name belongs.
            shown = name[:3] + "..." if len(name) > 3 else name
            raise ApiError(f'secret env var not found: "{shown}"')
        return self._environment[name].encode()

    def _file(self, name: str) -> bytes:
        path = self._cwd / Path(name).expanduser()
        try:
            return path.read_bytes()
        except OSError as error:
            raise ApiError(f'failed to read secret file "{name}": {error.strerror}') from error

    async def _command(self, command: str) -> bytes:
        process = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            command,
            cwd=self._cwd,
            stdout=asyncio.subprocess.PIPE,
            stdin=asyncio.subprocess.DEVNULL,
        )
        out, _ = await process.communicate()
        if process.returncode:
            raise ApiError(
                f'failed to run secret command "{command}": exit status {process.returncode}'
            )
        return out

    def _digest(self, data: bytes) -> str:
        # Keyed: the digest stands in build definitions, from which nobody may try guesses.
        if self._key is None:
            self._key = _machine_key()
        return hmac.new(self._key, data, hashlib.sha256).hexdigest()


def _machine_key() -> bytes:
    """A key of this user on this machine, made once: digests agree from session to session."""
    path = paths.private(paths.data()) / "secret.key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        key = secrets.token_bytes(32)
        file.write(key)
    return key

"""Plaintexts of secrets: fetched when needed, kept in memory, known to BuildKit by a keyed digest."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from drydock import paths, programs
from drydock.errors import ApiError
from drydock.graph import SecretRef
from drydock.objects import Secret
from drydock.process import PASSED_ON

SCHEMES = ("env", "file", "cmd")
LARGEST = 500 << 10
"""Bytes (BuildKit v0.34, `session/secrets/secretsprovider`)."""
COMMAND_WITHIN = 180
"""Seconds for a command to give a secret."""


class SecretStore:
    """The plaintexts of one session."""

    def __init__(self, environment: Mapping[str, str], cwd: Path) -> None:
        self._environment = environment
        self._cwd = cwd
        self._plaintexts: dict[str, bytes] = {}
        self._key: bytes | None = None

    def by_value(self, name: str, plaintext: str) -> Secret:
        """A secret whose plaintext a client gave."""
        return Secret(name=name, digest=self._kept(plaintext.encode()))

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
            return self._variable(rest, of_module=secret.of_module)
        return self._file(rest) if scheme == "file" else await self._command(rest)

    def volatile(self, name: str, value: str) -> SecretRef:
        """What BuildKit knows a variable by whose value does not count: it is that of its name."""
        return SecretRef(_open_digest("volatile", name), self._kept(value.encode()))

    async def identity(self, secret: Secret) -> str:
        """What BuildKit knows a secret by: equal for equal plaintexts, so that an exec is cached by its value.

        Where the client gave a key for the cache, it stands for the plaintext.
        """
        return (await self.ref(secret)).id

    async def ref(self, secret: Secret) -> SecretRef:
        """A secret as a build sees it.

        Raises:
            ApiError: As `plaintext` does, and if it is larger than BuildKit takes.
        """
        data = await self.plaintext(secret)
        if len(data) > LARGEST:
            name = secret.name or secret.uri
            raise ApiError(f"secret {name} has {len(data)} bytes; a build takes at most {LARGEST}")
        digest = self._kept(data)
        key = secret.cache_key
        return SecretRef(_open_digest("key", key) if key else digest, digest)

    def known(self, secrets: Mapping[str, str]) -> dict[str, bytes]:
        """Plaintexts by id, given what this session knows each by."""
        return {name: self._plaintexts[digest] for name, digest in secrets.items()}

    def tells(self, text: str, shortest: int) -> bool:
        """Whether a text has the plaintext of a secret in it, of at least `shortest` bytes."""
        data = text.encode()
        return any(p in data for p in self._plaintexts.values() if len(p) >= shortest)

    def _variable(self, name: str, *, of_module: bool) -> bytes:
        # As on the Dagger engine, a module's function asks its own environment, not its caller's.
        if name not in self._environment or (of_module and name not in PASSED_ON):
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
        process = await programs.start(
            "sh",
            "-c",
            command,
            cwd=self._cwd,
            stdout=asyncio.subprocess.PIPE,
            stdin=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(COMMAND_WITHIN):
                out, _ = await process.communicate()
        except TimeoutError:
            raise ApiError(
                f'the secret command "{command}" has not ended within {COMMAND_WITHIN // 60} min: nobody can answer '
                "it here. Log in to what it asks first, and run it again"
            ) from None
        finally:
            await programs.end(process)
        if process.returncode:
            raise ApiError(
                f'failed to run secret command "{command}": exit status {process.returncode}'
            )
        return out

    def _kept(self, data: bytes) -> str:
        digest = self._digest(data)
        self._plaintexts[digest] = data
        return digest

    def _digest(self, data: bytes) -> str:
        # Keyed: the digest stands in build definitions, from which nobody may try guesses.
        if self._key is None:
            shared = self._environment.get("DRYDOCK_CACHE_KEY")
            self._key = shared.encode() if shared else _machine_key()
        return hmac.new(self._key, data, hashlib.sha256).hexdigest()


def _open_digest(kind: str, text: str) -> str:
    """What names something that is no secret itself: the same on every machine."""
    return hashlib.sha256(f"{kind}:{text}".encode()).hexdigest()


def _machine_key() -> bytes:
    """A key of this user on this machine, made once: digests agree from session to session."""
    path = paths.private(paths.data()) / "secret.key"
    if not path.exists():
        # Whole or not there at all: sessions may begin at the same moment. Made with mode 0600.
        with tempfile.NamedTemporaryFile(dir=path.parent) as made:
            made.write(secrets.token_bytes(32))
            made.flush()
            with contextlib.suppress(FileExistsError):
                os.link(made.name, path)
    return path.read_bytes()

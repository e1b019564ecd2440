"""The one place that opens a connection to a server, and the one that runs commands there."""

import shlex
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slipway.errors import SlipwayError

if TYPE_CHECKING:
    import asyncssh

CONNECT_SECONDS = 20.0
# A connection that died without a word is noticed within a minute.
_KEEPALIVE_SECONDS, _KEEPALIVES = 15, 3
# What the server's own `timeout` gives a command between asking it to end and ending it.
_GRACE_SECONDS = 10
# How it ends when it had to.
_TIMED_OUT = 124


class ServerError(SlipwayError):
    """The server could not be reached, or a command there failed."""


class DisconnectedError(ServerError):
    """The connection ended before the command did; whether that came to its end is not known."""


@dataclass(frozen=True)
class Address:
    """Where a server is and how it is known.

    Attributes:
        host: Its name or IP address.
        port: Where sshd listens.
        user: Who logs in.
        known_hosts: Its pinned keys, as lines of a known_hosts file.
    """

    host: str
    port: int = 22
    user: str = "deploy"
    known_hosts: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """For messages: `deploy@example.org`, the port where it is not the usual one."""
        port = f":{self.port}" if self.port != 22 else ""
        return f"{self.user}@{self.host}{port}"


@dataclass(frozen=True)
class Result:
    """What a command did.

    Attributes:
        command: The program and its arguments.
        code: Its exit code; 128 and more for a signal.
        output: What it printed.
        error: What it printed as errors.
    """

    command: tuple[str, ...]
    code: int
    output: str
    error: str

    def checked(self, what: str = "") -> str:
        """What it printed.

        Args:
            what: What it was to do, for the message; the command itself otherwise.

        Raises:
            ServerError: It failed; with the end of what it said.
        """
        if self.code:
            said = (self.error.strip() or self.output.strip()).splitlines()[-20:]
            why = "not done in time" if self.code == _TIMED_OUT else f"exit code {self.code}"
            title = f"{what or shlex.join(self.command)} failed on the server ({why})"
            raise ServerError("\n".join([title, *said]))
        return self.output


class Server:
    """A server that we are logged in to.

    Args:
        address: Where it is.
        connection: The open connection.
        prefix: What every command begins with, such as `sudo -n --`.
    """

    def __init__(
        self,
        address: Address,
        connection: "asyncssh.SSHClientConnection",
        prefix: tuple[str, ...] = (),
    ) -> None:
        """Keep the connection; `connect` closes it."""
        self.address = address
        self.connection = connection
        self.prefix = prefix

    def root(self) -> "Server":
        """The same server, with every command run by root."""
        if self.address.user == "root":
            return self
        return Server(self.address, self.connection, ("sudo", "-n", "--"))

    async def run(self, *command: str, stdin: str | None = None, seconds: float = 60.0) -> Result:
        """Run one command to its end.

        Args:
            command: The program and its arguments; quoted here, once, for the login shell.
            stdin: What it reads; nothing otherwise.
            seconds: How long it may take; then the server ends it, also when we are gone by then.

        Returns:
            What it did, whatever its exit code.

        Raises:
            DisconnectedError: The connection broke.
        """
        # `timeout` behind sudo: before it, it could not end what root runs.
        bounded = (
            *self.prefix,
            "timeout",
            f"--kill-after={_GRACE_SECONDS}",
            f"{seconds:g}",
            *command,
        )
        done = await self._run(shlex.join(bounded), stdin, seconds + 2 * _GRACE_SECONDS)
        if done.returncode is None:
            raise DisconnectedError(f"the connection to {self.address.shown} broke")
        return Result(command, done.returncode, str(done.stdout or ""), str(done.stderr or ""))

    async def _run(
        self, line: str, stdin: str | None, seconds: float
    ) -> "asyncssh.SSHCompletedProcess":
        import asyncssh  # noqa: PLC0415 - half a second that only a deploy needs

        # Without either, the command would wait for more to read.
        source: Any = {"input": stdin} if stdin else {"stdin": asyncssh.DEVNULL}
        try:
            return await self.connection.run(line, timeout=seconds, errors="replace", **source)
        except (TimeoutError, asyncssh.Error, OSError) as error:
            why = str(error) or "no answer"
            raise DisconnectedError(
                f"the connection to {self.address.shown} broke: {why}"
            ) from error


@asynccontextmanager
async def connect(address: Address, key: str) -> AsyncIterator[Server]:
    """Log in, and out again at the end.

    Args:
        address: Where the server is.
        key: The private key, in any form that OpenSSH writes.

    Yields:
        The server.

    Raises:
        ServerError: The key is none, the server's key is not the pinned one, no answer, no login.
    """
    import asyncssh  # noqa: PLC0415 - half a second that only a deploy needs

    try:
        private = asyncssh.import_private_key(key if key.endswith("\n") else f"{key}\n")
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise ServerError(f"ssh_key is no private key that can be used: {error}") from None
    try:
        connection = await asyncssh.connect(
            address.host,
            address.port,
            username=address.user,
            client_keys=[private],
            known_hosts=_pinned(address),
            # Nothing of this machine's own: not its agent, not its config, no other way to log in.
            agent_path=None,
            config=None,
            preferred_auth="publickey",
            connect_timeout=CONNECT_SECONDS,
            keepalive_interval=_KEEPALIVE_SECONDS,
            keepalive_count_max=_KEEPALIVES,
        )
    except asyncssh.HostKeyNotVerifiable:
        raise ServerError(await _wrong_key(address)) from None
    except asyncssh.PermissionDenied:
        fingerprint = private.get_fingerprint()
        raise ServerError(
            f"{address.shown} does not let the key {fingerprint} in: add its public half to "
            f"~{address.user}/.ssh/authorized_keys on the server, or give the right key"
        ) from None
    except (TimeoutError, asyncssh.Error, OSError) as error:
        if "host key" in str(error):  # none of the pinned kinds is the server's
            raise ServerError(await _wrong_key(address)) from None
        why = str(error) or f"no answer within {CONNECT_SECONDS:g} s"
        raise ServerError(f"{address.shown} cannot be reached: {why}") from None
    async with connection:
        yield Server(address, connection)


def _pinned(address: Address) -> "asyncssh.SSHKnownHosts":
    import asyncssh  # noqa: PLC0415 - half a second that only a deploy needs

    try:
        return asyncssh.import_known_hosts("\n".join(address.known_hosts) + "\n")
    except ValueError as error:
        raise ServerError(f"known_hosts of {address.host}: {error}") from None


async def _wrong_key(address: Address) -> str:
    """The message for a server key that is not the pinned one: both fingerprints, and what to do."""
    import asyncssh  # noqa: PLC0415 - half a second that only a deploy needs

    seen = await asyncssh.get_server_host_key(address.host, address.port, config=None)
    shown = f"{seen.get_algorithm()} {seen.get_fingerprint()}" if seen else "none"
    return "\n".join(
        [
            f"{address.host} shows a key that is not pinned, and nothing was sent to it",
            f"  seen:   {shown}",
            *(f"  pinned: {one}" for one in _fingerprints(address.known_hosts) or ("none",)),
            "If the server was set up anew, compare the fingerprint at its console:",
            "  ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
            f"then pin what `ssh-keyscan {address.host}` prints as known_hosts in slipway.toml.",
        ]
    )


def _fingerprints(lines: Sequence[str]) -> list[str]:
    import asyncssh  # noqa: PLC0415 - half a second that only a deploy needs

    found = []
    for line in lines:
        # ssh-keyscan prints comments, too; a marker such as @cert-authority stands before the host (sshd(8)).
        words = [word for word in line.split() if not word.startswith("@")]
        if line.lstrip().startswith("#") or len(words) < 3:
            continue
        try:
            key = asyncssh.import_public_key(" ".join(words[1:3]))
        except asyncssh.KeyImportError:
            found.append(f"a line that is no key: {line[:40]}")
        else:
            found.append(f"{key.get_algorithm()} {key.get_fingerprint()}")
    return found

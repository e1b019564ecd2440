"""One deploy at a time: a lock of the server's kernel, held by a process that our connection keeps alive."""

import json
import posixpath
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace

from slipway.progress import Say

from .names import Site
from .ssh import Server, ServerError
from .writing import write

FILE = "lock"
_HELD = "held"
# $@ folders of logins to a registry. They go with whoever holds the lock, however that ends; `read` is the shell's
# own: a child would keep the lock when the shell is killed.
_HOLD = f"""
rm -rf -- "$@"
echo {_HELD}
while read -r _; do :; done
rm -rf -- "$@"
"""
# flock ends with this where the time is over.
_BUSY = 75
_CONFLICT = ("--conflict-exit-code", str(_BUSY))


@dataclass(frozen=True)
class Holder:
    """Who deploys.

    Attributes:
        who: The person or job.
        release: What they deploy.
        since: When they began, ISO 8601 in UTC.
        job: The job's address, if it is one.
    """

    who: str
    release: str
    since: str
    job: str = ""

    def __str__(self) -> str:
        """For the one who has to wait."""
        job = f", {self.job}" if self.job else ""
        return f"{self.who} deploys {self.release} since {self.since}{job}"


def parse(text: str) -> Holder | None:
    """The holder that a file tells, or None where it tells none."""
    try:
        return Holder(**json.loads(text))
    except (ValueError, TypeError):
        return None


@asynccontextmanager
async def held(
    server: Server, site: Site, ours: Holder, seconds: int, say: Say
) -> AsyncIterator[None]:
    """Hold a site's lock.

    The lock belongs to a process on the server that reads from our connection: when we end, however
    we end, it reads the end and goes, and the kernel frees the lock.

    Args:
        server: The server.
        site: The site, with its folder where it is.
        ours: Who we are, for those who wait.
        seconds: How long to wait for another's deploy.
        say: Shows a line: whom it waits for.

    Raises:
        ServerError: Another deploy held it all that time.
    """
    folder = site.folder
    file = posixpath.join(folder, FILE)
    (await server.run("mkdir", "-p", "-m", "0700", "--", folder)).checked(f"making {folder}")
    if who := await holder(server, folder):
        say(f"waiting, at most {seconds} s: {who}")
    # Without a fork the process that the kernel names is the only one.
    command = ("flock", "--no-fork", "--wait", str(seconds), *_CONFLICT)
    # The folder may get its new name meanwhile.
    logins = dict.fromkeys([site.login_folder, replace(site, old=False).login_folder])
    line = shlex.join((*command, "--", file, "sh", "-c", _HOLD, "hold", *logins))
    async with server.connection.create_process(line) as process:
        if (await process.stdout.readline()).strip() != _HELD:
            who = await holder(server, folder)
            raise ServerError(f"another deploy holds the lock after {seconds} s: {who}")
        await write(server, posixpath.join(folder, "holder.json"), _text(ours), 0o600)
        try:
            yield
        finally:
            process.stdin.write_eof()


def _text(holder: Holder) -> str:
    return json.dumps(asdict(holder)) + "\n"


async def holder(server: Server, folder: str) -> str:
    """Who holds the lock, in words; empty where nobody does.

    Args:
        server: The server.
        folder: The site's folder.
    """
    file = posixpath.join(folder, FILE)
    tried = await server.run("flock", "--nonblock", *_CONFLICT, "--", file, "true")
    if tried.code != _BUSY:
        return ""
    done = await server.run("cat", posixpath.join(folder, "holder.json"))
    return str(parse(done.output) or "somebody who does not say who")

"""Frees a site's lock where its holder does not end by itself."""

import posixpath

from slipway.errors import ConfigError

from .lock import FILE, parse
from .operator import Operator
from .probe import located
from .ssh import Server

# $1 the lock's file. The kernel tells who holds it: TYPE ADVISORY WRITE PID MAJOR:MINOR:INODE. Its device is
# not compared (an overlay has another than its files): the process has to be one that locks this very file.
_HOLDERS = """
inode=$(stat -c %i -- "$1" 2>/dev/null) || exit 0
while read -r _ kind _ _ pid where _; do
  [ "$kind" = FLOCK ] && [ "${where##*:}" = "$inode" ] || continue
  for open in /proc/"$pid"/fd/*; do
    if [ "$open" -ef "$1" ]; then echo "$pid" && break; fi
  done
done </proc/locks
"""


async def unlock(operator: Operator) -> str:
    """End the process on the server that holds the lock.

    A deploy that still runs is not stopped by it, only no longer alone.

    Args:
        operator: Who does it, and where.

    Returns:
        What was done.

    Raises:
        ConfigError: The lock is still held.
    """
    async with operator.connected() as server:
        site = await located(server, operator.site)
        holders = await _holders(server, site.folder)
        if not holders:
            return f"nobody holds the lock of {site.name}"
        text = await server.run("cat", posixpath.join(site.folder, "holder.json"))
        who = parse(text.output) or "it did not say who"
        await server.run("kill", *holders)
        # One that waited for it may have it now.
        if left := set(holders) & set(await _holders(server, site.folder)):
            raise ConfigError(
                f"the lock of {site.name}",
                [f"still held by process {', '.join(left)} on the server: end it there, as root"],
            )
    return f"freed the lock of {site.name}: {who}"


async def _holders(server: Server, folder: str) -> list[str]:
    """Numbers of the processes that hold the lock."""
    file = posixpath.join(folder, FILE)
    done = await server.run("sh", "-c", _HOLDERS, "holders", file)
    return done.checked("looking for the lock's holder").split()

"""The one place that writes files on a server: whole or not at all, and never readable by others."""

import posixpath

from .ssh import Server

# $1 the file, $2 its mode, $3 its owner or nothing, $4 its size in bytes: a connection that breaks ends the text early.
# `mktemp` makes files of 0600; `sync FILE` is fsync (GNU coreutils).
_SCRIPT = """
set -eu
umask 077
mkdir -p -- "$(dirname -- "$1")"
part=$(mktemp -- "$1.XXXXXX")
trap 'rm -f -- "$part"' EXIT
trap 'exit 1' HUP INT TERM
cat >"$part"
[ "$(wc -c <"$part")" -eq "$4" ] || { echo "only a part of $1 arrived" >&2; exit 1; }
chmod -- "$2" "$part"
[ -z "$3" ] || chown -- "$3" "$part"
sync -- "$part"
mv -f -- "$part" "$1"
sync -- "$(dirname -- "$1")"
"""


async def write(server: Server, path: str, text: str, mode: int, owner: str = "") -> None:
    """Write a file; what was there is replaced at once when all of it has arrived.

    Args:
        server: The server.
        path: The file, relative to the user's home.
        text: What it holds.
        mode: Its permissions.
        owner: Its user and group, `user:group`, where another than the one who writes.

    Raises:
        ServerError: It could not be written; what was there before still is.
    """
    arguments = (posixpath.normpath(path), f"{mode:o}", owner, str(len(text.encode())))
    done = await server.run("sh", "-c", _SCRIPT, "write", *arguments, stdin=text)
    done.checked(f"writing {path}")

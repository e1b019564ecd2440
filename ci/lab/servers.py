"""``ci/lab/server up|down|reset|status``: the lab's servers; see README.md beside this file."""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import TYPE_CHECKING

from . import server_base, settings
from .bare_server import BareServer
from .run import require
from .server import Server
from .settings import LabError, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

DEFAULT = "staging"
NAME = re.compile(r"[a-z][a-z0-9-]{0,20}")
PLACES = 200
# Locked, while it lives, by the process that a server of a test belongs to.
OWNER = "owner"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The process's exit code: 0, or 1 where a server is not as asked.
    """
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options.names, settings.load()))
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: stopped; run it again to go on", file=sys.stderr)
        return 130


def up(names: Sequence[str], config: Settings) -> int:
    """Start servers with the disks that they have, with networks and proxy."""
    with alone(config):
        known = {server.name: server for server in all_of(config)}
        _start([known.get(name) or _add(name, config) for name in names or [DEFAULT]], config)
    return 0


def reset(names: Sequence[str], config: Settings) -> int:
    """Start servers anew with empty disks."""
    with alone(config):
        servers = _named(names, config)
        for server in servers:
            server.wipe()
        _start(servers, config)
    return 0


def down(names: Sequence[str], config: Settings) -> int:
    """Shut servers down; their disks stay. The last one takes the network with it."""
    with alone(config):
        for server in _named(names, config):
            stopped = server.stop()
            print(f"  {server.name:24} {'stopped' if stopped else 'was not running'}", flush=True)
        _leave(config)
    return 0


def status(names: Sequence[str], config: Settings) -> int:
    """Print each server's state; 0 where all of them run."""
    servers = _named(names, config)
    print(f"  {'server':24} {'state':10} detail")
    for server in servers:
        state = "running" if server.process.pid() else "stopped"
        print(f"  {server.name:24} {state:10} {server.address}, ssh -F {server.ssh_config}")
    return 0 if servers and all(server.process.pid() for server in servers) else 1


@contextmanager
def fresh_servers(*names: str, kind: type[Server] = Server) -> Iterator[list[Server]]:
    """Servers with empty disks, networks and proxy, for as long as the context lasts.

    Nothing of them outlives it. Where this process is killed, they end, and the next command or
    test that has to do with servers removes what they leave.

    Args:
        names: their host names; with a number where another process has one of that name.
        kind: `BareServer` for one without Docker, networks and proxy.

    Raises:
        LabError: one does not start.
    """
    config = settings.load()
    with ExitStack() as owned:
        with alone(config):
            servers = [
                owned.enter_context(_owned(_unused(name, config), config, kind)) for name in names
            ]
            _start(servers, config)
        yield servers


def find(name: str, config: Settings) -> Server:
    """A server by its name.

    Raises:
        LabError: there is none of that name.
    """
    known = {server.name: server for server in all_of(config)}
    if name not in known:
        raise LabError(f"no server {name}. Servers: {', '.join(known) or 'none'}")
    return known[name]


def all_of(config: Settings) -> list[Server]:
    """Every server that has a place, by name."""
    found = sorted(config.servers.glob("*/place"))
    return [_load(path.parent, config) for path in found]


@contextmanager
def alone(config: Settings) -> Iterator[None]:
    """Hold the servers' lock, which ends with this process however that ends.

    Raises:
        LabError: this is not root, or a program is missing.
    """
    if os.geteuid() != 0:
        raise LabError(
            "a server takes root's rights: namespaces, mounts, a bridge. Run it as root."
        )
    require("runc", "ssh", "ssh-keygen", "ip", "iptables", "skopeo")
    config.servers.mkdir(parents=True, exist_ok=True)
    with (config.servers / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _sweep(config)
        yield


def _add(
    name: str, config: Settings, kind: type[Server] = Server, *, bound: bool = False
) -> Server:
    """A new server, at the first address that no other has.

    Raises:
        LabError: it is no host name, or there are too many.
    """
    if not NAME.fullmatch(name):
        raise LabError(f"{name!r} is no name for a server: up to 21 of a-z, 0-9 and -, a-z first")
    taken = {server.place for server in all_of(config)}
    place = next(place for place in count() if place not in taken)
    if place >= PLACES:
        raise LabError(f"there are {PLACES} servers already: remove some in {config.servers}")
    server = kind(config, name, place, bound)
    server.folder.mkdir(parents=True, exist_ok=True)
    (server.folder / "image").write_text(kind.IMAGE)
    (server.folder / "place").write_text(str(place))
    return server


def _load(folder: Path, config: Settings) -> Server:
    """The server that a folder belongs to."""
    place, image = int((folder / "place").read_text()), folder / "image"
    bare = image.exists() and image.read_text() == BareServer.IMAGE
    kind = BareServer if bare else Server
    return kind(config, folder.name, place, bound=(folder / OWNER).exists())


def _unused(name: str, config: Settings) -> str:
    """A name that no server has: this one, or with a number behind it."""
    taken = {server.name for server in all_of(config)}
    names = (f"{name}-{number}" if number > 1 else name for number in count(1))
    return next(free for free in names if free not in taken)


@contextmanager
def _owned(name: str, config: Settings, kind: type[Server]) -> Iterator[Server]:
    """A new server that belongs to this process, and is removed with all it had.

    Entered by who holds the servers' lock, and left by who does not.
    """
    server = _add(name, config, kind, bound=True)
    with (server.folder / OWNER).open("w") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        try:
            yield server
        finally:
            with alone(config):
                server.remove()
                _leave(config)


def _sweep(config: Settings) -> None:
    """Remove the servers of tests that were killed."""
    for server in all_of(config):
        if not server.bound:
            continue
        with (server.folder / OWNER).open("w") as owner:
            try:
                fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            server.remove()


def _named(names: Sequence[str], config: Settings) -> list[Server]:
    """The servers that the names say; without names, all but those of running tests.

    Raises:
        LabError: there is none of that name.
    """
    if names:
        return [find(name, config) for name in names]
    return [server for server in all_of(config) if not server.bound]


def _start(servers: Sequence[Server], config: Settings) -> None:
    """Start servers, all at the same time, and say where they are."""
    running = [one for one in all_of(config) if one.process.pid()]
    for image in {server.IMAGE for server in servers}:
        server_base.prepare(config, image, [one.name for one in running if image == one.IMAGE])
    for server in servers:
        # Not in a thread of its own, with which one that is bound would end.
        server.boot()
    with ThreadPoolExecutor() as pool:
        for server in pool.map(_ready, servers):
            print(f"  {server.name:24} running at {server.address}", flush=True)


def _ready(server: Server) -> Server:
    """A server that has started, with networks and proxy."""
    server.wait()
    server.prepare()
    return server


def _leave(config: Settings) -> None:
    """Stop what serves the servers, where none runs."""
    if not any(server.process.pid() for server in all_of(config)):
        server_base.leave(config)


def _parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="ci/lab/server", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for command in (up, down, reset, status):
        summary = (command.__doc__ or "").splitlines()[0]
        sub = commands.add_parser(command.__name__, help=summary)
        sub.add_argument("names", nargs="*", metavar="NAME", help=f"a server's name ({DEFAULT})")
        sub.set_defaults(run=command)
    return parser


if __name__ == "__main__":
    sys.exit(main())

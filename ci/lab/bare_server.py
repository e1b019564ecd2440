"""A Debian 13 server of the lab as a hoster hands it over: systemd, SSH for its administrators, nothing else."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import images, server_disk
from .run import output
from .server import MOUNTS, Server
from .server_spec import SYSTEMD

if TYPE_CHECKING:
    from pathlib import Path

# systemd starts itself anew when it is asked to end: its power is cut instead.
RUN = f"""\
{MOUNTS}
trap 'runc --root "$2/runc" kill server KILL' TERM
runc --root "$2/runc" run --bundle "$2/bundle" server &
wait $! || wait $!
"""
ADMIN = 1000  # the user and group id of `admin`


@dataclass(frozen=True)
class BareServer(Server):
    """One server that nobody has set up: `root` and `admin`, who has sudo, may log in."""

    IMAGE = images.BARE
    FIRST = (SYSTEMD,)
    SCRIPT = RUN

    user: str = "root"

    def write_disk(self, disk: Path) -> None:
        """Names, keys, and how Docker would get at the registries: the administrator's part."""
        server_disk.write_names(disk, self.config, self.name, self.address, self.bridge.gateway)
        for home, owner in ((disk / "root", 0), (disk / "home/admin", ADMIN)):
            keys = home / ".ssh/authorized_keys"
            keys.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copy(self.config.servers / "key.pub", keys)
            for path in (home, keys.parent, keys):
                os.chown(path, owner, owner)
        ssh = disk / "etc/ssh"
        if not (ssh / "ssh_host_ed25519_key").exists():
            ssh.mkdir(parents=True, exist_ok=True)
            output("ssh-keygen", "-A", "-f", str(disk))

    def wait(self) -> None:
        """Return when it can be logged in to."""
        self.wait_for("true")

    def prepare(self) -> None:
        """Nothing: that is for who sets it up."""

"""A Debian 13 server of the lab: a disk, an address, SSH and Docker; without Docker on this machine."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from . import images, server_disk, server_spec
from .background import BOUND, Background
from .bridge import Bridge
from .run import output, tail
from .settings import LabError

if TYPE_CHECKING:
    from pathlib import Path

    from .settings import Settings

READY_SECONDS = 60.0
# What it keeps when its power is cut.
DISKS = ("disk", "work", "docker", "docker.img")
# What is mounted is seen by the server alone, and is gone with it.
MOUNTS = """\
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/disk,workdir=$2/work" "$2/root"
[ ! -e "$2/docker.img" ] || mount -o loop "$2/docker.img" "$2/docker"
"""
RUN = f"""\
{MOUNTS}
exec runc --root "$2/runc" run --bundle "$2/bundle" server
"""


@dataclass(frozen=True)
class Server:
    """One server.

    Attributes:
        config: the lab's folder and ports.
        name: its host name.
        place: tells its address from those of the others, from 0 on.
        bound: whether it ends with the process that started it.
        port: where its SSH server listens.
        user: who may log in.
    """

    # The image that its disk lies on, and the process that is its first.
    IMAGE: ClassVar[str] = images.SERVER
    FIRST: ClassVar[tuple[str, ...]] = ("tini", "-g", "--", "/usr/local/sbin/entrypoint")
    SCRIPT: ClassVar[str] = RUN
    # The size of Docker's disk; 0 for this machine's own.
    DOCKER_MEGABYTES: ClassVar[int] = 0

    config: Settings
    name: str
    place: int
    bound: bool = False
    port: int = 22
    user: str = "deploy"

    @property
    def folder(self) -> Path:
        """What it has: its disk, Docker's data, its SSH settings."""
        return self.config.servers / self.name

    @property
    def bridge(self) -> Bridge:
        """The network that it is on."""
        return Bridge(self.config.network)

    @property
    def address(self) -> str:
        """Its address."""
        return self.bridge.address(self.place)

    @property
    def key(self) -> Path:
        """The private key that user ``deploy`` logs in with."""
        return self.config.servers / "key"

    @property
    def known_hosts(self) -> Path:
        """Its host key, as known_hosts has it."""
        return self.folder / "known_hosts"

    @property
    def ca(self) -> Path:
        """The certificate of the authority that its proxy's certificate is signed by."""
        return self.config.authority / "ca.crt"

    @property
    def ssh_config(self) -> Path:
        """Settings for ``ssh -F``, under its name."""
        return self.folder / "ssh_config"

    @property
    def namespace(self) -> str:
        """The name of its network namespace and control group."""
        return f"{self.bridge.name}-{self.name}"

    @property
    def process(self) -> Background:
        """Its process on this machine: runc's, which passes signals on."""
        unshare = ("unshare", "--mount", "--propagation=slave")
        root = self.config.server_root(self.IMAGE)
        shell = ("sh", "-ec", self.SCRIPT, "server", str(root), str(self.folder))
        return Background(
            command=(*unshare, *shell),
            mark=self.folder,
            pid_file=self.folder / "pid",
            log=self.folder / "log",
            prefix=BOUND if self.bound else (),
        )

    def start(self) -> None:
        """Start it with the disk that it has, and wait until SSH and Docker answer.

        Raises:
            LabError: it does not start.
        """
        self.boot()
        self.wait()

    def boot(self) -> None:
        """Start it with the disk that it has. One that is bound ends with the thread that did this.

        Raises:
            LabError: it ended at once.
        """
        if self.process.pid():
            return
        self.cut()
        for name in ("disk", "work", "root", "docker", "bundle", "runc"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._make_docker_disk()
        self.write_disk(self.folder / "disk")
        self.bridge.connect(self.namespace, self.address)
        spec = server_spec.spec(
            self.folder / "root", self.folder / "docker", self.name, self.namespace, self.FIRST
        )
        (self.folder / "bundle/config.json").write_text(json.dumps(spec))
        self.process.start(self._has_host_key)
        self._write_ssh_settings()

    def _make_docker_disk(self) -> None:
        image = self.folder / "docker.img"
        if self.DOCKER_MEGABYTES and not image.exists():
            output("truncate", f"--size={self.DOCKER_MEGABYTES}M", str(image))
            # No blocks for root alone: Docker is root.
            output("mkfs.ext4", "-q", "-m", "0", str(image))

    def write_disk(self, disk: Path) -> None:
        """Lay its own files over the image.

        Args:
            disk: the upper layer of its file system.
        """
        server_disk.write(disk, self.config, self.name, self.address, self.bridge.gateway)

    def wait(self) -> None:
        """Return when Docker answers over SSH.

        Raises:
            LabError: it does not in time, or the server has ended.
        """
        self.wait_for("docker version")

    def wait_for(self, command: str) -> None:
        """Return when a command succeeds over SSH.

        Raises:
            LabError: it does not in time, or the server has ended.
        """
        deadline = time.monotonic() + READY_SECONDS
        while (done := self._ssh(command)).returncode != 0:
            if time.monotonic() > deadline or not self.process.pid():
                raise LabError(
                    f"{self.name} does not answer; see {self.folder}/log and "
                    f"{self.folder}/disk/var/log:\n{tail(done.stderr)}"
                )
            time.sleep(0.1)

    def prepare(self) -> None:
        """Make the proxy's network and start the proxy, unless they are there.

        Raises:
            LabError: a command failed.
        """
        self.ssh("docker network inspect web >/dev/null 2>&1 || docker network create web")
        self.ssh("cd proxy && docker compose up --detach --wait --quiet-pull")

    def stop(self) -> bool:
        """Shut it down; its disk stays.

        Returns:
            Whether it was running.
        """
        was_running = self.process.stop()
        self.cut()
        return was_running

    def cut(self) -> None:
        """Cut its power: everything on it ends at once; its disk stays."""
        if (self.folder / "runc/server").exists():
            output(*self._runc("delete", "--force", "server"))
        self.process.stop()
        self.bridge.disconnect(self.namespace, self.address)

    def restart(self) -> None:
        """Cut its power and start it again: what has a restart policy comes back by itself.

        Raises:
            LabError: it does not start.
        """
        self.cut()
        self.start()

    def reset(self) -> None:
        """Start it anew with an empty disk, networks and proxy: with another host key, too.

        Raises:
            LabError: it does not start.
        """
        self.wipe()
        self.start()
        self.prepare()

    def wipe(self) -> None:
        """Cut its power and make its disk empty; its address stays."""
        self.cut()
        output("rm", "-rf", *(str(self.folder / name) for name in DISKS))

    def remove(self) -> None:
        """Cut its power and forget it."""
        self.cut()
        output("rm", "-rf", str(self.folder))

    def ssh(self, command: str, stdin: str = "") -> str:
        """Run a shell command on it as ``deploy``.

        Returns:
            Its standard output.

        Raises:
            LabError: it failed; with what it said.
        """
        done = self._ssh(command, stdin)
        if done.returncode != 0:
            raise LabError(f"{self.name}: {command} failed:\n{tail(done.stderr)}")
        return done.stdout

    def root(self, *command: str) -> str:
        """Run a program on it as root, as if at its console: not over SSH.

        Returns:
            Its standard output.

        Raises:
            LabError: it failed; with what it said.
        """
        return output(*self._runc("exec", "server"), *command)

    def _runc(self, *command: str) -> tuple[str, ...]:
        return ("runc", "--root", str(self.folder / "runc"), *command)

    def _ssh(self, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["ssh", "-F", self.ssh_config, self.name, command],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def _has_host_key(self) -> bool:
        return (self.folder / "disk/etc/ssh/ssh_host_ed25519_key.pub").exists()

    def _write_ssh_settings(self) -> None:
        """What a client needs; the host key is read from the disk, not from the network."""
        host_key = (self.folder / "disk/etc/ssh/ssh_host_ed25519_key.pub").read_text()
        self.known_hosts.write_text(f"{self.address} {' '.join(host_key.split()[:2])}\n")
        self.ssh_config.write_text(
            f"Host {self.name}\n  HostName {self.address}\n  User {self.user}\n"
            f"  IdentityFile {self.key}\n  IdentitiesOnly yes\n  BatchMode yes\n"
            f"  UserKnownHostsFile {self.known_hosts}\n  StrictHostKeyChecking yes\n"
            "  ConnectTimeout 10\n"
        )

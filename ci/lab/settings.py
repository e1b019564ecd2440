"""Where the lab keeps its things, and the errors it shows to people."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Registries that tests can have at the same time.
SPARE = 12
HIGHEST_PORT = 65535 - 1 - SPARE
IMAGES = Path(__file__).parent / "images"


class LabError(Exception):
    """What failed, with what to do about it, worded for the person at the terminal."""


@dataclass(frozen=True)
class Settings:
    """The lab's folder and the registry's address.

    Attributes:
        home: the folder that holds everything the lab keeps.
        port: the registry's TCP port on 127.0.0.1; the next ones are those of registries with TLS.
    """

    home: Path
    port: int

    @property
    def address(self) -> str:
        """The registry as image names spell it, ``host:port``."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def secure_port(self) -> int:
        """The port of the registry with TLS and a login."""
        return self.port + 1

    @property
    def spare_ports(self) -> range:
        """Ports of such registries that tests start for themselves: the daemon knows them all."""
        return range(self.port + 2, self.port + 2 + SPARE)

    @property
    def authority(self) -> Path:
        """The folder of the certificate authority, ``ca.crt`` and ``ca.key``."""
        return self.home / "authority"

    @property
    def servers(self) -> Path:
        """The folder of the servers' disks, and of the key that they are logged in to with."""
        return self.home / "servers"

    def server_root(self, image: str) -> Path:
        """The folder where an image is unpacked that servers' disks lie on."""
        return self.home / "disks" / image.replace("/", "-").replace(":", "-")

    @property
    def network(self) -> int:
        """Tells the servers' network from those of other labs."""
        return self.port % 256

    @property
    def logs(self) -> Path:
        """The folder of the logs, one file for each part."""
        return self.home / "log"

    @property
    def scratch(self) -> Path:
        """The folder of half-made things; whatever a killed run left there is removed."""
        return self.home / "build"

    @property
    def drydock_config(self) -> Path:
        """The daemon's config, which names the registry as a mirror."""
        return self.home / "drydock.toml"


def load() -> Settings:
    """Read the settings from the environment.

    Returns:
        The folder below ``$XDG_CACHE_HOME`` and the port in ``$SLIPWAY_LAB_PORT`` (5055).

    Raises:
        LabError: the port is not a TCP port.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    port = os.environ.get("SLIPWAY_LAB_PORT") or "5055"
    if not port.isdecimal() or not 0 < int(port) <= HIGHEST_PORT:
        raise LabError(f"SLIPWAY_LAB_PORT is {port!r}: give a TCP port from 1 to {HIGHEST_PORT}")
    return Settings(home=cache.absolute() / "slipway" / "lab", port=int(port))

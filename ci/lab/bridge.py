"""A network between this machine and the lab's servers, by the plugins of the container network interface."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .run import output
from .settings import LabError

PLUGINS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))


def _mac(address: str) -> str:
    """The hardware address of an IP address: whoever has learned it finds the next one there too."""
    return "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))


@dataclass(frozen=True)
class Bridge:
    """A bridge with an address of this machine.

    Attributes:
        number: tells the networks of several labs apart, from 0 to 255.
    """

    number: int

    @property
    def name(self) -> str:
        """The bridge's interface."""
        return f"slipwaylab{self.number}"

    @property
    def gateway(self) -> str:
        """This machine's address on it, where servers find the lab's registries."""
        return f"10.98.{self.number}.1"

    def address(self, place: int) -> str:
        """The address of the server at a place, counted from 0."""
        return f"10.98.{self.number}.{10 + place}"

    def ensure(self) -> None:
        """Make the bridge with this machine's address, unless it is there."""
        if not Path("/sys/class/net", self.name).exists():
            mac = _mac(self.gateway)
            output("ip", "link", "add", self.name, "address", mac, "type", "bridge")
            output("ip", "address", "add", f"{self.gateway}/24", "dev", self.name)
            output("ip", "link", "set", self.name, "up")

    def connect(self, namespace: str, address: str) -> None:
        """Make a network namespace with one interface on the bridge.

        There is a way back to other private networks of this machine, where the daemon's execs are,
        and none to anywhere else.

        Args:
            namespace: its name.
            address: the interface's address.

        Raises:
            LabError: the plugins are missing, or one failed.
        """
        self.disconnect(namespace, address)
        output("ip", "netns", "add", namespace)
        output("ip", "-n", namespace, "link", "set", "lo", "up")
        result = self._plugin("bridge", "ADD", namespace, self._network(address))
        # Lets its traffic through where the machine's policy forbids forwarding.
        config = {"cniVersion": "0.4.0", "name": self.name, "type": "firewall"}
        self._plugin("firewall", "ADD", namespace, {**config, "prevResult": json.loads(result)})

    def disconnect(self, namespace: str, address: str) -> None:
        """Remove a namespace with its rules; one that is not there is no error."""
        if not Path("/run/netns", namespace).exists():
            return
        self._plugin("bridge", "DEL", namespace, self._network(address))
        output("ip", "netns", "delete", namespace)

    def remove(self) -> None:
        """Remove the bridge itself."""
        if Path("/sys/class/net", self.name).exists():
            output("ip", "link", "delete", self.name)

    def _network(self, address: str) -> dict[str, object]:
        """The plugin's configuration."""
        return {
            "cniVersion": "0.4.0",
            "name": self.name,
            "type": "bridge",
            "bridge": self.name,
            "isGateway": True,
            "ipMasq": False,
            "hairpinMode": True,
            "runtimeConfig": {"mac": _mac(address)},
            "ipam": {
                "type": "static",
                "addresses": [{"address": f"{address}/24", "gateway": self.gateway}],
                "routes": [{"dst": "10.0.0.0/8"}],
            },
        }

    def _plugin(self, name: str, command: str, namespace: str, config: dict[str, object]) -> str:
        """Run a plugin; what it answers."""
        folder = next((folder for folder in PLUGINS if (folder / name).exists()), None)
        if folder is None:
            raise LabError(
                f"the network plugin {name} is not installed. Run: apt-get install "
                "containernetworking-plugins"
            )
        variables = {
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": namespace,
            "CNI_NETNS": f"/run/netns/{namespace}",
            "CNI_IFNAME": "eth0",
            "CNI_PATH": str(folder),
        }
        done = subprocess.run(
            [folder / name],
            input=json.dumps(config),
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise LabError(f"the network of {namespace}: {name} {command} failed: {done.stdout}")
        return done.stdout

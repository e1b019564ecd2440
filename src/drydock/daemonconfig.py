"""Configuration of the daemon: drydock's small file in, BuildKit's own out. Pure but for reading that one file."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drydock.errors import DrydockError

# A monorepo's caches come to some gigabytes. BuildKit's own limit grows with the disk, and others need that too.
CACHE_LIMIT, FREE_SPACE = "30GB", "5GB"


@dataclass(frozen=True)
class Registry:
    """How the daemon reaches a registry."""

    mirrors: tuple[str, ...] = ()
    """Hosts to ask first, in this order."""
    http: bool = False
    ca: str = ""
    """A PEM file with the certificate authority to trust."""


KEYS = {"mirrors": list, "http": bool, "ca": str}


def load(path: Path) -> dict[str, Registry]:
    """Registries by host, from the config file; none without one.

        [registry."docker.io"]
        mirrors = ["mirror.test:5000"]
        [registry."mirror.test:5000"]
        http = true

    Raises:
        DrydockError: With everything that is wrong with the file.
    """
    if not path.exists():
        return {}
    try:
        data = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise DrydockError(f"{path}: {error}") from error
    problems = [f"{key}: unknown; expected registry" for key in data if key != "registry"]
    for host, fields in data.get("registry", {}).items():
        problems += _problems(f'registry."{host}"', fields)
    if problems:
        raise DrydockError(f"{path}:\n" + "\n".join(f"  {problem}" for problem in problems))
    return {
        host: Registry(tuple(f.get("mirrors", ())), f.get("http", False), f.get("ca", ""))
        for host, f in data.get("registry", {}).items()
    }


def _problems(where: str, fields: Any) -> list[str]:
    if not isinstance(fields, dict):
        return [f"{where}: expected a table, got {fields!r}"]
    found = [
        f"{where}.{key}: unknown; expected one of {', '.join(KEYS)}"
        for key in fields
        if key not in KEYS
    ]
    for key, kind in KEYS.items():
        if key in fields and not isinstance(fields[key], kind):
            found.append(f"{where}.{key}: expected a {kind.__name__}, got {fields[key]!r}")
    return found


def buildkitd_config(
    registries: dict[str, Registry], *, root: str, socket: str, cni: tuple[str, str] | None
) -> str:
    """BuildKit's configuration file.

    Args:
        registries: How registries are reached, by host.
        root: Folder for the daemon's state.
        socket: Where it listens.
        cni: Folder of the network plugins and path of the network's definition; None for the machine's own network.
    """
    lines = [
        f"root = {json.dumps(root)}",
        'insecure-entitlements = ["security.insecure", "network.host"]',
        "[grpc]",
        f"address = [{json.dumps('unix://' + socket)}]",
        "[worker.containerd]",
        "enabled = false",
        "[worker.oci]",
        "enabled = true",
        "gc = true",
        f"maxUsedSpace = {json.dumps(CACHE_LIMIT)}",
        f"minFreeSpace = {json.dumps(FREE_SPACE)}",
    ]
    if cni:
        plugins, network = (json.dumps(path) for path in cni)
        lines += ['networkMode = "cni"', f"cniBinaryPath = {plugins}", f"cniConfigPath = {network}"]
    else:
        lines += ['networkMode = "host"']
    for host, registry in sorted(registries.items()):
        lines += [f"[registry.{json.dumps(host)}]"]
        if registry.mirrors:
            lines += [f"mirrors = {json.dumps(list(registry.mirrors))}"]
        if registry.http:
            lines += ["http = true"]
        if registry.ca:
            lines += [f"ca = [{json.dumps(registry.ca)}]"]
    return "\n".join(lines) + "\n"


def bridge_network(bridge: str, subnet: str, addresses: str) -> dict[str, Any]:
    """A network of the container network interface: each exec gets an address on a bridge of this machine.

    Args:
        bridge: The bridge's name.
        subnet: Where the addresses come from, as `a.b.c.d/n`.
        addresses: Folder that keeps which are taken.
    """
    return {
        "cniVersion": "0.4.0",
        "name": "drydock",
        "plugins": [
            {
                "type": "bridge",
                "bridge": bridge,
                "isDefaultGateway": True,
                "ipMasq": True,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": subnet}]],
                    "dataDir": addresses,
                },
            },
            # Lets its traffic through where the machine's policy forbids forwarding, as Docker's does.
            {"type": "firewall"},
        ],
    }

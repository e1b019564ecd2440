"""Configuration of the daemon: drydock's small file in, BuildKit's own out. Pure but for reading that one file."""

from __future__ import annotations

import json
import re
import ssl
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
_HOST = re.compile(r"[\w.-]+(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?")
_MIRROR = re.compile(rf"({_HOST.pattern})(/[\w./-]+)?")


def read(path: Path) -> dict[str, Any]:
    """What the config file says, unchecked; nothing without one.

    Raises:
        DrydockError: If it cannot be read, or is no TOML.
    """
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise DrydockError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DrydockError(f"{path}: {error}") from error


def load(path: Path) -> dict[str, Registry]:
    """Registries by host, from the config file; none without one.

        [registry."docker.io"]
        mirrors = ["mirror.test:5000"]
        [registry."mirror.test:5000"]
        http = true

    Raises:
        DrydockError: With everything that is wrong with the file.
    """
    data = read(path)
    registries = data.get("registry", {})
    problems = [
        f"{key}: unknown; expected registry, cache or cache_export"
        for key in data
        if key not in ("registry", "cache", "cache_export")
    ]
    if isinstance(registries, dict):
        for host, fields in registries.items():
            problems += _problems(host, fields, path.parent)
    else:
        problems.append(f"registry: expected a table, got {registries!r}")
    if problems:
        raise DrydockError(f"{path}:\n" + "\n".join(f"  {problem}" for problem in problems))
    return {host: _registry(fields, path.parent) for host, fields in registries.items()}


def authorities(path: Path) -> dict[str, str]:
    """Files of certificate authorities by registry, from the config file.

    Raises:
        DrydockError: As `load` does.
    """
    return {host: registry.ca for host, registry in load(path).items() if registry.ca}


def _registry(fields: dict[str, Any], folder: Path) -> Registry:
    ca = fields.get("ca", "")
    mirrors = tuple(fields.get("mirrors", ()))
    return Registry(mirrors, fields.get("http", False), str((folder / ca).absolute()) if ca else "")


def _problems(host: str, fields: Any, folder: Path) -> list[str]:
    where = f'registry."{host}"'
    if not isinstance(fields, dict):
        return [f"{where}: expected a table, got {fields!r}"]
    found = [
        f"{where}.{key}: unknown; expected one of {', '.join(KEYS)}"
        for key in fields
        if key not in KEYS
    ]
    if not _HOST.fullmatch(host):
        found.append(f"{where}: expected a registry's host and port, as registry.test:5000")
    wrong = {key for key, kind in KEYS.items() if not isinstance(fields.get(key, kind()), kind)}
    found += [
        f"{where}.{key}: expected a {KEYS[key].__name__}, got {fields[key]!r}"
        for key in KEYS
        if key in wrong
    ]
    if "mirrors" not in wrong:
        found += [
            f"{where}.mirrors: expected hosts as mirror.test:5000, with no scheme, got {mirror!r}"
            for mirror in fields.get("mirrors", ())
            if not (isinstance(mirror, str) and _MIRROR.fullmatch(mirror))
        ]
    if "ca" in fields and "ca" not in wrong:
        found += [f"{where}.ca: {problem}" for problem in _of_certificate(folder / fields["ca"])]
        if fields.get("http") is True:
            found.append(
                f"{where}: http and ca exclude each other; over http there is no certificate"
            )
    return found


def _of_certificate(path: Path) -> list[str]:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        return [f"{path} holds no certificate in PEM format"]
    except OSError as error:
        return [f"{path} cannot be read: {error.strerror}"]
    return []


def buildkitd_config(
    registries: dict[str, Registry],
    *,
    root: str,
    run: str,
    cni: tuple[str, str],
    nameserver: str = "",
) -> str:
    """BuildKit's configuration file.

    Args:
        registries: How registries are reached, by host.
        root: Folder for the daemon's state.
        run: Folder of the sockets that it listens at.
        cni: Folder of the network plugins and path of the network's definition.
        nameserver: Of the network that a rootless daemon has to itself; empty for a daemon run by root.
    """
    plugins, network = (json.dumps(path) for path in cni)
    lines = [
        f"root = {json.dumps(root)}",
        'insecure-entitlements = ["security.insecure", "network.host"]',
        "[grpc]",
        f"address = [{json.dumps(f'unix://{run}/buildkitd.sock')}]",
        "[otel]",
        f"socketPath = {json.dumps(run + '/otel.sock')}",
        *(["[dns]", f"nameservers = [{json.dumps(nameserver)}]"] if nameserver else []),
        "[worker.containerd]",
        "enabled = false",
        "[worker.oci]",
        "enabled = true",
        "gc = true",
        f"maxUsedSpace = {json.dumps(CACHE_LIMIT)}",
        f"minFreeSpace = {json.dumps(FREE_SPACE)}",
        f"rootless = {json.dumps(bool(nameserver))}",
        'networkMode = "cni"',
        f"cniBinaryPath = {plugins}",
        f"cniConfigPath = {network}",
        # One rule for all that is kept: by default local files and cache volumes have 512 MB together, and a package
        # store is gone as soon as it is made.
        "[[worker.oci.gcpolicy]]",
        "all = true",
        f"maxUsedSpace = {json.dumps(CACHE_LIMIT)}",
        f"minFreeSpace = {json.dumps(FREE_SPACE)}",
    ]
    for host, registry in sorted(registries.items()):
        lines += [f"[registry.{json.dumps(host)}]"]
        if registry.mirrors:
            lines += [f"mirrors = {json.dumps(list(registry.mirrors))}"]
        if registry.http:
            lines += ["http = true"]
        if registry.ca:
            # BuildKit speaks plain HTTP to this machine's own addresses, unless it is told not to.
            lines += ["http = false", f"ca = [{json.dumps(registry.ca)}]"]
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

"""What tells the disk of one server from the image that all of them lie on."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from . import authority

if TYPE_CHECKING:
    from .settings import Settings

PROXY = Path(__file__).parent / "proxy"
HOSTS = ("mindfulspace.example", "*.mindfulspace.example", "*.staging.mindfulspace.example")
DEPLOY = 1000  # the user and group id of `deploy`


def write(disk: Path, config: Settings, name: str, address: str, gateway: str) -> None:
    """Lay names, keys and the addresses of the registries over the image.

    Args:
        disk: the upper layer of the server's file system.
        config: the lab's folder and ports.
        name: the server's host name.
        address: its address.
        gateway: where it finds the lab's registries.
    """
    write_names(disk, config, name, address, gateway)
    home = disk / "home/deploy"
    if not home.exists():
        _write_home(home, config)


def write_names(disk: Path, config: Settings, name: str, address: str, gateway: str) -> None:
    """Its own name and address, and those of the registries. Arguments as those of `write`."""
    etc = disk / "etc"
    _write_docker(etc / "docker", config, gateway)
    (etc / "hostname").write_text(f"{name}\n")
    (etc / "hosts").write_text(f"127.0.0.1 localhost\n{address} {name}\n")


def _write_docker(folder: Path, config: Settings, gateway: str) -> None:
    """The daemon's settings: a mirror of Docker Hub, and an authority for the other registry."""
    mirror, secure = f"{gateway}:{config.port}", f"{gateway}:{config.secure_port}"
    trusted = folder / "certs.d" / secure
    trusted.mkdir(parents=True, exist_ok=True)
    shutil.copy(config.authority / "ca.crt", trusted)
    settings = {"registry-mirrors": [f"http://{mirror}"], "insecure-registries": [mirror]}
    # What was added to it since stays.
    if not (folder / "daemon.json").exists():
        (folder / "daemon.json").write_text(json.dumps(settings))


def _write_home(home: Path, config: Settings) -> None:
    """The files of user ``deploy``: who may log in, and the proxy."""
    dynamic = home / "proxy/dynamic"
    dynamic.mkdir(parents=True)
    (home / ".ssh").mkdir(mode=0o700)
    shutil.copy(config.servers / "key.pub", home / ".ssh/authorized_keys")
    shutil.copy(PROXY / "compose.yml", home / "proxy")
    shutil.copy(PROXY / "dynamic.yml", dynamic)
    authority.issue(authority.load(config.authority), dynamic, *HOSTS)
    for path in (home, *home.rglob("*")):
        os.chown(path, DEPLOY, DEPLOY)

"""An authority that speaks ACME: Pebble, which Go compiles the first time from the module beside this file."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from ci.lab import authority
from ci.lab.background import BOUND, Background
from ci.lab.settings import LOOPBACK

if TYPE_CHECKING:
    import trustme

HERE = Path(__file__).parent
# Pebble takes its time and refuses good nonces now and then, for tests of clients: ours is Traefik's.
QUICK = ("env", "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")


@dataclass(frozen=True)
class Pebble:
    """A running authority.

    Attributes:
        directory: The address of its ACME directory.
        root: What it signs certificates with, PEM.
    """

    directory: str
    root: str


def compiled(name: str) -> Path:
    """A program's path.

    Args:
        name: `pebble` or `pebble-challtestsrv`.
    """
    command = ["go", "-C", str(HERE), "tool", "-n", name]
    environment = {**os.environ, "CGO_ENABLED": "0"}
    return Path(subprocess.check_output(command, text=True, env=environment).strip())


@contextmanager
def pebble(folder: Path, signer: trustme.CA, host: str, site: str) -> Iterator[Pebble]:
    """An authority that finds every name at one server and asks it on port 443, while the context lasts.

    Args:
        folder: For its certificate, settings and logs.
        signer: Who signs the certificate of its directory.
        host: This machine's address that it serves at.
        site: The server's address.

    Raises:
        LabError: It does not start.
    """
    certificate, key = authority.issue(signer, folder, host, LOOPBACK)
    listen, manage, dns = _free(host), _free(LOOPBACK), _free(LOOPBACK)
    settings = {
        "listenAddress": listen,
        "managementListenAddress": manage,
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": 80,
        "tlsPort": 443,
        "retryAfter": {"authz": 1, "order": 1},
    }
    config = folder / "pebble.json"
    config.write_text(json.dumps({"pebble": settings}))
    arguments = ("-config", str(config), "-dnsserver", dns)
    others = ("-http01=", "-https01=", "-tlsalpn01=", "-doh=", f"-management={_free(LOOPBACK)}")
    names = (f"-dnsserver={dns}", f"-defaultIPv4={site}", "-defaultIPv6=", *others)
    with (
        _running(folder, "pebble-challtestsrv", names, dns),
        _running(folder, "pebble", arguments, listen, manage),
    ):
        context = ssl.create_default_context(cadata=signer.cert_pem.bytes().decode())
        root = httpx.get(f"https://{manage}/roots/0", verify=context, trust_env=False)
        yield Pebble(f"https://{listen}/dir", root.raise_for_status().text)


@contextmanager
def _running(folder: Path, name: str, arguments: Sequence[str], *addresses: str) -> Iterator[None]:
    """A program while the context lasts, from when it takes connections on."""
    program = compiled(name)
    process = Background(
        command=(str(program), *arguments),
        mark=program,
        pid_file=folder / f"{name}.pid",
        log=folder / f"{name}.log",
        prefix=(*BOUND, *QUICK),
    )
    process.start(lambda: all(map(_answers, addresses)))
    try:
        yield
    finally:
        process.stop()


def _answers(address: str) -> bool:
    host, _, port = address.partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def _free(host: str) -> str:
    """An address of this machine with a port that nobody has."""
    with socket.create_server((host, 0)) as server:
        return f"{host}:{server.getsockname()[1]}"

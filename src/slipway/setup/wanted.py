"""What a server should have, as files and names. Pure."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field

from slipway.server.ssh import Address

from . import firewall
from .proxy import Proxy

FIREWALL_FILE = "/etc/slipway/firewall.nft"
FIREWALL_UNIT = "/etc/systemd/system/slipway-firewall.service"
COMPOSE_FILE = "~/proxy/compose.yaml"
# Debian's own nftables.service is no place for the rules: when it stops, it takes Docker's along.
_UNIT = f"""\
[Unit]
Description=Firewall of slipway: SSH and the web
DefaultDependencies=no
Requires=local-fs.target
After=local-fs.target nftables.service
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft --file {FIREWALL_FILE}
ExecStop=/usr/sbin/nft delete table inet {firewall.TABLE}

[Install]
WantedBy=sysinit.target
"""
_UPGRADES = """\
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
"""
# A runner that has gone without a word lets go of a deploy's lock in a minute.
_SSHD = """\
ClientAliveInterval 15
ClientAliveCountMax 4
"""


@dataclass(frozen=True)
class File:
    """A file of ours.

    Attributes:
        path: Absolute, or `~/…` in the deploying user's home.
        text: What it holds.
        mode: Its permissions.
    """

    path: str
    text: str
    mode: int = 0o644

    @property
    def digest(self) -> str:
        """SHA-256 of its content, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Wanted:
    """What a server should have.

    Attributes:
        admin: Who sets it up, and where.
        admin_key: The private key for that.
        deploy: Who deploys, and where.
        deploy_key: The private key for that.
        public_key: Its public half, a line of authorized_keys.
        site: What its files beside those of other sites are called.
        proxy: What it wants of the proxy.
        certificate: The certificate that the proxy is given with those above it, PEM.
        certificate_key: Its private key, PEM.
        authority: The authority of the ACME directory, PEM.
    """

    admin: Address
    admin_key: str = field(repr=False)
    deploy: Address
    deploy_key: str = field(repr=False)
    public_key: str
    site: str
    proxy: Proxy
    certificate: str = ""
    certificate_key: str = field(default="", repr=False)
    authority: str = ""


UPGRADES = File("/etc/apt/apt.conf.d/52slipway", _UPGRADES)
SSHD = File("/etc/ssh/sshd_config.d/50-slipway.conf", _SSHD)


def firewall_files(ports: Collection[int]) -> tuple[File, File]:
    """The rules, and the unit that loads them when the server starts.

    Args:
        ports: Where SSH is.
    """
    return (
        File(FIREWALL_FILE, firewall.rules(ports), 0o600),
        File(FIREWALL_UNIT, _UNIT),
    )


# All files of ours but those of the proxy.
PATHS = (FIREWALL_FILE, FIREWALL_UNIT, UPGRADES.path, SSHD.path)

"""What this machine lends to the images: mirrors, proxies and certificates it trusts.

Nothing of it is written in the repository, so that images made behind a company's mirror work
there as images made on an open network do here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from . import npm
from .run import output
from .settings import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

APT_OPTIONS = (
    "Acquire::Check-Valid-Until",
    "Acquire::http::Proxy",
    "Acquire::https::Proxy",
)
NPM_OPTIONS = ("registry", "strict-ssl", "proxy", "https-proxy")
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
# One bundle serves all; these are the clients that look nowhere else.
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
BUNDLE_VARIABLES = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "PIP_CERT")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True)
class Machine:
    """The settings of this machine that an image needs to work on it.

    Attributes:
        mirror: base address of the Debian archive, or None for the bootstrapper's default.
        security: base address of Debian's security archive, or None.
        apt: apt options, name to value.
        npm: npm options that differ from npm's defaults, name to value.
        proxies: proxy variables, name to value.
        certificates: certificates trusted here beyond Debian's own set, in PEM form.
    """

    mirror: str | None = None
    security: str | None = None
    apt: Mapping[str, str] = field(default_factory=dict)
    npm: Mapping[str, str] = field(default_factory=dict)
    proxies: Mapping[str, str] = field(default_factory=dict)
    certificates: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        """The variables that every image gets: proxies, and the bundle where it is needed."""
        bundle = dict.fromkeys(BUNDLE_VARIABLES, BUNDLE) if self.certificates else {}
        return {**self.proxies, **bundle}

    def fingerprint(self) -> str:
        """Everything above as canonical text, to be part of an image's key."""
        return json.dumps(asdict(self), sort_keys=True)


def survey() -> Machine:
    """Look at this machine.

    Returns:
        What its apt, npm, environment and certificate store are set to.

    Raises:
        LabError: a mirror or proxy carries a password, which would end up in a layer.
    """
    mirror, security = debian_mirrors(_apt_sources())
    machine = Machine(
        mirror=mirror,
        security=security,
        apt=_apt_options(),
        npm=_npm_options(),
        proxies={name: os.environ[name] for name in PROXIES if os.environ.get(name)},
        certificates=extra_certificates(),
    )
    refuse_passwords(machine)
    return machine


def refuse_passwords(machine: Machine) -> None:
    """Stop where an address that goes into images has a user name or password in it.

    Raises:
        LabError: names the setting, not the password.
    """
    addresses = {"apt's Debian mirror": machine.mirror, "apt's security mirror": machine.security}
    for group in (machine.apt, machine.npm, machine.proxies):
        addresses.update(group)
    found = [name for name, value in addresses.items() if value and "@" in urlsplit(value).netloc]
    if found:
        raise LabError(
            f"{', '.join(found)}: the address holds a login, which would be readable in every "
            "image. Use a mirror or proxy without one on this machine."
        )


def debian_mirrors(sources: Iterable[tuple[str, str]]) -> tuple[str | None, str | None]:
    """Pick the Debian archive and its security archive.

    Args:
        sources: pairs of an address and a suite, in apt's order.

    Returns:
        The two addresses; None where the machine has none, as on another distribution.
    """
    codenames = r"(bullseye|bookworm|trixie|forky|sid|stable|oldstable|testing|unstable)"
    archive = security = None
    for address, suite in sources:
        if not re.search(r"/debian(-security)?/?$", address):
            continue  # a third party's archive may use the same suite names
        if re.fullmatch(codenames, suite):
            archive = archive or address
        elif re.fullmatch(codenames + r"[-/]security", suite) or suite.endswith("/updates"):
            security = security or address
    return archive, security


def apt_sources(machine: Machine, suite: str) -> str | None:
    """The deb822 sources of an image, or None for the bootstrapper's default mirrors.

    Args:
        machine: whose mirrors to name.
        suite: the release's code name, ``trixie``.
    """
    if machine.mirror is None:
        return None
    stanzas = [(machine.mirror, f"{suite} {suite}-updates")]
    if machine.security is not None:
        stanzas.append((machine.security, f"{suite}-security"))
    return "\n".join(
        f"Types: deb\nURIs: {uri}\nSuites: {suites}\nComponents: main\nSigned-By: {KEYRING}\n"
        for uri, suites in stanzas
    )


def extra_certificates(
    bundle: Path = Path(BUNDLE), known: Path = Path("/usr/share/ca-certificates")
) -> tuple[str, ...]:
    """The certificates of the machine's bundle that Debian's package does not ship.

    Args:
        bundle: the file of all trusted certificates.
        known: the folder of the package's own certificates.
    """
    if not bundle.exists():
        return ()
    shipped = {pem for file in known.rglob("*.crt") for pem in _certificates(file)}
    extra = [pem for pem in _certificates(bundle) if pem not in shipped]
    return tuple(dict.fromkeys(extra))


def _certificates(file: Path) -> list[str]:
    """Every certificate of a PEM file, spelled alike."""
    blocks = re.findall(
        r"-----BEGIN CERTIFICATE-----\s+(.+?)\s+-----END CERTIFICATE-----",
        file.read_text(encoding="utf-8", errors="replace"),
        re.DOTALL,
    )
    return [
        f"-----BEGIN CERTIFICATE-----\n{chr(10).join(b.split())}\n-----END CERTIFICATE-----\n"
        for b in blocks
    ]


def _apt_sources() -> list[tuple[str, str]]:
    """The machine's package sources as pairs of address and suite."""
    if shutil.which("apt-get") is None:
        return []
    # Reads the sources only: works before the first `apt-get update` and for any user.
    listed = output("apt-get", "update", "--print-uris")
    return re.findall(r"^'(\S+)/dists/(\S+)/(?:In)?Release' ", listed, re.MULTILINE)


def _apt_options() -> dict[str, str]:
    """The apt options that matter to an image, as the machine has them."""
    if shutil.which("apt-config") is None:
        return {}
    found = {}
    for line in output("apt-config", "dump", *APT_OPTIONS).splitlines():
        name, _, value = line.rstrip(";").partition(" ")
        if name in APT_OPTIONS and value.strip('"'):
            found[name] = value.strip('"')
    return found


def _npm_options() -> dict[str, str]:
    """The npm options that this machine sets, where they matter to an image."""
    # Outside any project, whose own .npmrc must not count.
    listed = output(*npm.command(), "config", "list", cwd="/")
    found = re.findall(r'^([a-z-]+) = "?(.+?)"?$', listed, re.MULTILINE)
    return {name: value for name, value in found if name in NPM_OPTIONS}

"""What the lab takes over from the machine it runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ci.lab.machine import (
    Machine,
    apt_sources,
    debian_mirrors,
    extra_certificates,
    refuse_passwords,
)
from ci.lab.settings import LabError

if TYPE_CHECKING:
    from pathlib import Path

ARCHIVE = "http://mirror.example/debian"
SECURITY = "http://mirror.example/debian-security"


def certificate(content: str) -> str:
    """A certificate's PEM form, as far as the lab looks at it."""
    return f"-----BEGIN CERTIFICATE-----\n{content}\n-----END CERTIFICATE-----\n"


def test_the_machines_own_mirrors_are_found() -> None:
    """Archives of others are left out, also where they use Debian's suite names."""
    sources = [
        ("http://vendor.example/apt", "bookworm"),
        (ARCHIVE, "bookworm"),
        ("http://second.example/debian", "trixie"),
        (SECURITY, "bookworm-security"),
    ]
    assert debian_mirrors(sources) == (ARCHIVE, SECURITY)


def test_another_distribution_has_no_debian_mirror() -> None:
    """The bootstrapper's default is used then."""
    assert debian_mirrors([("http://mirror.example/ubuntu", "noble")]) == (None, None)
    assert apt_sources(Machine(), "trixie") is None


def test_an_image_names_the_mirrors_with_its_own_release() -> None:
    """A Debian 13 image made on Debian 12 gets Debian 13's suites."""
    sources = apt_sources(Machine(mirror=ARCHIVE, security=SECURITY), "trixie") or ""
    assert f"URIs: {ARCHIVE}\nSuites: trixie trixie-updates\n" in sources
    assert f"URIs: {SECURITY}\nSuites: trixie-security\n" in sources


def test_only_certificates_beyond_debians_own_are_taken(tmp_path: Path) -> None:
    """Each once, in whatever line lengths the bundle has them."""
    (tmp_path / "known").mkdir()
    (tmp_path / "known/root.crt").write_text(certificate("AAAA\nBBBB"))
    bundle = tmp_path / "bundle.crt"
    bundle.write_text(f"# Root\n{certificate('AAAA BBBB')}{certificate('CCCC') * 2}")
    assert extra_certificates(bundle, tmp_path / "known") == (certificate("CCCC"),)


def test_images_know_the_bundle_only_where_it_differs() -> None:
    """A machine that trusts no extra authority sets no variable in its images."""
    assert Machine().environment() == {}
    trusting = Machine(certificates=(certificate("CCCC"),)).environment()
    assert trusting["NODE_EXTRA_CA_CERTS"] == "/etc/ssl/certs/ca-certificates.crt"


def test_a_mirror_with_a_login_is_refused_without_repeating_it() -> None:
    """It would be readable in every image that the lab makes."""
    machine = Machine(
        npm={"registry": "https://ci:sentinel@npm.example/"},
        proxies={"https_proxy": "http://ci:sentinel@proxy.example:3128"},
    )
    with pytest.raises(LabError, match="registry, https_proxy: the address") as caught:
        refuse_passwords(machine)
    assert "sentinel" not in str(caught.value)

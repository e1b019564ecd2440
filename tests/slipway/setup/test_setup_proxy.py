"""The proxy's compose file, with an authority's certificates and with given ones."""

import pytest
import yaml

from slipway.server import compose
from slipway.setup.proxy import Proxy, file, problems

ACME = Proxy(email="ops@example.com")


def command(proxy: Proxy) -> list[str]:
    """The arguments that Traefik gets, as Compose reads them."""
    text = compose.render(file(proxy))
    found: list[str] = yaml.safe_load(text)["services"]["traefik"]["command"]
    return found


def test_an_authority_s_certificates_are_asked_for_by_every_router() -> None:
    """From Let's Encrypt, unless another directory is named."""
    asked = command(ACME)
    assert "--entrypoints.websecure.http.tls.certresolver=acme" in asked
    assert "--certificatesresolvers.acme.acme.email=ops@example.com" in asked
    assert not [one for one in asked if "caserver" in one or "providers.file" in one]


def test_a_company_s_own_authority_is_trusted_by_its_certificate() -> None:
    """Traefik trusts no directory that the usual authorities did not sign."""
    own = Proxy(email="ops@example.com", directory="https://ca.example/acme", private=True)
    assert "--certificatesresolvers.acme.acme.caserver=https://ca.example/acme" in command(own)
    assert [one for one in command(own) if "cacertificates" in one]


def test_given_certificates_ask_no_authority() -> None:
    """They are files of the file provider."""
    given = command(Proxy())
    assert "--providers.file.directory=/etc/traefik/dynamic" in given
    assert not [one for one in given if "certificatesresolvers" in one]


@pytest.mark.parametrize("proxy", [Proxy(), ACME])
def test_the_proxy_is_as_deploys_need_it(proxy: Proxy) -> None:
    """Ends idle connections before Node does, and serves nothing that does not ask for it."""
    needed = {
        "--serverstransport.forwardingtimeouts.idleconntimeout=3s",
        "--providers.docker.exposedbydefault=false",
    }
    assert needed <= set(command(proxy))
    assert not [one for one in command(proxy) if "--api" in one]


@pytest.mark.parametrize(("proxy", "given"), [(Proxy(), False), (ACME, True)])
def test_neither_or_both_ways_to_certificates_are_refused(proxy: Proxy, given: bool) -> None:
    """Before anything is changed."""
    assert "certificates: expected either" in problems(proxy, given=given)[0]

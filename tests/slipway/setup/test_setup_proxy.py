"""The proxy's compose file, with an authority's certificates and with given ones."""

import pytest
import yaml

from slipway.server import compose
from slipway.setup.proxy import Present, Proxy, conflict, file, merged, present, problems

ACME = Proxy(email="ops@example.com")
OTHER = Proxy(email="web@example.com", resolver="other")


def command(*wanted: Proxy) -> list[str]:
    """The arguments that Traefik gets, as Compose reads them, after set-ups for some environments."""
    there = Present()
    for proxy in wanted:
        there = merged(there, proxy)
    text = compose.render(file(there))
    found: list[str] = yaml.safe_load(text)["services"]["traefik"]["command"]
    assert present(text) == there
    return found


def test_an_authority_s_certificates_are_asked_for_by_every_router() -> None:
    """From Let's Encrypt, unless another directory is named."""
    asked = command(ACME)
    assert "--entrypoints.websecure.http.tls.certresolver=acme" in asked
    assert "--certificatesresolvers.acme.acme.email=ops@example.com" in asked
    assert not [one for one in asked if "caserver" in one]


def test_a_company_s_own_authority_is_trusted_by_its_certificate() -> None:
    """Traefik trusts no directory that the usual authorities did not sign."""
    own = Proxy(email="ops@example.com", directory="https://ca.example/acme", private=True)
    assert "--certificatesresolvers.acme.acme.caserver=https://ca.example/acme" in command(own)
    file_option = "--certificatesresolvers.acme.acme.cacertificates=/etc/traefik/dynamic/ca.pem"
    assert file_option in command(own)
    assert merged(Present(), own).authorities == ("ca.pem",)


def test_given_certificates_ask_no_authority() -> None:
    """They are files of the file provider."""
    given = command(Proxy())
    assert "--providers.file.directory=/etc/traefik/dynamic" in given
    assert not [one for one in given if "certresolver" in one or "certificatesresolvers" in one]


def test_behind_a_cdn_the_authority_asks_on_port_80() -> None:
    """Only there does its request come through; the other way is not tried."""
    asked = command(Proxy(email="ops@example.com", challenge="http"))
    assert "--certificatesresolvers.acme.acme.httpchallenge.entrypoint=web" in asked
    assert not [one for one in asked if "tlschallenge" in one]
    assert "--certificatesresolvers.acme.acme.tlschallenge=true" in command(ACME)


@pytest.mark.parametrize("proxy", [Proxy(), ACME])
def test_the_proxy_is_as_deploys_need_it(proxy: Proxy) -> None:
    """Ends idle connections before Node does, cuts no upload off, and serves nothing that does not ask for it."""
    needed = {
        "--serverstransport.forwardingtimeouts.idleconntimeout=3s",
        "--providers.docker.exposedbydefault=false",
        "--entrypoints.internal.address=:8000",
        "--entrypoints.websecure.transport.respondingtimeouts.readtimeout=1h",
    }
    assert needed <= set(command(proxy))
    assert not [one for one in command(proxy) if "--api" in one]
    assert file(merged(Present(), proxy)).services["traefik"].ports == ("80:80", "443:443")


@pytest.mark.parametrize(
    ("first", "second"), [(ACME, Proxy()), (Proxy(), ACME), (ACME, OTHER), (OTHER, ACME)]
)
def test_a_second_environment_adds_to_the_first(first: Proxy, second: Proxy) -> None:
    """Nothing is lost, and whoever is set up again changes nothing."""
    both = command(first, second)
    assert set(first.options) | set(second.options) <= set(both)
    assert command(first, second, first) == command(first, second, second) == both


def test_the_resolver_of_routers_that_name_none_stays_what_it_was() -> None:
    """None where a certificate was given first: nobody asked for another."""
    default = "--entrypoints.websecure.http.tls.certresolver="
    asked = [command(ACME, OTHER), command(OTHER, ACME), command(Proxy(), ACME)]
    found = [
        [one.removeprefix(default) for one in each if one.startswith(default)] for each in asked
    ]
    assert found == [["acme"], ["other"], []]


def test_the_proxy_s_image_is_changed_by_who_names_one() -> None:
    """An environment that names none takes what is there."""
    assert merged(Present(), ACME).image == "traefik:v3"
    named = merged(merged(Present(), ACME), Proxy(image="traefik:v3.6"))
    assert named.image == "traefik:v3.6"
    assert merged(named, ACME).image == "traefik:v3.6"


@pytest.mark.parametrize(
    "other",
    [
        Proxy(email="web@example.com"),
        Proxy(email="ops@example.com", directory="https://ca.example/acme"),
        Proxy(email="ops@example.com", challenge="http"),
    ],
)
def test_another_way_under_the_same_name_is_refused(other: Proxy) -> None:
    """In words that name the key, and what differs; unless nobody else goes this way."""
    there = merged(Present(), ACME)
    said = conflict(there, other, "shop--prod", {"app--prod": "acme", "shop--prod": ""})
    assert said.startswith(
        'cert_resolver: the proxy has "acme" with other settings, for app--prod ('
    )
    assert "another name" in said
    assert "another environment" in conflict(there, other, "shop--prod", {})
    assert conflict(there, other, "app--prod", {"app--prod": "acme", "shop--prod": ""}) == ""
    assert conflict(there, ACME, "shop--prod", {"app--prod": "acme"}) == ""
    assert conflict(there, OTHER, "shop--prod", {"app--prod": "acme"}) == ""


def test_what_differs_is_told() -> None:
    """On both sides."""
    said = conflict(merged(Present(), ACME), Proxy(email="web@example.com"), "b", {"a": "acme"})
    assert "(email=ops@example.com; wanted here: email=web@example.com)" in said


@pytest.mark.parametrize("text", ["services: [", "services: {}", "- a", "services: {traefik: {}}"])
def test_a_compose_file_that_nobody_understands_is_not_replaced(text: str) -> None:
    """What it says would be lost."""
    with pytest.raises(ValueError, match="traefik"):
        present(text)


@pytest.mark.parametrize(("proxy", "given"), [(Proxy(), False), (ACME, True)])
def test_neither_or_both_ways_to_certificates_are_refused(proxy: Proxy, given: bool) -> None:
    """Before anything is changed."""
    assert "certificates: expected either" in problems(proxy, given=given)[0]


def test_a_resolver_that_traefik_would_take_for_a_setting_is_refused() -> None:
    """What is behind a dot."""
    (problem,) = problems(Proxy(email="ops@example.com", resolver="acme.two"), given=False)
    assert problem.startswith("cert_resolver:")

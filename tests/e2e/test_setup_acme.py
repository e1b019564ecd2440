"""`setup` of a bare server whose proxy gets its certificates by ACME, from a real authority."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace

import httpx
import pytest

from ci.lab import authority, settings
from ci.lab.bare_server import BareServer
from slipway.server.operator import Operator
from slipway.server.target import Target
from tests.e2e.acme.pebble import Pebble, pebble
from tests.e2e.site import API, WEB, Site, example_site, public_names
from tests.e2e.tiny import push

pytestmark = pytest.mark.engine

EMAIL = "ops@mindfulspace.example"
# What a second set-up must not touch.
STATE = """
find /etc /home -xdev -type f -newer /etc/hostname -exec stat -c '%n %a %U %Y' {} + | sort
docker ps --format '{{.ID}} {{.Names}}'
"""
PROXY = "docker ps --quiet --filter name=proxy-traefik"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The example, and a server that nobody has set up."""
    folder = tmp_path_factory.mktemp("acme")
    with example_site(folder, "setup-acme", drain=1, kind=BareServer) as made:
        yield made


@pytest.fixture(scope="module")
def issuer(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    """The authority; staging's server is configured to ask it."""
    folder, signer = tmp_path_factory.mktemp("pebble"), authority.load(settings.load().authority)
    with pebble(folder, signer, site.server.bridge.gateway, site.server.address) as made:
        file = site.path / "slipway.toml"
        table = "[environments.staging.server]\n"
        acme = f'{table}acme_email = "{EMAIL}"\nacme_server = "{made.directory}"\n'
        file.write_text(file.read_text().replace(table, acme))
        yield made


@pytest.fixture(scope="module")
def prepared(site: Site, issuer: Pebble) -> str:
    """What the first set-up said."""
    assert issuer
    return site.called("setup")


@pytest.fixture(scope="module")
def operator(site: Site, issuer: Pebble) -> Operator:
    """Who deploys, and trusts the issuing authority as browsers trust a public one."""
    made = site.operator()
    address = replace(made.address, user="deploy")
    return replace(made, address=address, ca=made.ca + issuer.root)


def release(site: Site) -> Target:
    """Two tiny apps without a database; their routers name the resolver that slipway.toml stands for."""
    server = site.project().environment("staging").server
    assert server
    target = push(site, 1).target("first")
    apps = (
        replace(one, routing=replace(one.routing, resolver=server.resolver)) for one in target.apps
    )
    return replace(target, apps=tuple(apps), database=None, migration=None)


@dataclass(frozen=True)
class Shown:
    """What a browser sees that trusts the issuing authority alone.

    Attributes:
        status: The answer's status.
        names: Whom the certificate is for.
        issuer: Who signed it.
        serial: Its number.
    """

    status: int
    names: tuple[str, ...]
    issuer: str
    serial: str


async def shown(site: Site, issuer: Pebble, url: str) -> Shown:
    """Ask an address once; the certificate is checked for its name."""
    trust = ssl.create_default_context(cadata=issuer.root)
    async with httpx.AsyncClient(verify=trust, trust_env=False) as client:
        answer = await site.ask(client, "GET", url)
        made = answer.extensions["network_stream"].get_extra_info("ssl_object").getpeercert()
    issued = {name: value for part in made["issuer"] for name, value in part}
    names = tuple(name for _, name in made["subjectAltName"])
    return Shown(answer.status_code, names, issued["commonName"], made["serialNumber"])


async def test_a_deploy_ends_when_the_proxy_has_got_its_certificates(
    site: Site, issuer: Pebble, prepared: str, operator: Operator
) -> None:
    """Each name its own, from the authority that slipway.toml names, kept where nobody else reads it."""
    assert "is set up" in prepared
    target = await asyncio.to_thread(release, site)
    with public_names(site.server.address):
        await site.deployment(target, operator).deploy(lambda _: None)
    for url in (API, WEB):
        found = await shown(site, issuer, f"{url}/health")
        assert found.status == 200
        assert found.names == (httpx.URL(url).host,)
        assert found.issuer.startswith("Pebble Intermediate CA")
    assert site.server.ssh("stat -c %a /home/deploy/proxy/acme/acme.json").strip() == "600"


async def test_a_second_time_nothing_is_changed(site: Site, prepared: str) -> None:
    """Not a file, not a container; the proxy's certificates are not asked for again."""
    assert prepared
    before = site.server.ssh(STATE)
    assert "nothing was changed" in await asyncio.to_thread(site.called, "setup")
    assert site.server.ssh(STATE) == before


async def test_another_authority_of_the_directory_starts_the_proxy_anew(
    site: Site, issuer: Pebble, prepared: str
) -> None:
    """It reads that once; the certificates that it has got stay: a name is given only so many in a week."""
    assert prepared
    before, first = await shown(site, issuer, f"{API}/health"), site.server.ssh(PROXY)
    (site.path / "ca.pem").write_text(site.server.ca.read_text() + issuer.root)
    said = await asyncio.to_thread(site.called, "setup")
    assert "proxy" in said
    assert "user" not in said
    assert site.server.ssh(PROXY) != first
    assert await shown(site, issuer, f"{API}/health") == before

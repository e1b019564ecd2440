"""`setup` for two environments on one server: a certificate that is given, and one by ACME, side by side."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from ci.lab import authority, settings
from ci.lab.bare_server import BareServer
from slipway.errors import ConfigError
from slipway.setup.proxy import Proxy
from slipway.setup.setup import Setup
from slipway.setup.wanted import Wanted
from tests.e2e.acme.pebble import Pebble, pebble
from tests.e2e.site import API, PROD_API, WEB, Site, example_site
from tests.e2e.test_setup import reaches

pytestmark = pytest.mark.engine

# Stands for an app of a release: two addresses, each with the certificate that its environment is set up for.
APP = """
docker run --detach --quiet --network web --name app \\
  --label traefik.enable=true --label traefik.http.services.app.loadbalancer.server.port=8080 \\
  --label 'traefik.http.routers.given.rule=Host(`api.staging.mindfulspace.example`)' \\
  --label traefik.http.routers.given.entrypoints=websecure --label traefik.http.routers.given.tls=true \\
  --label 'traefik.http.routers.acme.rule=Host(`api.mindfulspace.example`)' \\
  --label traefik.http.routers.acme.entrypoints=websecure --label traefik.http.routers.acme.tls=true \\
  --label traefik.http.routers.acme.tls.certresolver=acme \\
  --label 'traefik.http.routers.inside.rule=Host(`api.site.internal`)' \\
  --label traefik.http.routers.inside.entrypoints=internal \\
  traefik:v3 --ping=true
"""
INSIDE = """
proxy=$(docker inspect --format '{{.NetworkSettings.Networks.web.IPAddress}}' proxy-traefik-1)
exec bash -c "exec 3<>/dev/tcp/$proxy/8000
printf 'GET /ping HTTP/1.0\\r\\nHost: api.site.internal\\r\\n\\r\\n' >&3; cat <&3"
"""
NETWORK = "docker network inspect --format '{{.EnableIPv6}}' web"
STATE = """
find /etc /home -xdev -type f -newer /etc/hostname -exec stat -c '%n %a %U %Y' {} + | sort
docker ps --format '{{.ID}} {{.Names}}'
"""

# The proxy as 40e4a03 and older set it up for a certificate that is given.
OLD = """
set -e
cd /home/deploy/proxy
docker compose down
mv dynamic/mindfulspace--staging.crt dynamic/server.crt
mv dynamic/mindfulspace--staging.key dynamic/server.key
rm -r sites dynamic/mindfulspace--staging.yml
sed -i 's/mindfulspace--staging/server/' dynamic/dynamic.yml
sed -i '/certificatesresolvers/d; /entrypoints.internal/d; /readtimeout/d' compose.yaml
sed -i 's/slipway.proxy=.*/slipway.proxy=old/' compose.yaml
docker compose up --detach --wait --quiet-pull
"""


@dataclass(frozen=True)
class Pair:
    """Two environments, and the authority that the second one asks.

    Attributes:
        site: The example, and the server.
        given: The first: with a certificate for staging's names alone.
        acme: The second: asked for on port 80, as behind a CDN.
        issuer: The authority.
    """

    site: Site
    given: Wanted
    acme: Wanted
    issuer: Pebble

    async def issued(self, url: str) -> str:
        """Who signed the certificate that an address shows, once the app answers."""
        context = ssl.create_default_context(cafile=str(self.site.server.ca))
        context.load_verify_locations(cadata=self.issuer.root)
        transport = httpx.AsyncHTTPTransport(verify=context, retries=3)
        async with httpx.AsyncClient(transport=transport) as client:
            answer = await self.site.ask(client, "GET", f"{url}/ping")
            stream = answer.extensions["network_stream"]
        assert answer.status_code == 200
        issuer = stream.get_extra_info("ssl_object").getpeercert()["issuer"]
        return " ".join(value for part in issuer for _, value in part)

    async def eventually(self, url: str, issuer: str) -> bool:
        """Whether an address shows a certificate of that authority within a minute."""
        for _ in range(60):
            try:
                if issuer in await self.issued(url):
                    return True
            except (httpx.HTTPError, AssertionError):
                await asyncio.sleep(1)
        return False


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A bare server, and what two environments want of it."""
    folder, certificates = tmp_path_factory.mktemp("two"), tmp_path_factory.mktemp("pebble")
    signer = authority.load(settings.load().authority)
    with (
        example_site(folder, "setup-two", kind=BareServer) as site,
        pebble(certificates, signer, site.server.bridge.gateway, site.server.address) as issuer,
    ):
        names = [str(httpx.URL(url).host) for url in (WEB, API)]
        given = _given(site, *authority.issue(signer, site.path, *names))
        yield Pair(site, given, _by_acme(given, site, issuer), issuer)


def _given(site: Site, certificate: Path, key: Path) -> Wanted:
    """The first environment."""
    operator = site.operator()
    deploy = replace(operator.address, user="deploy")
    return Wanted(
        admin=replace(deploy, user="root"),
        admin_key=operator.key,
        deploy=deploy,
        deploy_key=operator.key,
        public_key=site.server.key.with_suffix(".pub").read_text().strip(),
        site="mindfulspace--staging",
        proxy=Proxy(),
        certificate=certificate.read_text(),
        certificate_key=key.read_text(),
    )


def _by_acme(given: Wanted, site: Site, issuer: Pebble) -> Wanted:
    """The second environment."""
    proxy = Proxy(
        email="ops@mindfulspace.example", directory=issuer.directory, private=True, challenge="http"
    )
    return replace(
        given,
        site="mindfulspace--prod",
        proxy=proxy,
        certificate="",
        certificate_key="",
        authority=site.server.ca.read_text(),
    )


async def test_a_second_environment_loses_nothing_of_the_first(pair: Pair) -> None:
    """Each address answers with its own certificate; the redirect to HTTPS leaves the authority's question alone."""
    pair.site.server.ssh("ip -6 address add fd00:5117::2/64 dev eth0 nodad")
    await Setup(pair.given).run(lambda _: None)
    pair.site.server.ssh(APP)
    assert await pair.eventually(API, "slipway lab")
    await Setup(pair.acme).run(lambda _: None)
    assert await pair.eventually(PROD_API, "Pebble Intermediate CA")
    assert "slipway lab" in await pair.issued(API)


def test_a_client_on_ipv6_keeps_its_address(pair: Pair) -> None:
    """The server has an address of IPv6, so the proxy's network has IPv6, and Docker forwards it."""
    assert pair.site.server.ssh(NETWORK).strip() == "true"
    assert "DNAT" in pair.site.server.ssh("ip6tables --table nat --list DOCKER --numeric")


async def test_neither_is_changed_when_they_are_set_up_again(pair: Pair) -> None:
    """In whatever order."""
    before = pair.site.server.ssh(STATE)
    for wanted in (pair.given, pair.acme, pair.given):
        assert "nothing was changed" in await Setup(wanted).run(lambda _: None)
    assert pair.site.server.ssh(STATE) == before


async def test_a_second_way_under_the_same_name_is_refused(pair: Pair) -> None:
    """With the key that settles it, and nothing is changed."""
    before = pair.site.server.ssh(STATE)
    other = replace(pair.acme.proxy, email="web@other.example")
    with pytest.raises(ConfigError, match="cert_resolver.*mindfulspace--prod"):
        await Setup(replace(pair.given, site="other--prod", proxy=other)).run(lambda _: None)
    assert pair.site.server.ssh(STATE) == before


def test_apps_reach_each_other_by_the_proxy_and_nobody_from_outside_does(pair: Pair) -> None:
    """The entry point for that has no port of the server."""
    assert "200 OK" in pair.site.server.ssh(INSIDE)
    assert not reaches(pair.site, 8000)


async def test_what_an_older_set_up_left_is_taken_over(pair: Pair) -> None:
    """Its certificate serves on, while the second environment is set up, and the first one once more."""
    pair.site.server.ssh(OLD)
    assert await pair.eventually(API, "slipway lab")
    for wanted in (pair.acme, pair.given):
        await Setup(wanted).run(lambda _: None)
        assert await pair.eventually(PROD_API, "Pebble Intermediate CA")
        assert "slipway lab" in await pair.issued(API)
    assert "nothing was changed" in await Setup(pair.acme).run(lambda _: None)

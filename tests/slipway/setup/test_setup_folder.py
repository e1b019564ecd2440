"""The proxy's folder: what one environment's set-up adds to that of others, and takes over of older ones."""

from dataclasses import replace

import pytest

from slipway.server.ssh import Address
from slipway.setup import plan
from slipway.setup.folder import conflict, folder
from slipway.setup.found import File, Found
from slipway.setup.proxy import Proxy
from slipway.setup.wanted import COMPOSE_FILE, Wanted

FIRST = Wanted(
    admin=Address("192.0.2.1", user="root"),
    admin_key="key",
    deploy=Address("192.0.2.1"),
    deploy_key="key",
    public_key="ssh-ed25519 AAAAC3one",
    site="app--prod",
    proxy=Proxy(),
    certificate="app's certificate",
    certificate_key="app's key",
)
SECOND = replace(FIRST, site="shop--prod", certificate="shop's", certificate_key="shop's key")
ACME = replace(
    SECOND, proxy=Proxy(email="ops@example.com"), certificate="", certificate_key="", authority=""
)
ONE, TWO = (
    f"-----BEGIN CERTIFICATE-----\n{name}\n-----END CERTIFICATE-----\n" for name in ("one", "two")
)
PRIVATE = replace(
    ACME,
    proxy=Proxy(email="ops@example.com", directory="https://ca.example/acme", private=True),
    authority=ONE,
)
# What 40e4a03 and older wrote.
OLD = """\
name: proxy
services:
  traefik:
    image: traefik:v3
    command:
    - --providers.docker=true
    - --entrypoints.websecure.http.tls=true
    - --ping=true
{}    labels:
    - slipway.proxy=0123456789abcdef
"""
OLD_GIVEN = OLD.format("    - --providers.file.directory=/etc/traefik/dynamic\n")
OLD_ACME = OLD.format(
    "    - --entrypoints.websecure.http.tls.certresolver=acme\n"
    "    - --certificatesresolvers.acme.acme.email=ops@example.com\n"
    "    - --certificatesresolvers.acme.acme.tlschallenge=true\n"
    "    - --certificatesresolvers.acme.acme.storage=/etc/traefik/acme/acme.json\n"
)
OLD_DEFAULT = "certFile: /etc/traefik/dynamic/server.crt\n"


def after(found: Found, wanted: Wanted) -> Found:
    """The server after a set-up."""
    made = folder(found, wanted)
    files = {file.path: File(file.digest, file.mode, "deploy") for file in made.files}
    texts = {file.path: file.text for file in made.files if not file.path.endswith(("crt", "key"))}
    return replace(
        found,
        files={
            path: one for path, one in {**found.files, **files}.items() if path not in made.gone
        },
        texts={
            path: one for path, one in {**found.texts, **texts}.items() if path not in made.gone
        },
        proxy=("proxy-traefik-1", made.mark, "Up 2 hours (healthy)"),
    )


def proxy_steps(found: Found, wanted: Wanted) -> list[str]:
    """The titles of the proxy's steps, without folders."""
    steps = [step for one in plan.plan(found, wanted) if one.title == "proxy" for step in one.steps]
    return [step.title for step in steps if not step.title.startswith("folder")]


def old(compose: str, *others: str) -> Found:
    """A server that an older slipway set up."""
    texts = {COMPOSE_FILE: compose} | {f"~/proxy/dynamic/{name}": OLD_DEFAULT for name in others}
    return Found(texts=texts, files={path: File("digest", 0o644, "deploy") for path in texts})


@pytest.mark.parametrize(
    ("first", "second"),
    [(FIRST, SECOND), (FIRST, ACME), (ACME, FIRST), (PRIVATE, FIRST), (FIRST, PRIVATE)],
)
def test_a_second_environment_loses_nothing_of_the_first(first: Wanted, second: Wanted) -> None:
    """Each has its own files, and neither changes anything when it is set up again."""
    one = after(Found(), first)
    both = after(one, second)
    assert set(one.files) <= set(both.files)
    lasting = [path for path in one.files if path != COMPOSE_FILE]
    assert {path: both.files[path] for path in lasting} == {
        path: one.files[path] for path in lasting
    }
    assert proxy_steps(both, first) == proxy_steps(both, second) == []


def test_a_second_given_certificate_starts_nothing_anew() -> None:
    """Traefik reads its files when they change. The default stays the first one's."""
    there = after(Found(), FIRST)
    assert proxy_steps(there, SECOND) == [
        "shop--prod.crt",
        "shop--prod.key",
        "shop--prod.yml",
        "shop--prod",
    ]
    assert "app--prod.crt" in after(there, SECOND).texts["~/proxy/dynamic/dynamic.yml"]


def test_a_newer_certificate_is_written_to_its_own_file() -> None:
    """And to no other."""
    there = after(after(Found(), FIRST), SECOND)
    newer = replace(FIRST, certificate="newer", certificate_key="newer key")
    assert proxy_steps(there, newer) == ["app--prod.crt", "app--prod.key"]


def test_a_given_certificate_stays_until_the_site_s_routers_name_an_authority() -> None:
    """Who set it up is told what to do when they do: until then Traefik asks for none."""
    there = after(after(Found(), SECOND), ACME)
    assert "~/proxy/dynamic/shop--prod.crt" in there.files
    (note,) = plan.notes(there, ACME)
    assert note.endswith(
        "deploy shop--prod, then remove ~/proxy/dynamic/shop--prod.yml and ~/proxy/dynamic/dynamic.yml"
    )
    other = after(after(after(Found(), FIRST), SECOND), ACME)
    assert plan.notes(other, ACME)[0].endswith("then remove ~/proxy/dynamic/shop--prod.yml")
    assert plan.notes(other, FIRST) == plan.notes(other, SECOND) == []


def test_the_certificate_of_an_older_set_up_stays_the_default() -> None:
    """It may be any site's: that is not known."""
    there = old(OLD_GIVEN, "dynamic.yml")
    now = after(there, FIRST)
    assert now.texts["~/proxy/dynamic/dynamic.yml"] == OLD_DEFAULT
    assert "~/proxy/dynamic/app--prod.crt" in now.files
    assert after(there, ACME).texts["~/proxy/dynamic/dynamic.yml"] == OLD_DEFAULT


def test_the_authority_of_an_older_set_up_stays_too() -> None:
    """With its settings, and for routers that name none; nobody is refused for having set it up before."""
    there = old(OLD_ACME)
    assert conflict(there, ACME) == ""
    text = after(there, FIRST).texts[COMPOSE_FILE]
    for line in OLD_ACME.splitlines():
        if "certresolver" in line or "certificatesresolvers" in line:
            assert line.strip() in text


def test_a_default_that_the_proxy_did_not_read_is_not_brought_back() -> None:
    """An older set-up left it when it turned to an authority; by now its certificate has expired."""
    there = old(OLD_ACME, "dynamic.yml")
    assert "~/proxy/dynamic/dynamic.yml" not in after(there, ACME).texts
    assert "app--prod.crt" in after(there, FIRST).texts["~/proxy/dynamic/dynamic.yml"]


def test_another_authority_of_an_acme_directory_starts_the_proxy_anew() -> None:
    """Traefik reads its certificate once, when it starts. One that another environment named stays."""
    there = after(Found(), PRIVATE)
    other = replace(PRIVATE, authority=TWO)
    assert proxy_steps(there, other) == ["ca.pem", "compose.yaml", "start until it is healthy"]
    now = after(there, other)
    assert now.texts["~/proxy/dynamic/ca.pem"] == ONE + TWO
    assert proxy_steps(now, PRIVATE) == proxy_steps(now, other) == []


def test_what_cannot_be_beside_what_is_there_is_refused_before_anything_is_changed() -> None:
    """The same name for another way, and a compose file that nobody understands."""
    there = after(Found(), ACME)
    other = replace(ACME, site="app--prod", proxy=Proxy(email="web@example.com"))
    assert [one.partition(":")[0] for one in plan.problems(there, other)] == ["cert_resolver"]
    assert plan.problems(there, replace(other, site=ACME.site)) == []
    broken = replace(there, texts={COMPOSE_FILE: "services: ["})
    assert plan.problems(broken, other)[0].startswith("~/proxy/compose.yaml is not as")
    foreign = replace(broken, proxy=("edge", "", "Up 3 weeks"))
    assert plan.problems(foreign, other) == []

"""How a registry says who may ask, and where a password may be sent for a token."""

import json
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from slipway.registryapi import Endpoint, RegistryApi
from slipway.registryfaults import RegistryError
from slipway.registrytoken import Challenge, Login, Tokens, challenges
from slipway.registrywire import Wire
from tests.slipway.heldimages import IMAGE
from tests.slipway.registrystub import (
    BASIC,
    OWN,
    PASSWORD,
    Asked,
    Holding,
    Reply,
    Stub,
    asking,
    error,
    hurry,
    refusal,
    serving,
)

PULL = "repository:team/one:pull"


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (['Basic realm="a, b=\\"c\\""'], [("basic", {"realm": 'a, b="c"'})]),
        (["basic"], [("basic", {})]),
        (
            ['Bearer realm="https://a.test/t",service=b, scope="repository:x:pull,push"'],
            [
                (
                    "bearer",
                    {
                        "realm": "https://a.test/t",
                        "service": "b",
                        "scope": "repository:x:pull,push",
                    },
                )
            ],
        ),
        (
            ['Negotiate, Basic realm="a", BEARER Realm = "Basic b"'],
            [("bearer", {"realm": "Basic b"}), ("basic", {"realm": "a"}), ("negotiate", {})],
        ),
        (
            ['Basic realm="a"', 'Bearer realm="b"'],
            [("bearer", {"realm": "b"}), ("basic", {"realm": "a"})],
        ),
        (["", ',,="'], []),
    ],
)
def test_ways_to_log_in(headers: list[str], found: list[tuple[str, dict[str, str]]]) -> None:
    """Several headers, several in one; a token service comes first."""
    assert [(one.scheme, one.parameters) for one in challenges(headers)] == found


@pytest.fixture
async def tokens() -> AsyncIterator[Tokens]:
    """Those of the user `ci`."""
    wire = Wire("registry.example.com")
    yield Tokens(wire, "registry.example.com", Login("ci", PASSWORD))
    await wire.close()


@pytest.mark.parametrize(
    ("realm", "api"),
    [
        ("http://tokens.invalid/t", "https://registry.example.com"),
        ("http://registry.example.com/t", "https://registry.example.com"),
        ("http://tokens.invalid/t", "http://registry.lan"),
        ("http://127.0.0.1:1/t", "http://registry.lan"),
        ("http://127.0.0.1:1/t", "https://127.0.0.1:2"),
        ("ftp://tokens.invalid/t", "https://registry.example.com"),
        ("https:///t", "https://registry.example.com"),
        ("/t", "https://registry.example.com"),
        ("http://[", "https://registry.example.com"),
        ("", "https://registry.example.com"),
    ],
)
async def test_a_password_is_sent_over_https_alone(tokens: Tokens, realm: str, api: str) -> None:
    """Whatever a registry names."""
    challenge = Challenge("bearer", {"realm": realm})
    with pytest.raises(RegistryError) as caught:
        await tokens.renewed(challenge, PULL, httpx.URL(api))
    said = str(caught.value)
    assert said.startswith("registry.example.com names ")
    assert "a login is sent over HTTPS alone. Correct the realm" in said


class Guarded(Holding):
    """A registry that is its own token service."""

    def __init__(self) -> None:
        """Hold an image, and give tokens."""
        super().__init__(IMAGE, "v1")
        self.instead = self.guard
        self.realm = ""
        self.given: list[Reply] = []
        self.takes = "Bearer t1"
        self.scope = PULL

    def guard(self, asked: Asked) -> Reply:
        """The registry's door."""
        if asked.path.startswith("/token"):
            return self.given.pop(0)
        if asked.headers.get("authorization") == self.takes:
            return OWN
        challenge = f'Bearer realm="{self.realm}",service="it",scope="{self.scope}"'
        return error(401, "UNAUTHORIZED", WWW_Authenticate=challenge)


def token(value: object, name: str = "token") -> Reply:
    """What a token service gives."""
    return Reply(200, json.dumps({name: value}).encode())


@pytest.fixture
def guarded() -> Guarded:
    """What it answers."""
    return Guarded()


@pytest.fixture
def stub(guarded: Guarded) -> Iterator[Stub]:
    """A server that answers it."""
    with serving(guarded) as running:
        guarded.realm = f"http://{running.host}/token?tenant=a"
        yield running


@pytest.mark.parametrize("name", ["token", "access_token"])
async def test_a_token_is_bought_with_the_password(stub: Stub, guarded: Guarded, name: str) -> None:
    """The password goes to the token service alone, the token to the registry alone."""
    guarded.given = [token("t1", name)]
    async with asking(stub) as api:
        assert await api.held(f"{stub.host}/team/one", "v1") is not None
    bought, *rest = stub.asked[1:]
    query = httpx.URL(bought.path).params.multi_items()
    assert query == [("tenant", "a"), ("service", "it"), ("scope", PULL), ("account", "ci")]
    assert bought.headers["authorization"] == BASIC
    assert {asked.headers["authorization"] for asked in rest} == {"Bearer t1"}
    assert "authorization" not in stub.asked[0].headers


async def test_a_token_for_nobody(stub: Stub, guarded: Guarded) -> None:
    """What is public is read without a login."""
    guarded.given = [token("t1")]
    async with RegistryApi(Endpoint(stub.host)) as api:
        assert await api.held(f"{stub.host}/team/one", "v1") is not None
    assert "authorization" not in stub.asked[1].headers
    assert "account" not in stub.asked[1].path


async def test_a_token_that_has_expired_is_renewed_once(stub: Stub, guarded: Guarded) -> None:
    """In the middle of what is done with it."""
    guarded.given = [token("t1"), token("t2"), token("t3")]
    async with asking(stub) as api:
        held = await api.held(f"{stub.host}/team/one", "v1")
        guarded.takes = "Bearer t2"
        assert await api.held(f"{stub.host}/team/one", "v1") == held
        guarded.takes = "Bearer other"
        with pytest.raises(RegistryError, match="or a token that has expired"):
            await api.held(f"{stub.host}/team/one", "v1")
    assert guarded.given == []


async def test_a_repository_that_the_token_service_knows_by_another_name(
    stub: Stub, guarded: Guarded
) -> None:
    """As behind a proxy: the registry says which, and it is for that repository alone."""
    guarded.scope = "repository:behind/team/one:pull"
    guarded.given = [token("narrow"), token("t1")]
    async with asking(stub) as api:
        assert await api.held(f"{stub.host}/team/one", "v1") is not None
    first, second = (httpx.URL(asked.path).params for asked in stub.asked if "/token" in asked.path)
    assert first.get_list("scope") == [PULL]
    assert second.get_list("scope") == [PULL, guarded.scope]


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (token(3), "answers without a token"),
        (token("a\r\nX: y"), "answers without a token"),
        (Reply(200, b"<html>"), "answers without a token"),
        (Reply(200, b"[]"), "answers without a token"),
        (error(401, "UNAUTHORIZED", "no"), 'refuses the user "ci": a wrong user or password'),
        (error(403, "DENIED", "access forbidden"), 'refuses the user "ci"'),
        (error(429, "TOOMANYREQUESTS", Retry_After="60"), "takes no more requests for now"),
    ],
)
async def test_a_token_service_that_gives_none(
    stub: Stub, guarded: Guarded, reply: Reply, what: str
) -> None:
    """Whose fault it is, and what to do."""
    guarded.given = [reply]
    said = await refusal(stub)
    assert what in said
    assert "tenant" not in said


async def test_a_token_service_that_is_down(stub: Stub, guarded: Guarded) -> None:
    """It is no wrong password."""
    guarded.given = [Reply(503)] * 3
    assert f"{stub.host} broke off" in await refusal(stub)


async def test_a_token_that_the_registry_repeats(stub: Stub, guarded: Guarded) -> None:
    """It is not shown."""
    guarded.given, guarded.takes = [token("sentinel-token")], "Bearer sentinel-token"

    def repeats(asked: Asked) -> Reply:
        own = guarded.guard(asked)
        return error(403, "DENIED", asked.headers["authorization"]) if own is OWN else own

    guarded.instead = repeats
    assert "(unexpected status from GET request" in (said := await refusal(stub))
    assert "sentinel-token" not in said

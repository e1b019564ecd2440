"""What a registry answers that is strange, hostile or no registry's at all."""

import json

import pytest

from slipway.registryapi import Endpoint, RegistryApi
from slipway.registryfaults import RegistryError
from tests.slipway.heldimages import IMAGE
from tests.slipway.registrystub import (
    MISSING,
    OWN,
    PASSWORD,
    WANTS_BASIC,
    Holding,
    Reply,
    Stub,
    asking,
    error,
    hurry,
    page,
    refusal,
)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (Reply(404, b"404 page not found"), "answers 404)"),
        (Reply(401, b"who are you?"), "answers 401)"),
        (page(), "answers 200 with a web page)"),
        (Reply(302, headers={"Location": "/login"}), "/login answers 200 with a web page)"),
    ],
)
async def test_what_is_no_registry(stub: Stub, holding: Holding, reply: Reply, what: str) -> None:
    """A web server at that address, or the registry's own web pages."""
    holding.instead = lambda asked: page() if asked.path == "/login" else reply
    said = await refusal(stub)
    assert said.startswith(f"{stub.host} is no registry, or its API answers elsewhere (")
    assert what in said
    assert "set api under [registry] in slipway.toml" in said
    assert stub.log in ([], ["GET /login"])


async def test_a_page_in_place_of_an_answer(stub: Stub, holding: Holding) -> None:
    """What knows the API's first address alone is no registry either."""
    holding.instead = lambda asked: OWN if asked.path == "/v2/" else Reply(404, b"not found")
    said = await refusal(stub)
    assert said.startswith(f"{stub.host} does not answer as a registry there")
    assert "set api under [registry]" in said


async def test_an_api_below_a_path(stub: Stub, holding: Holding) -> None:
    """The image's address has another host than the API."""
    holding.instead = lambda asked: (
        OWN if asked.path.startswith("/docker/v2/") else Reply(404, b"nothing here")
    )
    holding.prefix = "/docker"
    endpoint = Endpoint("registry.example.com", api=f"http://{stub.host}/docker")
    async with RegistryApi(endpoint) as api:
        held = await api.held("registry.example.com/team/one", "v1")
        assert held is not None
        await api.tag(held, "staging")
    assert held.repository == "registry.example.com/team/one"
    assert "PUT /docker/v2/team/one/manifests/staging" in stub.log


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"\x1f\x8bnot json", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[1]", "is no JSON object"),
        (b'{"schemaVersion": 1}', 'is no image: its media type is "text/plain"'),
        (b'{"mediaType": ["x"]}', "is no image: its media type is"),
        (
            b'{"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [3, {}]}',
            "is an index without any image",
        ),
        (
            b'{"mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": []}',
            "names a part without its digest or size",
        ),
        (
            json.dumps(
                {
                    "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "layers": [],
                    "config": {"digest": "sha256:../../x", "size": 2},
                }
            ).encode(),
            "names a part without its digest or size",
        ),
        (
            json.dumps(
                {
                    "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "layers": [],
                    "config": {"digest": IMAGE.digest, "size": 9_000_000},
                }
            ).encode(),
            "names a config of 9000000 bytes, more than 8000000",
        ),
    ],
)
async def test_what_is_no_image(stub: Stub, holding: Holding, body: bytes, what: str) -> None:
    """The address, what is wrong, and what to do."""
    holding.instead = lambda asked: (
        OWN if asked.path == "/v2/" else Reply(200, body, {"Content-Type": "text/plain"})
    )
    said = await refusal(stub)
    assert said.startswith(f"what the registry holds as {stub.host}/team/one:v1 {what}")
    assert said.endswith("Delete it there and publish again, or correct the address")


async def test_a_digest_that_lies(stub: Stub, holding: Holding) -> None:
    """The registry tells one of another document."""
    other = "sha256:" + "0" * 64
    holding.headers["Docker-Content-Digest"] = other
    said = await refusal(stub)
    assert other in said
    assert IMAGE.digest in said
    assert "PUT" not in " ".join(stub.log)


async def test_no_digest_is_no_lie(stub: Stub, holding: Holding) -> None:
    """Not every registry tells it; the bytes do."""
    del holding.headers["Docker-Content-Digest"]
    async with asking(stub) as api:
        held = await api.held(f"{stub.host}/team/one", "v1")
    assert held is not None
    assert held.digest == IMAGE.digest


async def test_a_tag_that_somebody_else_moves(stub: Stub, holding: Holding) -> None:
    """What it stands for is read, not assumed."""
    async with asking(stub) as api:
        held = await api.held(f"{stub.host}/team/one", "v1")
        assert held is not None
        holding.instead = lambda asked: Reply(201) if asked.method == "PUT" else OWN
        with pytest.raises(RegistryError) as caught:
            await api.tag(held, "staging")
    assert str(caught.value).startswith(
        f"{stub.host}/team/one:staging was moved to {IMAGE.digest}, and stands for nothing"
    )


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (error(403, "DENIED", "it is protected"), 'the user "ci" may not push to'),
        (error(405, "UNSUPPORTED", "not now"), "changes nothing now: it is read-only"),
        (error(412, "PRECONDITION", "configured as immutable"), "lets no tag move there"),
        (error(403, "FORBIDDEN", "no"), 'the user "ci" may not do this at'),
        (error(400, "TAG_INVALID", "no such name"), "fails: unexpected status from PUT"),
    ],
)
async def test_a_tag_that_may_not_move(
    stub: Stub, holding: Holding, reply: Reply, what: str
) -> None:
    """In words, with the registry's own."""
    async with asking(stub) as api:
        held = await api.held(f"{stub.host}/team/one", "v1")
        assert held is not None
        holding.instead = lambda asked: reply if asked.method == "PUT" else OWN
        with pytest.raises(RegistryError) as caught:
            await api.tag(held, "staging")
    assert what in str(caught.value)
    assert json.loads(reply.body)["errors"][0]["message"] in str(caught.value)
    assert holding.tags == {"v1"}


@pytest.mark.parametrize(
    "reply", [error(403, "DENIED"), Reply(200, b"{}"), Reply(200, b" " * 8_000_001), MISSING]
)
async def test_a_tag_list_that_fails_hides_nothing(
    stub: Stub, holding: Holding, reply: Reply
) -> None:
    """A new tag is one though the registry lists none, or without an end."""
    holding.instead = lambda asked: reply if "/tags/" in asked.path else OWN
    async with asking(stub) as api:
        assert await api.held(f"{stub.host}/team/one", "v2") is None
    assert "GET /v2/team/one/tags/list?n=1000&last=v" in stub.log


async def test_a_registry_that_tells_what_it_was_told(stub: Stub, holding: Holding) -> None:
    """Its words are shown without it."""
    holding.instead = lambda asked: (
        WANTS_BASIC
        if "authorization" not in asked.headers
        else error(403, "DENIED", f"no {asked.headers['authorization']} and no {PASSWORD}")
    )
    assert "no Basic … and no …" in await refusal(stub)


async def test_logins_that_slipway_does_not_know(stub: Stub, holding: Holding) -> None:
    """They are named."""
    holding.instead = lambda _: error(401, "UNAUTHORIZED", WWW_Authenticate="Negotiate")
    assert (await refusal(stub)).startswith(f"{stub.host} wants a login by negotiate")

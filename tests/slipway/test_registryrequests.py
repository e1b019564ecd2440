"""Requests to a registry: repeats, pauses, bounds, redirects, and where a password never goes."""

import socket
import time

import anyio
import httpx
import pytest

from slipway import registrywire
from slipway.registryapi import Endpoint, RegistryApi
from slipway.registryfaults import RegistryError
from tests.slipway.heldimages import IMAGE
from tests.slipway.registrystub import (
    BASIC,
    BREAKS_OFF,
    OWN,
    WANTS_BASIC,
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

OWN_V1 = "GET /v2/team/one/manifests/v1"


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


async def test_a_read_is_repeated(stub: Stub, holding: Holding) -> None:
    """A registry that restarts breaks off, and its proxy answers 502 and 503."""
    faults = [BREAKS_OFF, Reply(503), OWN, Reply(502), Reply(200, b"{", missing=9), OWN]
    holding.instead = lambda asked: OWN if asked.path == "/v2/" else faults.pop(0)
    async with asking(stub) as api:
        held = await api.held(f"{stub.host}/team/one", "v1")
    assert held is not None
    assert held.digest == IMAGE.digest
    assert len(stub.log) == 6


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (BREAKS_OFF, "broke off (unexpected EOF"),
        (Reply(200, b"{", missing=9), "broke off (unexpected EOF"),
        (Reply(500), "broke off (unexpected status from GET request to"),
    ],
)
async def test_a_registry_that_stays_broken(
    stub: Stub, holding: Holding, reply: Reply | None, what: str
) -> None:
    """Three times are enough."""
    holding.instead = lambda asked: OWN if asked.path == "/v2/" else reply
    said = await refusal(stub)
    assert said.startswith(f"{stub.host} {what}")
    assert said.endswith("repeat the command: what it has is not sent again")
    assert stub.log == [OWN_V1] * 3


async def test_an_upload_is_not_begun_twice(stub: Stub, holding: Holding) -> None:
    """Nobody knows whether the first was; the manifest's PUT comes to the same."""
    holding.instead = lambda asked: OWN if asked.method == "GET" else Reply(503)
    async with asking(stub) as api:
        held = await api.held(f"{stub.host}/team/one", "v1")
        assert held is not None
        with pytest.raises(RegistryError, match="broke off"):
            await api.require_push(held.repository)
        with pytest.raises(RegistryError, match="broke off"):
            await api.tag(held, "staging")
    sent = [asked.method for asked in stub.asked if asked.method != "GET"]
    assert sent == ["POST", "PUT", "PUT", "PUT"]


@pytest.mark.parametrize("wait", ["0", "Fri, 31 Dec 1999 23:59:59 GMT", "", "soon"])
async def test_a_registry_that_wants_a_pause_gets_it(
    stub: Stub, holding: Holding, wait: str
) -> None:
    """Seconds or a date; writes are repeated too, as they were not looked at."""
    pauses = [Reply(429, headers={"Retry-After": wait}), OWN] * 3
    holding.instead = lambda asked: OWN if asked.path == "/v2/" else pauses.pop(0)
    async with asking(stub) as api:
        assert await api.held(f"{stub.host}/team/one", "v2") is None
        await api.require_push(f"{stub.host}/team/one")
    assert pauses == []


async def test_a_pause_that_was_asked_for_is_kept(stub: Stub, holding: Holding) -> None:
    """A second is no longer than it is."""
    pauses = [Reply(429, headers={"Retry-After": "1"})]
    holding.instead = lambda _: pauses.pop() if pauses else OWN
    since = time.monotonic()
    async with asking(stub) as api:
        assert await api.held(f"{stub.host}/team/one", "v1") is not None
    assert time.monotonic() - since >= 1


async def test_a_registry_that_wants_too_long_a_pause(stub: Stub, holding: Holding) -> None:
    """Nobody waits for it."""
    holding.instead = lambda asked: (
        OWN
        if asked.path == "/v2/"
        else error(429, "TOOMANYREQUESTS", "slow down", Retry_After="60")
    )
    said = await refusal(stub)
    assert said.startswith(f"{stub.host} takes no more requests for now")
    assert "slow down" in said
    assert stub.log == [OWN_V1]


async def test_what_lies_elsewhere_is_fetched_without_the_login(
    stub: Stub, holding: Holding
) -> None:
    """Registries send blobs from an object storage, whose addresses are signed."""
    with serving(lambda _: Reply(200, IMAGE.config)) as storage:
        target = {"Location": f"http://localhost:{storage.port}/bucket/config?signature=x"}

        def answers(asked: Asked) -> Reply | None:
            if asked.headers.get("authorization") != BASIC:
                return WANTS_BASIC
            return Reply(307, headers=target) if "/blobs/" in asked.path else OWN

        holding.instead = answers
        async with asking(stub) as api:
            held = await api.held(f"{stub.host}/team/one", "v1")
    assert held is not None
    assert held.labels == IMAGE.labels
    (fetched,) = storage.asked
    assert fetched.path == "/bucket/config?signature=x"
    assert "authorization" not in fetched.headers


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (WANTS_BASIC, "401 Unauthorized"),
        (
            error(401, "X", WWW_Authenticate='Bearer realm="https://127.0.0.1:1/"'),
            "401 Unauthorized",
        ),
        (Reply(403, b"<Error><Code>AccessDenied</Code></Error>"), "403 Forbidden"),
    ],
)
async def test_what_lies_elsewhere_cannot_ask_for_the_login(
    stub: Stub, holding: Holding, reply: Reply, what: str
) -> None:
    """It is the registry's fault, and whose answer it is is said."""
    with serving(lambda _: reply) as storage:
        target = {"Location": f"http://localhost:{storage.port}/bucket/config?signature=x"}
        holding.instead = lambda asked: (
            Reply(307, headers=target) if "/blobs/" in asked.path else OWN
        )
        said = await refusal(stub)
    assert said.startswith(f"{stub.host} sends requests on to localhost, which refuses (")
    assert what in said
    assert "signature" not in said
    assert all("authorization" not in asked.headers for asked in storage.asked)


async def test_what_lies_elsewhere_and_is_gone(stub: Stub, holding: Holding) -> None:
    """The storage has lost it."""
    with serving(lambda _: Reply(404)) as storage:
        target = {"Location": f"http://localhost:{storage.port}/bucket/config"}
        holding.instead = lambda asked: (
            Reply(307, headers=target) if "/blobs/" in asked.path else OWN
        )
        assert "team/one:v1, whose config is gone" in await refusal(stub)


async def test_a_password_goes_to_no_other_server(stub: Stub, holding: Holding) -> None:
    """Not even to one that an upload goes on at."""
    with serving(lambda _: Reply(204)) as other:
        target = {"Location": f"http://localhost:{other.port}/upload"}
        holding.instead = lambda asked: (
            Reply(202, headers=target) if asked.method == "POST" else OWN
        )
        async with asking(stub) as api:
            await api.require_push(f"{stub.host}/team/one")
    assert other.asked == []


async def test_redirects_without_an_end(stub: Stub, holding: Holding) -> None:
    """They are followed so far."""
    holding.instead = lambda asked: (
        OWN if asked.path == "/v2/" else Reply(302, headers={"Location": f"{asked.path}/x"})
    )
    assert "redirects" in await refusal(stub)


async def test_plain_http_is_said_to_be_it(stub: Stub) -> None:
    """Only on this machine it is tried; for any other the key is named."""
    said = await refusal(stub, api=f"https://{stub.host}")
    assert said.startswith(f"{stub.host} does not speak TLS")
    assert f'set api = "http://{stub.host}" under [registry]' in said
    assert stub.asked == []


async def test_tls_that_was_spoken_to_without(stub: Stub, holding: Holding) -> None:
    """As Go's servers and nginx answer it."""
    text = b"Client sent an HTTP request to an HTTPS server.\n"
    holding.instead = lambda _: Reply(400, text)
    said = await refusal(stub, api=f"http://{stub.host}")
    assert said.startswith(f"{stub.host} speaks TLS, and was asked without")
    assert "Let api under [registry] in slipway.toml begin with https://" in said


async def test_nothing_answers() -> None:
    """Whatever the reason, the address is named."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
    async with RegistryApi(Endpoint(host)) as api:
        with pytest.raises(
            RegistryError, match=f"^nothing answers at {host} .*: connection refused"
        ):
            await api.held(f"{host}/team/one", "v1")


async def test_a_name_that_nobody_knows() -> None:
    """So it is with a misspelled address."""
    async with RegistryApi(Endpoint("registry.invalid")) as api:
        with pytest.raises(RegistryError) as caught:
            await api.held("registry.invalid/team/one", "v1")
    assert str(caught.value).startswith("no machine is known by the name of registry.invalid")


async def test_a_registry_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection is no answer; there is an end to waiting."""
    monkeypatch.setattr(registrywire, "_TIMEOUT", httpx.Timeout(0.1))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        async with RegistryApi(Endpoint(host, api=f"http://{host}")) as api:
            with pytest.raises(RegistryError, match=f"^nothing answers at {host} .*timeout"):
                await api.held(f"{host}/team/one", "v1")


async def test_an_answer_that_goes_on_for_ever(
    stub: Stub, holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of one request, with its pauses, has an end."""
    monkeypatch.setattr(registrywire, "_TOTAL", 0.2)
    holding.instead = lambda asked: (
        OWN if asked.path == "/v2/" else Reply(429, headers={"Retry-After": "5"})
    )
    assert (await refusal(stub)).startswith(f"nothing answers at {stub.host}")


async def test_a_manifest_without_an_end(stub: Stub, holding: Holding) -> None:
    """More than four megabytes are no manifest."""
    holding.instead = lambda asked: OWN if asked.path == "/v2/" else Reply(200, b" " * 4_000_001)
    assert "more than 4000000 bytes" in await refusal(stub)


async def test_this_machine_is_not_asked_through_a_proxy(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy elsewhere would ask itself."""
    with serving(lambda _: Reply(502)) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{proxy.host}")
        async with asking(stub) as api:
            assert await api.held(f"{stub.host}/team/one", "v1") is not None
        assert proxy.asked == []
        async with RegistryApi(Endpoint("registry.invalid", "http://registry.invalid")) as api:
            with pytest.raises(RegistryError, match="broke off"):
                await api.held("registry.invalid/team/one", "v1")
        assert {asked.path for asked in proxy.asked} == {"http://registry.invalid/v2/"}


async def test_docker_hub_is_asked_by_its_own_name(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its API has another one than its images; a name without a folder lies in `library`."""
    async with RegistryApi(Endpoint("docker.io", f"http://{stub.host}")) as api:
        assert await api.held("docker.io/node", "v1") is not None
        assert await api.held("docker.io/team/one", "v1") is not None
    assert "GET /v2/library/node/manifests/v1" in stub.log
    assert "GET /v2/team/one/manifests/v1" in stub.log
    with serving(lambda _: Reply(502)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.host}")
        async with RegistryApi(Endpoint("docker.io")) as api:
            with pytest.raises(RegistryError, match="the proxy of this machine answers 502"):
                await api.held("docker.io/node", "v1")
        assert {str(asked) for asked in proxy.asked} == {"CONNECT registry-1.docker.io:443"}


@pytest.mark.parametrize(
    "headers", [{}, {"Location": "http://[:1/x"}, {"Location": "https://127.0.0.1:x"}]
)
async def test_an_upload_that_goes_on_nowhere(
    stub: Stub, holding: Holding, headers: dict[str, str]
) -> None:
    """It cannot be cancelled; what the login may do is known all the same."""
    holding.instead = lambda asked: Reply(202, headers=headers) if asked.method == "POST" else OWN
    async with asking(stub) as api:
        await api.require_push(f"{stub.host}/team/one")
    assert [asked.method for asked in stub.asked] == ["GET", "POST"]


async def test_many_wait_no_longer_than_one(stub: Stub, holding: Holding) -> None:
    """Whether there is a registry is found out once, for all images of a publish."""
    holding.instead = lambda _: Reply(503)
    said: list[str] = []
    async with asking(stub) as api, anyio.create_task_group() as tasks:

        async def ask(repository: str) -> None:
            with pytest.raises(RegistryError) as caught:
                await api.held(f"{stub.host}/{repository}", "v1")
            said.append(str(caught.value))

        for repository in ("team/one", "team/two", "team/three"):
            tasks.start_soon(ask, repository)
    assert [str(asked) for asked in stub.asked] == ["GET /v2/"] * 3
    assert len(said) == 3
    assert len(set(said)) == 1

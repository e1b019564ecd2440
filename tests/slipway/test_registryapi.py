"""Slipway's own client of a registry, at a real one: what it reads, and how tags move."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from ci.lab.secure_registry import SecureRegistry, tls_registry, token_registry
from ci.lab.token_service import LEEWAY, LIFETIME, TokenService
from slipway.registryapi import Endpoint, RegistryApi
from slipway.registryfaults import RegistryError
from tests.slipway.heldimages import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    IMAGE,
    INDEX,
    MANIFEST,
    Image,
    Store,
    digest,
    index,
)
from tests.slipway.registries import Front

pytestmark = pytest.mark.engine
OTHER = Image({"made-of": "other sources"}, layers=(b"one", b"another"))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureRegistry]:
    """A registry with TLS and one user."""
    with tls_registry(tmp_path_factory.mktemp("tls")) as running:
        yield running


@pytest.fixture(scope="module")
def gitlab(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[SecureRegistry, TokenService]]:
    """A registry and the service that makes its tokens; only the project `team` is the user's."""
    with token_registry(tmp_path_factory.mktemp("tokens"), "team") as (running, service):
        yield running, service


@pytest.fixture
def store(registry: SecureRegistry, request: pytest.FixtureRequest) -> Store:
    """A repository of the test's own."""
    name = request.node.name.partition("[")[0].replace("_", "-")
    return Store.of(registry, f"team/{name}")


@asynccontextmanager
async def logged_in(
    registry: SecureRegistry, user: str | None = "ci", password: str | None = None
) -> AsyncIterator[RegistryApi]:
    """The registry's API."""
    endpoint = Endpoint(registry.address, ca=registry.ca.read_text())
    async with RegistryApi(endpoint, user, password or registry.password) as api:
        yield api


@pytest.mark.parametrize("kind", [MANIFEST, DOCKER_MANIFEST])
async def test_an_image_is_read(registry: SecureRegistry, store: Store, kind: str) -> None:
    """By tag or digest: the very bytes, their digest, sizes and labels."""
    image = Image({"made-of": "sources", "line": "é"}, kind=kind)
    made = store.push(image, "v1")
    async with logged_in(registry) as api:
        held = await api.held(store.repository, "v1")
        assert held == await api.held(store.repository, made)
    assert held is not None
    assert (held.digest, held.manifest, held.media_type) == (made, image.manifest, kind)
    assert held.repository == store.repository
    assert held.layers == (3, 7)
    assert held.size == len(image.config) + 10
    assert held.labels == image.labels


async def test_what_is_not_there_is_none(registry: SecureRegistry, store: Store) -> None:
    """No such tag, no such digest, no such repository: so it is before every first publish."""
    store.push(IMAGE, "v1")
    async with logged_in(registry) as api:
        assert await api.held(store.repository, "v2") is None
        assert await api.held(store.repository, digest(b"nothing")) is None
        assert await api.held(f"{registry.address}/team/nowhere", "v1") is None


@pytest.mark.parametrize(("kind", "of"), [(INDEX, MANIFEST), (DOCKER_LIST, DOCKER_MANIFEST)])
async def test_an_index_is_read_and_tagged_whole(
    registry: SecureRegistry, store: Store, kind: str, of: str
) -> None:
    """Its digest is its own; size and labels are its first image's, and an attestation is none."""
    image, attestation = Image({"made-of": "sources"}, kind=of), Image(layers=(b"{}",), kind=of)
    for one in (image, attestation):
        store.push(one, "part")
    listed = index((attestation, "unknown"), (image, "amd64"), kind=kind)
    made = store.put(listed, kind, "v1")
    async with logged_in(registry) as api:
        held = await api.held(store.repository, "v1")
        assert held is not None
        await api.tag(held, "staging")
    assert (held.digest, held.manifest, held.media_type) == (made, listed, kind)
    assert (held.layers, held.labels) == ((3, 7), image.labels)
    assert store.held("staging") == (listed, kind)


@pytest.mark.parametrize("kind", [MANIFEST, DOCKER_MANIFEST])
async def test_a_tag_moves(registry: SecureRegistry, store: Store, kind: str) -> None:
    """It then stands for the same bytes, under the same media type."""
    image = Image({"made-of": "sources"}, kind=kind)
    store.push(OTHER, "staging")
    store.push(image, "v1")
    async with logged_in(registry) as api:
        held = await api.held(store.repository, "v1")
        assert held is not None
        await api.tag(held, "staging")
        await api.tag(held, "production")
        assert await api.held(store.repository, "staging") == held
    assert store.held("staging") == store.held("production") == (image.manifest, kind)


async def test_a_tag_that_stays_is_never_moved(registry: SecureRegistry, store: Store) -> None:
    """Somebody else was quicker: theirs is left, and a tag that is not there yet is set."""
    store.push(OTHER, "v2")
    store.push(IMAGE, "v1")
    async with logged_in(registry) as api:
        held = await api.held(store.repository, "v1")
        assert held is not None
        with pytest.raises(
            RegistryError, match="somebody else has published it at the same moment"
        ):
            await api.tag(held, "v2", stays=True)
        await api.tag(held, "v1", stays=True)
        await api.tag(held, "v3", stays=True)
    assert store.held("v2")[0] == OTHER.manifest
    assert store.held("v3")[0] == IMAGE.manifest


async def test_a_tag_that_stands_right_is_left_alone(tmp_path: Path) -> None:
    """Nothing is sent; a registry on this machine needs no TLS."""
    front = Front(tmp_path)
    with front.running():
        store = Store(f"http://{front.host}", "team/one", tmp_path / "images")
        store.push(IMAGE, "v1")
        async with RegistryApi(Endpoint(front.host)) as api:
            held = await api.held(store.repository, "v1")
            assert held is not None
            await api.tag(held, "staging")
            front.requests.clear()
            await api.tag(held, "staging")
            assert front.requests == ["GET /v2/team/one/manifests/staging"]
        assert front.digest("team/one", "staging") == IMAGE.digest


async def test_a_registry_that_dies_moves_no_tag(tmp_path: Path) -> None:
    """What it had is what it has."""
    front = Front(tmp_path)
    with front.running():
        store = Store(f"http://{front.host}", "team/one", tmp_path / "images")
        store.push(OTHER, "staging")
        store.push(IMAGE, "v1")
        async with RegistryApi(Endpoint(front.host)) as api:
            held = await api.held(store.repository, "v1")
            assert held is not None
            front.kill()
            with pytest.raises(RegistryError, match=f"^{front.host} broke off"):
                await api.tag(held, "staging")
            front.start()
            assert front.digest("team/one", "staging") == OTHER.digest
            await api.tag(held, "staging")
        assert front.digest("team/one", "staging") == IMAGE.digest


async def test_a_user_who_may_push(registry: SecureRegistry, store: Store) -> None:
    """An upload is begun and cancelled: nothing is left of it."""
    async with logged_in(registry) as api:
        await api.require_push(store.repository)
    assert store.uploads() == []


async def test_a_token_service(gitlab: tuple[SecureRegistry, TokenService]) -> None:
    """One token for what is done with one repository, and no more rights than that takes."""
    registry, service = gitlab
    store = Store.of(registry)
    store.push(IMAGE, "v1")
    service.requests.clear()
    async with logged_in(registry) as api:
        held = await api.held(store.repository, "v1")
        assert held is not None
        await api.held(store.repository, "v2")
        assert service.requests == [("ci", ("repository:team/one:pull",))]
        await api.require_push(store.repository)
        await api.tag(held, "staging")
    assert store.held("staging")[0] == IMAGE.manifest
    assert service.requests[1:] == [
        ("ci", ("repository:team/one:pull,push",)),
        ("ci", ("repository:team/one:delete",)),
    ]


async def test_a_login_that_may_pull_alone(gitlab: tuple[SecureRegistry, TokenService]) -> None:
    """It reads; what it may not do is said, and no tag moves."""
    registry, service = gitlab
    store = Store.of(registry, "team/pulled")
    store.push(IMAGE, "v1")
    async with logged_in(registry, "deploy", service.accounts["deploy"].password) as api:
        held = await api.held(store.repository, "v1")
        assert held is not None
        for attempt in (api.require_push(store.repository), api.tag(held, "staging")):
            with pytest.raises(RegistryError) as caught:
                await attempt
            said = str(caught.value)
            assert said.startswith(f'the user "deploy" may not push to {registry.address} there')
            assert "write_registry" in said
    assert registry.tags("team/pulled") == ["v1"]


async def test_a_project_that_is_not_the_users(
    gitlab: tuple[SecureRegistry, TokenService],
) -> None:
    """GitLab does not tell whether there is one."""
    registry, _ = gitlab
    async with logged_in(registry) as api:
        with pytest.raises(RegistryError, match="may not pull from .* or there is no such project"):
            await api.held(f"{registry.address}/other/one", "v1")
        with pytest.raises(RegistryError, match="may not push to .* or there is no such project"):
            await api.require_push(f"{registry.address}/other/one")


async def test_a_token_that_expires_in_between(
    gitlab: tuple[SecureRegistry, TokenService],
) -> None:
    """Another one is asked for, once."""
    registry, service = gitlab
    store = Store.of(registry, "team/expiring")
    store.push(IMAGE, "v1")
    async with logged_in(registry) as api:
        service.lifetime = 2 - LEEWAY
        try:
            held = await api.held(store.repository, "v1")
            await anyio.sleep(2.1)
        finally:
            service.lifetime = LIFETIME
        service.requests.clear()
        assert held is not None
        assert await api.held(store.repository, "v1") == held
        assert service.requests == [("ci", ("repository:team/expiring:pull",))]


async def test_a_token_that_is_refused_as_expired(tmp_path: Path) -> None:
    """Two of them, and no third; the registry's clock may be wrong."""
    with token_registry(tmp_path, "team") as (registry, service):
        service.expire()
        async with logged_in(registry) as api:
            with pytest.raises(RegistryError, match="or a token that has expired"):
                await api.held(f"{registry.address}/team/one", "v1")
        assert len(service.requests) == 2


async def test_wrong_logins(
    registry: SecureRegistry, gitlab: tuple[SecureRegistry, TokenService]
) -> None:
    """With a password, or at the token service; what was given is never shown."""
    for one in (registry, gitlab[0]):
        async with logged_in(one, "ci", "sentinel-wrong") as api:
            with pytest.raises(RegistryError) as caught:
                await api.held(f"{one.address}/team/one", "v1")
        said = str(caught.value)
        assert said.startswith(f'{one.address} refuses the user "ci": a wrong user or password')
        assert "Correct --registry-user and --registry-password" in said
        assert "sentinel-wrong" not in said
        async with logged_in(one, None) as api:
            with pytest.raises(RegistryError, match=f"^{one.address} wants a login"):
                await api.held(f"{one.address}/team/one", "v1")


async def test_an_authority_that_nobody_knows(registry: SecureRegistry, tmp_path: Path) -> None:
    """The certificate is the reason, and which key names the authority."""
    endpoint = Endpoint(registry.address)
    async with RegistryApi(endpoint, "ci", registry.password) as api:
        with pytest.raises(RegistryError) as caught:
            await api.held(f"{registry.address}/team/one", "v1")
    assert str(caught.value).startswith(f"the certificate of {registry.address} is not trusted")
    assert "name that file as ca under [registry] in slipway.toml" in str(caught.value)
    with pytest.raises(RegistryError, match="holds no certificate in PEM format"):
        RegistryApi(Endpoint(registry.address, ca=str(tmp_path)))


async def test_a_certificate_for_another_name(registry: SecureRegistry) -> None:
    """The names differ, though the machine is the same."""
    host = registry.address.replace("127.0.0.1", "localhost")
    async with RegistryApi(Endpoint(host, ca=registry.ca.read_text())) as api:
        with pytest.raises(RegistryError, match=f"the certificate of {host} is for another name"):
            await api.held(f"{host}/team/one", "v1")


async def test_a_tag_whose_manifest_is_gone(registry: SecureRegistry, store: Store) -> None:
    """It is no new tag: the registry lists it. A digest that is gone is simply not there."""
    made = store.push(Image({"gone": "manifest"}), "v1")
    store.file(store.held("v1")[0]).unlink()
    assert registry.tags(store.name) == ["v1"]
    async with logged_in(registry) as api:
        with pytest.raises(RegistryError) as caught:
            await api.held(store.repository, "v1")
        assert await api.held(store.repository, made) is None
    assert str(caught.value).startswith(
        f"the registry lists {store.repository}:v1, whose manifest is gone"
    )
    assert "Delete the tag in the registry" in str(caught.value)


async def test_an_index_whose_image_is_gone(registry: SecureRegistry, store: Store) -> None:
    """The index alone is no image."""
    image = Image({"gone": "image"})
    store.push(image, "part")
    store.put(index((image, "amd64")), INDEX, "v1")
    store.file(image.manifest).unlink()
    async with logged_in(registry) as api:
        with pytest.raises(
            RegistryError, match=f"lists {store.repository}:v1, whose manifest is gone"
        ):
            await api.held(store.repository, "v1")


async def test_an_image_whose_config_is_gone(registry: SecureRegistry, store: Store) -> None:
    """The labels stand there."""
    image = Image({"gone": "config"})
    store.push(image, "v1")
    store.file(image.config).unlink()
    async with logged_in(registry) as api:
        with pytest.raises(
            RegistryError, match=f"lists {store.repository}:v1, whose config is gone"
        ):
            await api.held(store.repository, "v1")


async def test_an_image_whose_layer_is_gone_gets_no_tag(
    registry: SecureRegistry, store: Store
) -> None:
    """Its manifest and config can still be read."""
    image = Image({"gone": "layer"}, layers=(b"a layer that goes",))
    store.push(image, "v1")
    store.push(OTHER, "staging")
    store.file(image.layers[0]).unlink()
    async with logged_in(registry) as api:
        held = await api.held(store.repository, "v1")
        assert held is not None
        with pytest.raises(
            RegistryError, match=f"lists {store.repository}@{held.digest}, whose content"
        ):
            await api.tag(held, "staging")
    assert registry.digest(store.name, "staging") == OTHER.digest


async def test_a_manifest_that_was_altered(registry: SecureRegistry, store: Store) -> None:
    """Its bytes are not what its digest says: it is neither read nor tagged."""
    image = Image({"altered": "manifest"})
    made = store.push(image, "v1")
    altered = json.dumps(json.loads(image.manifest)).encode()
    store.file(image.manifest).write_bytes(altered)
    async with logged_in(registry) as api:
        for reference in ("v1", made):
            with pytest.raises(RegistryError) as caught:
                await api.held(store.repository, reference)
            assert made in str(caught.value)
            assert digest(altered) in str(caught.value)


async def test_a_config_that_was_altered(registry: SecureRegistry, store: Store) -> None:
    """A label that nobody gave to the image."""
    image = Image({"altered": "config"})
    store.push(image, "v1")
    store.file(image.config).write_bytes(image.config.replace(b"config", b"damage"))
    async with logged_in(registry) as api:
        with pytest.raises(RegistryError, match="its storage is damaged"):
            await api.held(store.repository, "v1")


async def test_many_are_asked_at_once(registry: SecureRegistry, store: Store) -> None:
    """As a publish does, over connections that are shared."""
    images = [Image({"number": str(number)}) for number in range(5)]
    for number, image in enumerate(images):
        store.push(image, f"v{number}")
    found: dict[int, str] = {}
    async with logged_in(registry) as api, anyio.create_task_group() as tasks:

        async def look(number: int) -> None:
            held = await api.held(store.repository, f"v{number}")
            assert held is not None
            await api.tag(held, f"moved{number}")
            found[number] = held.digest

        for number in range(5):
            tasks.start_soon(look, number)
    assert found == {number: image.digest for number, image in enumerate(images)}
    assert {registry.digest(store.name, f"moved{n}") for n in range(5)} == set(found.values())

"""The lab's registries with TLS and a login, as BuildKit and this machine's clients see them."""

from __future__ import annotations

import base64
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import dagger
import pytest

from ci.lab.secure_registry import SecureRegistry, tls_registry, token_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ci.lab.token_service import TokenService

pytestmark = pytest.mark.engine

BASE = "debian:bookworm-slim"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureRegistry]:
    """A registry with a password, of these tests' own."""
    with tls_registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture(scope="module")
def guarded(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[SecureRegistry, TokenService]]:
    """A registry behind a token service."""
    with token_registry(tmp_path_factory.mktemp("tokens")) as both:
        yield both


def with_login(
    dag: dagger.Client, registry: SecureRegistry, user: str, password: str
) -> dagger.Container:
    """A small image that is pushed as someone."""
    secret = dag.set_secret("registry-password", password)
    image = dag.container().from_(BASE).with_new_file("/hello", "hi")
    return image.with_registry_auth(registry.address, user, secret)


def status(registry: SecureRegistry, user: str, password: str) -> int:
    """What the registry answers to a login."""
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    request = urllib.request.Request(
        f"https://{registry.address}/v2/", headers={"Authorization": f"Basic {basic}"}
    )
    context = ssl.create_default_context(cafile=registry.ca)
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_only_the_right_password_is_let_in(registry: SecureRegistry) -> None:
    """And its files are its owner's alone."""
    assert status(registry, registry.user, registry.password) == 200
    assert status(registry, registry.user, "wrong") == 401
    for name in ("password", "htpasswd", "server.key", "config.json"):
        assert (registry.folder / name).stat().st_mode & 0o777 == 0o600
    assert registry.password not in (registry.folder / "htpasswd").read_text()


async def test_buildkit_pushes_over_tls_with_a_login_and_pulls_back(
    dag: dagger.Client, registry: SecureRegistry
) -> None:
    """The daemon trusts the lab's authority by its config file alone."""
    image = with_login(dag, registry, registry.user, registry.password)
    pushed = await image.publish(f"{registry.address}/group/shop/api:1")
    assert registry.digest("group/shop/api", "1") == pushed.split("@")[1]
    assert registry.tags("group/shop/api") == ["1"]
    assert (registry.digest("group/shop/api", "2"), registry.tags("other")) == (None, [])
    assert await dag.container().from_(pushed).file("/hello").contents() == "hi"


async def test_it_can_be_stopped_and_started_with_what_it_holds(
    dag: dagger.Client, registry: SecureRegistry
) -> None:
    """As a registry that is down half-way."""
    image = with_login(dag, registry, registry.user, registry.password)
    address = f"{registry.address}/group/shop/web:1"
    registry.stop()
    with pytest.raises(dagger.QueryError, match="refused"):
        await image.publish(address)
    registry.start()
    assert registry.tags("group/shop/web") == []
    await image.publish(address)
    assert registry.tags("group/shop/web") == ["1"]


async def test_another_authority_is_not_trusted(dag: dagger.Client, tmp_path: Path) -> None:
    """Told as what it is."""
    with tls_registry(tmp_path / "registry", issuer=tmp_path / "authority") as registry:
        image = with_login(dag, registry, registry.user, registry.password)
        with pytest.raises(dagger.QueryError, match="signed by unknown authority"):
            await image.publish(f"{registry.address}/group/shop/api:1")


async def test_a_token_lets_ci_push_and_pull(
    dag: dagger.Client, guarded: tuple[SecureRegistry, TokenService]
) -> None:
    """The token service is asked with the login, for the repository and what is done with it."""
    registry, service = guarded
    image = with_login(dag, registry, registry.user, registry.password)
    pushed = await image.publish(f"{registry.address}/group/shop/api:1")
    assert registry.digest("group/shop/api", "1") == pushed.split("@")[1]
    assert await dag.container().from_(pushed).file("/hello").contents() == "hi"
    scopes = {scope for user, scopes in service.requests if user == "ci" for scope in scopes}
    assert "repository:group/shop/api:pull,push" in scopes


@pytest.mark.parametrize(
    ("user", "repository", "said"),
    [
        ("unknown", "group/shop/api", "unauthorized: HTTP Basic: Access denied"),
        ("deploy", "group/shop/api", "insufficient_scope"),
        ("ci", "another/project", "insufficient_scope"),
    ],
)
async def test_who_has_no_right_to_push_is_refused(
    dag: dagger.Client,
    guarded: tuple[SecureRegistry, TokenService],
    user: str,
    repository: str,
    said: str,
) -> None:
    """An unknown user, a deploy token, a repository of another project."""
    registry, service = guarded
    known = service.accounts.get(user)
    image = with_login(dag, registry, user, known.password if known else "wrong-sentinel")
    with pytest.raises(dagger.QueryError, match=said) as caught:
        await image.publish(f"{registry.address}/{repository}:2")
    assert "wrong-sentinel" not in str(caught.value)
    assert registry.digest(repository, "2") is None


async def test_expired_tokens_are_refused(
    dag: dagger.Client, guarded: tuple[SecureRegistry, TokenService]
) -> None:
    """A clock that is wrong, or a job that outlived its token."""
    registry, service = guarded
    lifetime = service.lifetime
    image = with_login(dag, registry, registry.user, registry.password)
    service.expire()
    with pytest.raises(dagger.QueryError, match="401 Unauthorized"):
        await image.publish(f"{registry.address}/group/shop/api:3")
    service.lifetime = lifetime
    assert registry.digest("group/shop/api", "3") is None

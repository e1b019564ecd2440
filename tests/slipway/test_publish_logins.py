"""Registries that ask who is there: TLS and a password, and a token service as GitLab has one."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci.lab.secure_registry import SecureRegistry, tls_registry, token_registry
from ci.lab.token_service import TokenService
from slipway.registryfaults import RegistryError
from tests.slipway.checkouts import Checkout

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureRegistry]:
    """A registry with TLS, signed by an authority that the daemon trusts, and one user."""
    with tls_registry(tmp_path_factory.mktemp("tls")) as running:
        yield running


@pytest.fixture
def gitlab(tmp_path: Path) -> Iterator[tuple[SecureRegistry, TokenService]]:
    """A registry and the service that makes its tokens; only the project `team` is the user's."""
    with token_registry(tmp_path, "team") as (running, service):
        yield running, service


@pytest.fixture(autouse=True)
def trusted(registry: SecureRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority that the daemon trusts: a module's process has it from its engine."""
    monkeypatch.setenv("SSL_CERT_FILE", str(registry.ca))


async def published(
    checkout: Checkout, host: str, *, user: str = "ci", password: str, project: str = "team"
) -> str:
    """Publish with a login: the digest of the image `one`."""
    secret = checkout.dag.set_secret(f"password of {user}", password)
    made = await checkout.publish(host, user=user, password=secret, project=project)
    return made.images[0].digest


async def refusal(
    checkout: Checkout, host: str, *, user: str = "ci", password: str, project: str = "team"
) -> str:
    """What a user reads whose publish is refused; never the password."""
    with pytest.raises(RegistryError) as caught:
        await published(checkout, host, user=user, password=password, project=project)
    text = str(caught.value)
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    assert password not in text
    assert basic not in text
    assert host in text
    return text


async def test_a_login_over_tls(checkout: Checkout, registry: SecureRegistry) -> None:
    """The engine's trust, and the user's password; a line break at its end is no part of it."""
    digest = await published(checkout, registry.address, password=registry.password + "\n")
    assert registry.digest("team/one", checkout.commit) == digest
    assert registry.digest("team/one", "staging") == digest


async def test_a_wrong_password(checkout: Checkout, registry: SecureRegistry) -> None:
    """It is found before anything is built."""
    text = await refusal(checkout, registry.address, password="sentinel-wrong")
    assert text.startswith(
        f'{registry.address} refuses the user "ci": '
        "a wrong user or password, or a token that has expired "
        "(unexpected status"
    )
    assert "401 Unauthorized" in text
    assert ". Correct --registry-user and --registry-password" in text
    assert text.endswith("Nothing was built or pushed.")


async def test_no_login_at_all(checkout: Checkout, registry: SecureRegistry) -> None:
    """How to give one."""
    with pytest.raises(RegistryError, match=f"{registry.address} wants a login") as caught:
        await checkout.publish(registry.address)
    assert "--registry-password env://NAME" in str(caught.value)


async def test_an_authority_that_nobody_knows(checkout: Checkout, tmp_path: Path) -> None:
    """The certificate is the reason, and where its authority is named."""
    with tls_registry(tmp_path / "registry", tmp_path / "authority") as stranger:
        text = await refusal(checkout, stranger.address, password=stranger.password)
    assert f"the certificate of {stranger.address} is not trusted" in text
    assert "ca under [registry] in slipway.toml" in text


async def test_an_authority_that_the_repo_names(
    checkout: Checkout, registry: SecureRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a registry that only the engine was told to trust."""
    monkeypatch.delenv("SSL_CERT_FILE")
    (checkout.folder / "registry-ca.pem").write_text(registry.ca.read_text())
    with (checkout.folder / "slipway.toml").open("a") as file:
        file.write('[registry]\nca = "registry-ca.pem"\n')
    checkout.git("add", "--all")
    checkout.git("commit", "--quiet", "--message", "trust")
    digest = await published(checkout, registry.address, password=registry.password)
    assert registry.digest("team/one", "staging") == digest


async def test_a_token_service(
    checkout: Checkout, gitlab: tuple[SecureRegistry, TokenService]
) -> None:
    """As in GitLab: user and password buy tokens for what is done with one repository."""
    registry, service = gitlab
    digest = await published(checkout, registry.address, password=service.password)
    assert registry.digest("team/one", "staging") == digest
    assert {user for user, _ in service.requests} == {"ci"}


async def test_a_token_service_refuses_a_wrong_password(
    checkout: Checkout, gitlab: tuple[SecureRegistry, TokenService]
) -> None:
    """It may also be a token of GitLab that has expired: the service does not tell which."""
    registry, _ = gitlab
    text = await refusal(checkout, registry.address, password="sentinel-wrong")
    assert 'refuses the user "ci": a wrong user or password, or a token that has expired' in text
    assert "a job's token is valid while the job runs" in text


async def test_a_token_that_has_expired(
    checkout: Checkout, gitlab: tuple[SecureRegistry, TokenService]
) -> None:
    """The registry refuses it with the same words as a wrong password: both are named."""
    registry, service = gitlab
    service.expire()
    text = await refusal(checkout, registry.address, password=service.password)
    assert "or a token that has expired" in text


@pytest.mark.parametrize(
    ("user", "project", "may_not", "right"),
    [
        ("deploy", "team", "push to", "write_registry"),
        ("ci", "other", "pull from", "read_registry"),
    ],
)
async def test_a_login_without_the_right(
    checkout: Checkout,
    gitlab: tuple[SecureRegistry, TokenService],
    *,
    user: str,
    project: str,
    may_not: str,
    right: str,
) -> None:
    """A token that may only pull; a project that is not the user's. Nothing is built for either."""
    registry, service = gitlab
    password = service.accounts[user].password
    text = await refusal(checkout, registry.address, user=user, password=password, project=project)
    assert f'the user "{user}" may not {may_not} {registry.address} there' in text
    assert right in text
    assert checkout.built == []
    assert registry.tags("team/one") == []

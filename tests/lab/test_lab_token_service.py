"""The lab's token service: its answers are those of GitLab's ``/jwt/auth``."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from ci.lab.token_service import TokenService, token_service

if TYPE_CHECKING:
    from collections.abc import Iterator

PUSH = "repository:group/shop/api:pull,push"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenService]:
    """A service with an authority of its own."""
    folder = tmp_path_factory.mktemp("tokens")
    with token_service(folder, folder / "authority", "group/shop") as service:
        yield service


def ask(
    service: TokenService,
    *scopes: str,
    login: tuple[str, str] | None = None,
    name: str = "container_registry",
    data: bytes | None = None,
) -> tuple[int, Any]:
    """What is answered over TLS: status and document."""
    query = "&".join([f"service={name}", *(f"scope={scope}" for scope in scopes)])
    request = urllib.request.Request(f"https://{service.address}/jwt/auth?{query}", data=data)
    if login:
        basic = base64.b64encode(":".join(login).encode()).decode()
        request.add_header("Authorization", f"Basic {basic}")
    context = ssl.create_default_context(cafile=service.ca)
    try:
        with urllib.request.urlopen(request, context=context, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def granted(service: TokenService, user: str, *scopes: str) -> dict[str, list[str]]:
    """The actions by repository that a user's token has, checked with the service's key."""
    _, answer = ask(service, *scopes, login=(user, service.accounts[user].password))
    certificate = jwt.get_unverified_header(answer["token"])["x5c"][0]
    assert base64.b64decode(certificate) == ssl.PEM_cert_to_DER_cert(
        service.signer.cert_chain_pems[0].bytes().decode()
    )
    claims = jwt.decode(
        answer["token"], options={"verify_signature": False}, audience="container_registry"
    )
    assert claims["sub"] == user
    return {access["name"]: access["actions"] for access in claims["access"]}


def test_who_has_no_login_is_denied(service: TokenService) -> None:
    """Nothing of the project is public."""
    status, answer = ask(service, PUSH)
    assert (status, answer["errors"][0]["code"]) == (403, "DENIED")


@pytest.mark.parametrize("login", [("ci", "wrong"), ("nobody", "x"), ("ci", "")])
def test_a_wrong_login_is_unauthorized(service: TokenService, login: tuple[str, str]) -> None:
    """Whichever part of it is wrong."""
    status, answer = ask(service, PUSH, login=login)
    assert (status, answer["errors"][0]["code"]) == (401, "UNAUTHORIZED")


def test_only_get_and_only_its_own_service_are_known(service: TokenService) -> None:
    """Clients try POST first, and go on with GET."""
    assert ask(service, data=b"grant_type=password")[0] == 404
    assert ask(service, name="another")[0] == 404


def test_a_token_has_what_its_user_may_do_and_no_more(service: TokenService) -> None:
    """Rights that a user lacks are left out without a word."""
    assert granted(service, "ci", PUSH) == {"group/shop/api": ["pull", "push"]}
    assert granted(service, "deploy", PUSH) == {"group/shop/api": ["pull"]}
    others = ["repository:group/shopping/api:pull", "registry:catalog:*"]
    assert granted(service, "ci", PUSH, *others) == {"group/shop/api": ["pull", "push"]}

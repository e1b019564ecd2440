"""From an environment's settings and the caller's files to what a server should have."""

from dataclasses import dataclass, replace

import asyncssh
import dagger

from slipway.config import EnvironmentConfig
from slipway.errors import ConfigError
from slipway.failures import message
from slipway.server.operator import Operator

from . import certificates
from .proxy import RESOLVER, Proxy
from .proxy import problems as proxy_problems
from .wanted import Wanted


@dataclass(frozen=True)
class Inputs:
    """What only the caller has.

    Attributes:
        admin: Who sets the server up: root, or one who has sudo without a password.
        admin_key: The private key for that; by default the deploying user's.
        certificate: The proxy's certificate with those above it, PEM.
        certificate_key: Its private key, PEM.
    """

    admin: str
    admin_key: dagger.Secret | None = None
    certificate: dagger.File | None = None
    certificate_key: dagger.Secret | None = None


async def wanted(operator: Operator, settings: EnvironmentConfig, inputs: Inputs) -> Wanted:
    """What the server should have.

    Args:
        operator: Who will deploy, and where.
        settings: The environment's.
        inputs: What only the caller has.

    Raises:
        ConfigError: What was given cannot be read, or does not fit; every problem.
    """
    server = settings.server
    assert server  # noqa: S101 - without one, there is no operator
    given = inputs.certificate is not None or inputs.certificate_key is not None
    made = Proxy(
        image=server.proxy_image or "",
        email=server.acme_email or "",
        directory=server.acme_server or "",
        private=bool(server.acme_server and operator.ca),
        challenge=server.acme_challenge,
        resolver=server.resolver or RESOLVER,
    )
    problems = proxy_problems(made, given=given)
    texts = await _texts(inputs, problems)
    if not problems and given:
        problems += certificates.problems(texts["certificate"], texts["certificate_key"])
    if problems:
        raise ConfigError(f"setting up {operator.address.host}", problems)
    return Wanted(
        admin=replace(operator.address, user=inputs.admin),
        admin_key=texts["admin_key"] or operator.key,
        deploy=operator.address,
        deploy_key=operator.key,
        public_key=_public(operator),
        site=operator.site.name,
        proxy=made,
        certificate=texts["certificate"],
        certificate_key=texts["certificate_key"],
        authority=operator.ca if made.private else "",
    )


async def _texts(inputs: Inputs, problems: list[str]) -> dict[str, str]:
    """What the files and secrets hold; empty for those that are not there."""
    sources = {
        "admin_key": inputs.admin_key and inputs.admin_key.plaintext,
        "certificate": inputs.certificate and inputs.certificate.contents,
        "certificate_key": inputs.certificate_key and inputs.certificate_key.plaintext,
    }
    texts = dict.fromkeys(sources, "")
    for name, source in sources.items():
        if source:
            try:
                texts[name] = await source()
            except dagger.QueryError as error:
                problems.append(f"{name} cannot be read: {message(error)}")
    return texts


def _public(operator: Operator) -> str:
    """The deploying user's public key, as a line of authorized_keys.

    Raises:
        ConfigError: Theirs is no private key.
    """
    try:
        key = asyncssh.import_private_key(operator.key.rstrip("\n") + "\n")
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise ConfigError("ssh_key", [f"no private key that can be used: {error}"]) from None
    return f"{key.export_public_key().decode().strip()} {operator.site.name}"

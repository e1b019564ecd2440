"""What BuildKit says of a fault, with what to do about it. Pure."""

from __future__ import annotations

import re

# With and without the words of gRPC before them.
_LOST = re.compile(
    r"code = Unavailable|Unavailable: (?:connection error|error reading from server)|transport is closing"
)
# The address of a request, and the name of an image, in a registry client's messages.
_REQUEST = re.compile(r'https?://([^/"\s]+)/v2/')
_METADATA = re.compile(r"\S+: failed to resolve source metadata for \S+?: (?=\S)")
_CONFIG = "drydock's config file, and run drydock up"
_ADVICE = (
    (
        r"no such host",
        "No registry is known by the name {host}: see whether it is spelled right, and the network",
    ),
    (
        r"connection refused|i/o timeout|no route to host|network is unreachable",
        "No registry answers at {host}: see whether it runs, and whether its address is right",
    ),
    (
        r"403 Forbidden|insufficient_scope|requested access to the resource is denied",
        "{host} refuses this: the login has no right to it, or there is no such repository",
    ),
    (
        r"401 Unauthorized|unauthorized: |authorization failed|incorrect username or password|no basic auth",
        "{host} wants a login, or refuses the one it got: give it with withRegistryAuth, or run docker login {host}",
    ),
    (
        r"certificate signed by unknown authority|failed to verify certificate",
        'The certificate of {host} is not trusted: set ca under [registry."{host}"] in {config}',
    ),
    (
        r"server gave HTTP response to HTTPS client",
        '{host} speaks plain HTTP: set http = true under [registry."{host}"] in {config}',
    ),
    (
        r"no space left on device",
        "The disk is full: make room there and run it again; nothing was left half written",
    ),
)


def told(message: str) -> str:
    """A message of BuildKit for the person at the terminal: what failed, why, what to do.

    Args:
        message: What `buildctl` ended with.
    """
    if _LOST.search(message):
        return (
            "the BuildKit daemon ended, or was stopped, before the build was done. Run it again: what was built stays "
            f"in its cache. 'drydock status' tells more ({message.splitlines()[-1]})"
        )
    message = _METADATA.sub("", message)
    for pattern, advice in _ADVICE:
        if re.search(pattern, message):
            request = _REQUEST.search(message)
            host = request[1] if request else "the registry"
            return f"{message}. {advice.format(host=host, config=_CONFIG)}"
    return message

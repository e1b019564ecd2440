"""The proxy's folder on a server: what is there, and what one environment adds to it. Pure."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from slipway.server import compose

from . import proxy
from .found import Found
from .wanted import COMPOSE_FILE, File, Wanted

MARK = "slipway.proxy"
_DYNAMIC, _SITES = "~/proxy/dynamic", "~/proxy/sites"
# The certificate of every name that no other is for. It stays that of the site which first gave one.
DEFAULT = f"{_DYNAMIC}/dynamic.yml"
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_DEFAULT = """\
tls:
  stores:
    default:
      defaultCertificate:
        certFile: {folder}/{site}.crt
        keyFile: {folder}/{site}.key
"""
_CERTIFICATES = """\
tls:
  certificates:
    - certFile: {folder}/{site}.crt
      keyFile: {folder}/{site}.key
"""


@dataclass(frozen=True)
class Folder:
    """The proxy's folder, in the deploying user's home.

    Attributes:
        files: What is to be there; what others have there stays.
        gone: What is not to be there any more.
        mark: The label that tells which compose file and authorities a proxy was started with.
    """

    files: tuple[File, ...]
    gone: tuple[str, ...]
    mark: str


def folder(found: Found, wanted: Wanted) -> Folder:
    """What the folder should be.

    Args:
        found: What is on the server.
        wanted: What it should have.

    Raises:
        ValueError: The compose file that is there cannot be read.
    """
    there = proxy.present(found.texts.get(COMPOSE_FILE, ""))
    content = proxy.merged(there, wanted.proxy)
    certificates = [*_given(found, wanted, there), *_authority(found, wanted)]
    mark, text = _marked(found, content, certificates)
    kind = wanted.proxy.resolver if wanted.proxy.email else ""
    files = (
        *certificates,
        File(COMPOSE_FILE, text, 0o600),
        File(f"{_SITES}/{wanted.site}", f"{kind}\n"),
    )
    return Folder(files, tuple(_gone(found, wanted, there)), mark)


def conflict(found: Found, wanted: Wanted) -> str:
    """Why the proxy cannot have what is wanted beside what it has; empty where it can."""
    try:
        there = proxy.present(found.texts.get(COMPOSE_FILE, ""))
    except ValueError as error:
        return f"{COMPOSE_FILE} is not as set-up wrote it: {error}; put it right, or remove it"
    return proxy.conflict(there, wanted.proxy, wanted.site, sites(found.texts))


def in_the_way(found: Found, wanted: Wanted) -> list[str]:
    """The files of a certificate that was given, where an authority is to give one.

    Traefik asks for no name that it has a certificate for. Until the site's routers name the resolver,
    which only a deploy sees to, it needs them: so they stay.

    Args:
        found: What is on the server.
        wanted: What it should have.
    """
    if wanted.certificate:
        return []
    own = f"{_DYNAMIC}/{wanted.site}.yml"
    default = f"/{wanted.site}.crt" in found.texts.get(DEFAULT, "")
    return [*([own] if own in found.files else []), *([DEFAULT] if default else [])]


def sites(texts: Mapping[str, str]) -> dict[str, str]:
    """The resolver of each site that was set up; empty for certificates that are given.

    Args:
        texts: Files by path.
    """
    return {
        path.rpartition("/")[2]: text.strip()
        for path, text in texts.items()
        if path.startswith(f"{_SITES}/")
    }


def _given(found: Found, wanted: Wanted, there: proxy.Present) -> Iterator[File]:
    """The certificate that was given: chosen by the name that a browser asks for."""
    if not wanted.certificate:
        return
    names = {"folder": proxy.DYNAMIC, "site": wanted.site}
    yield File(f"{_DYNAMIC}/{wanted.site}.crt", wanted.certificate)
    yield File(f"{_DYNAMIC}/{wanted.site}.key", wanted.certificate_key, 0o600)
    yield File(f"{_DYNAMIC}/{wanted.site}.yml", _CERTIFICATES.format(**names))
    # One that Traefik does not read is of a set-up before the last.
    before = found.texts.get(DEFAULT, "") if there.files else ""
    yield File(DEFAULT, before or _DEFAULT.format(**names))


def _authority(found: Found, wanted: Wanted) -> Iterator[File]:
    """Who signs the ACME directory; whom another environment named there stays."""
    if wanted.authority:
        path = f"{_DYNAMIC}/{wanted.proxy.authority_file}"
        before = found.texts.get(path, "")
        known = _PEM.findall(before)
        more = [pem for pem in _PEM.findall(wanted.authority) if pem not in known]
        yield File(path, "".join([before, *(f"{pem}\n" for pem in more)]))


def _gone(found: Found, wanted: Wanted, there: proxy.Present) -> Iterator[str]:
    """A default that Traefik did not read: its certificate has expired by now, or will."""
    if DEFAULT in found.texts and not there.files and not wanted.certificate:
        yield DEFAULT


def _marked(found: Found, content: proxy.Present, files: list[File]) -> tuple[str, str]:
    """The mark, and the compose file that bears it."""
    plain = proxy.file(content)
    digests = {path: file.digest for path, file in found.files.items()}
    digests |= {file.path: file.digest for file in files}
    # Traefik reads an authority once, when it starts.
    authorities = [digests.get(f"{_DYNAMIC}/{name}", "") for name in content.authorities]
    mark = hashlib.sha256("".join([compose.render(plain), *authorities]).encode()).hexdigest()[:16]
    services = {
        name: service.model_copy(update={"labels": (f"{MARK}={mark}",)})
        for name, service in plain.services.items()
    }
    return mark, compose.render(plain.model_copy(update={"services": services}))

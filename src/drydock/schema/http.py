"""Downloads."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from drydock.errors import ApiError
from drydock.graph import Http
from drydock.objects import File, Secret
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.session import Session

_CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}")


@core.serves("Query", "http")
async def http(
    session: Session,
    _query: None,
    *,
    url: str,
    name: str | None = None,
    permissions: int | None = None,
    checksum: str | None = None,
    auth_header: Secret | None = None,
) -> File:
    """The file at a URL, by the name that the URL gives it; for its owner alone, unless told otherwise.

    Raises:
        ApiError: If it cannot be downloaded, or is not the file that the checksum is of.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ApiError(f'"{url}" is not an http or https URL')
    if checksum and not _CHECKSUM.fullmatch(checksum):
        raise ApiError(f'invalid checksum "{checksum}": expected sha256: and 64 hex digits')
    called = name or posixpath.basename(parts.path.rstrip("/")) or "index"
    header = None
    if auth_header:
        header = await session.engine.secrets.ref(auth_header)
    mode = 0o600 if permissions is None else permissions
    file = File(Http(url, called, mode, checksum or "", header), f"/{called}")
    # At once, as the Dagger engine does: who names the file learns what is wrong with it.
    await session.engine.sync(file.fs)
    return file

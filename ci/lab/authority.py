"""The lab's certificate authority, and the files that only their owner may read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .settings import LabError

if TYPE_CHECKING:
    from pathlib import Path

    import trustme


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 in one step."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    part.rename(path)


def load(folder: Path) -> trustme.CA:
    """The authority that a folder holds as ``ca.crt`` and ``ca.key``; made where there is none.

    Raises:
        LabError: this Python has no library for certificates.
    """
    try:
        import trustme  # noqa: PLC0415  the rest of the lab is made before there is a library
    except ModuleNotFoundError:
        raise LabError("this Python has no trustme. Run: ci/setup --python-only") from None
    certificate, key = folder / "ca.crt", folder / "ca.key"
    if certificate.exists():
        return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    folder.mkdir(parents=True, exist_ok=True)
    made = trustme.CA(organization_name="slipway lab")
    write_private(key, made.private_key_pem.bytes())
    # Last: who finds it finds the key too.
    part = folder / "ca.crt.part"
    made.cert_pem.write_to_path(part)
    part.rename(certificate)
    return made


def issue(authority: trustme.CA, folder: Path, *hosts: str) -> tuple[Path, Path]:
    """Write a server's certificate and key.

    Args:
        authority: who signs.
        folder: where they go, as ``server.crt`` and ``server.key``.
        hosts: the names or addresses that clients know the server by.

    Returns:
        Their paths.
    """
    issued = authority.issue_cert(*hosts)
    certificate, key = folder / "server.crt", folder / "server.key"
    certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    write_private(key, issued.private_key_pem.bytes())
    return certificate, key

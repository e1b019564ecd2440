"""Looks at all of an environment for `status`; nothing is changed, and nothing has to work."""

import asyncio
import posixpath
import ssl
from datetime import UTC, datetime
from urllib.parse import urlsplit

from .audit import Entry, read
from .examine import disk
from .lock import holder
from .names import Site
from .operator import Operator
from .probe import located, look
from .situation import Situation, is_of
from .ssh import Server
from .status import Address, State

_LINES = 5
_TLS_SECONDS = 5.0
_DUMP = """
cd -- "$1" 2>/dev/null || exit 0
ls -t -- *.dump 2>/dev/null | head -n 1 | while read -r name; do stat -c '%n, %s bytes, %y' -- "$name"; done
"""


async def overview(operator: Operator) -> State:
    """Everything that is worth knowing.

    Raises:
        ServerError: The server cannot be reached.
    """
    async with operator.connected() as server:
        site = await located(server, operator.site)
        docker = await server.run("docker", "version", "--format", "{{.Server.Version}}")
        works = not docker.code
        found = await look(server, site) if works else Situation()
        free, total = await disk(server)
        return State(
            site,
            found,
            tuple(one for one in found.listed if is_of(one, found)),
            await _addresses(operator, found),
            free,
            total,
            await _said(server, "sh", "-c", _DUMP, "dump", f"{site.folder}/database/dumps"),
            await holder(server, site.folder),
            await _audit(server, site),
            "" if works else docker.error.strip().partition("\n")[0],
        )


async def _said(server: Server, *command: str) -> str:
    return (await server.run(*command)).output.strip()


async def _audit(server: Server, site: Site) -> tuple[Entry, ...]:
    file = posixpath.join(site.folder, "audit.jsonl")
    text = await _said(server, "tail", "-n", str(_LINES), "--", file)
    return read(text)


async def _addresses(operator: Operator, found: Situation) -> tuple[Address, ...]:
    """The addresses of what serves, as the server's own proxy answers them."""
    serving = found.serving
    if not serving or not serving.target:
        return ()
    apps = serving.target.target(operator.site).apps
    return tuple(
        [
            Address(
                app.name,
                app.url,
                await operator.router.ask(app.url),
                await certificate_days(operator.address.host, urlsplit(app.url).hostname or ""),
            )
            for app in apps
        ]
    )


async def certificate_days(host: str, name: str) -> int | None:
    """Days until the certificate ends that a host shows for a name; None where it shows none.

    Args:
        host: Where to ask.
        name: The public name.
    """
    from cryptography import x509  # noqa: PLC0415 - a tenth of a second that only this needs

    context = ssl.create_default_context()
    # Also one that nobody trusts has an end.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opening = asyncio.open_connection(host, 443, ssl=context, server_hostname=name)
    try:
        _, writer = await asyncio.wait_for(opening, _TLS_SECONDS)
    except (OSError, TimeoutError):
        return None
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    end = x509.load_der_x509_certificate(shown).not_valid_after_utc
    return (end - datetime.now(UTC)).days

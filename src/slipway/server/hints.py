"""What to do about failures that name themselves."""

import re

# Prisma's codes: failed migrations are in the database, and a migration failed to apply
# (https://www.prisma.io/docs/orm/reference/error-reference).
_HALF_WAY = re.compile(r"\bP30(?:09|18)\b")
_RESOLVE = (
    "A migration stopped half-way, and Prisma goes on only when it is told what became of it: undo or finish "
    "it by hand, then run the migrator with `migrate resolve --rolled-back NAME` or `--applied NAME` "
    "(docs/operating.md)."
)
_FULL = re.compile(r"no space left on device", re.IGNORECASE)
_MAKE_ROOM = (
    "The server's disk is full: on it, `docker system df` shows what takes the room, and "
    "`docker image prune --all` removes the images that no container uses."
)

_NO_NODE = re.compile(
    r'exec: "(?:env|node)": executable file not found|env: .?node.?: No such file'
)
_OWN_IMAGE = (
    "The health check runs `env` and `node` inside the container, and this image lacks one of them: an image of the "
    "app's own Dockerfile needs both on its PATH."
)
_UNTRUSTED = re.compile(r"CERTIFICATE_VERIFY_FAILED")
_CERTIFICATE = (
    "The proxy's certificate is not trusted. Where it gets one by ACME, its log on the server says what is in the "
    "way (`docker logs proxy-traefik-1`); where an authority of your own signed it, name that as `ca`."
)


def hints(text: str) -> list[str]:
    """Lines to add to an error.

    Args:
        text: What failed, and what it printed.
    """
    known = {_HALF_WAY: _RESOLVE, _FULL: _MAKE_ROOM, _UNTRUSTED: _CERTIFICATE, _NO_NODE: _OWN_IMAGE}
    return [hint for pattern, hint in known.items() if pattern.search(text)]

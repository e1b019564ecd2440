"""Where the sources come from: revision, tag and origin, read from the files in .git."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

UNKNOWN = "unknown"
_HEX = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SCP = re.compile(r"^(?:[^@/]+@)?(?P<host>[A-Za-z0-9.-]+):(?!//)(?P<path>[^\\].*)$")


@dataclass(frozen=True)
class Origin:
    """The state of a checkout.

    Attributes:
        revision: The commit's full hash, or "unknown".
        tags: The tags that point at it, sorted; of annotated ones those that Git has packed.
        loose: Tags that may be annotated ones and point at it too: what they stand for is no plain file.
        source: The origin's address without credentials, or "unknown".
    """

    revision: str = UNKNOWN
    tags: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
    source: str = UNKNOWN

    @property
    def tag(self) -> str | None:
        """One of the tags, the last by name, if there is any."""
        return self.tags[-1] if self.tags else None


def read(files: Mapping[str, str]) -> Origin:
    """Tell a checkout's state from the texts of its .git folder.

    Args:
        files: Path inside .git ("HEAD", "config", "packed-refs", "refs/heads/main", …) → contents.

    Returns:
        The state; what cannot be told is "unknown", such as in a worktree, whose .git is a file.
    """
    refs, peeled = _packed(files.get("packed-refs", ""))
    refs |= {name: text.strip() for name, text in files.items() if name.startswith("refs/")}
    head = files.get("HEAD", "").strip()
    revision = (
        refs.get(head.removeprefix("ref: ").strip(), "") if head.startswith("ref: ") else head
    )
    if not _HEX.fullmatch(revision):
        revision = UNKNOWN
    tags = sorted(
        name.removeprefix("refs/tags/")
        for name, value in refs.items()
        if name.startswith("refs/tags/") and revision in (value, peeled.get(name))
    )
    loose = sorted(
        name.removeprefix("refs/tags/")
        for name, text in files.items()
        if name.startswith("refs/tags/") and text.strip() != revision
    )
    return Origin(revision, tuple(tags), tuple(loose), _source(files.get("config", "")))


def _packed(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """packed-refs: name → object, and name → the commit an annotated tag stands for."""
    refs: dict[str, str] = {}
    peeled: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        if line.startswith("^"):
            peeled[last] = line[1:].strip()
        elif line and not line.startswith("#") and " " in line:
            value, last = line.split(" ", 1)
            refs[last] = value
    return refs, peeled


def _source(config: str) -> str:
    section = ""
    found: dict[str, str] = {}
    for line in map(str.strip, config.splitlines()):
        if line.startswith("["):
            section = line
        elif section.startswith('[remote "') and re.match(r"url\s*=", line):
            found.setdefault(
                section[len('[remote "') :].split('"')[0], line.split("=", 1)[1].strip()
            )
    url = found.get("origin") or next(iter(found.values()), "")
    return web_address(url) if url else UNKNOWN


def web_address(url: str) -> str:
    """A remote's address for a label: credentials stripped, `git@host:path` as https.

    Args:
        url: As in .git/config.

    Returns:
        An https address, or "unknown" for a local path.
    """
    url = url.strip().strip('"')
    if "://" not in url:
        found = _SCP.match(url)
        return f"https://{found['host']}/{_plain(found['path']).lstrip('/')}" if found else UNKNOWN
    try:
        parts = urlsplit(url)
        host, number = parts.hostname or "", parts.port
    except ValueError:
        return UNKNOWN  # such as ssh://git@host:team/app.git, which Git does not take either
    if parts.scheme not in ("http", "https", "ssh", "git", "git+ssh") or not host:
        return UNKNOWN
    host = f"[{host}]" if ":" in host else host
    # An ssh port says nothing about the web address.
    port = f":{number}" if number and parts.scheme in ("http", "https") else ""
    scheme = "http" if parts.scheme == "http" else "https"
    return urlunsplit((scheme, f"{host}{port}", _plain(parts.path), "", ""))


def _plain(path: str) -> str:
    """A repository's path without what Git takes or leaves: a slash at the end, and `.git`."""
    path = path.rstrip("/")
    return path[: -len(".git")] if path.lower().endswith(".git") else path

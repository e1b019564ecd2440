"""Which folders pnpm-workspace.yaml takes in: packages the lockfile does not know yet are found so."""

import posixpath
import re
from collections.abc import Iterable

from .layout import glob

# The one list that is read: items a line each, or in brackets.
_PACKAGES = re.compile(
    r"^packages:[ \t]*(?:#[^\n]*)?(\[[^\]]*\]|(?:\n[ \t]*(?:-[^\n]*|#[^\n]*)?)+)", re.MULTILINE
)
_ITEM = re.compile(r"(?:^\s*-|[\[,])\s*(?:'([^']*)'|\"([^\"]*)\"|([^\s'\",\]#]+))", re.MULTILINE)


def patterns(text: str) -> tuple[str, ...]:
    """The patterns of workspace folders.

    Args:
        text: The contents of pnpm-workspace.yaml.
    """
    found = _PACKAGES.search(text)
    return tuple("".join(item) for item in _ITEM.findall(found[1])) if found else ()


def members(text: str, files: Iterable[str]) -> frozenset[str]:
    """The folders of a workspace's packages; none where a pattern is beyond `*`, `**` and `!`.

    Args:
        text: The contents of pnpm-workspace.yaml.
        files: Every surveyed file, relative to the repo.
    """
    written = patterns(text)
    if any(re.search(r"[{}()?\[\]+@]", pattern) for pattern in written):
        return frozenset()
    wanted = [_expression(pattern) for pattern in written if not pattern.startswith("!")]
    unwanted = [_expression(pattern[1:]) for pattern in written if pattern.startswith("!")]
    folders = {
        posixpath.dirname(file)
        for file in files
        # No pattern of pnpm's takes in a hidden folder.
        if posixpath.basename(file) == "package.json" and "/." not in f"/{file}"
    }
    return frozenset(
        folder
        for folder in folders
        if any(one.fullmatch(folder) for one in wanted)
        and not any(one.fullmatch(folder) for one in unwanted)
    )


def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(glob(pattern.removeprefix("./").rstrip("/")))

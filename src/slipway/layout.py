"""What a build step lays out apart, for an image or another build to take as it is.

BuildKit goes through a whole root file system to copy out of it with patterns, or out of a folder
right below its root (v0.34, cache/contenthash): 1.2 to 2.8 s each with sixty thousand files of
node_modules. So a step ends by copying what is wanted into a folder of its own.

What is laid out is the same wherever and whenever it was built (settle.mjs). What an image takes lies
where it will lie there, from the root on: an engine gives a folder that it makes itself, or only puts
something into, the time when it did.
"""

import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

SCRIPTS = "/slipway"
# Below the scripts' folder, where nothing else is large.
APP = f"{SCRIPTS}/out/app"
PACKAGE = f"{SCRIPTS}/out/package"
RUNTIME = f"{SCRIPTS}/out/runtime"
PRISMA = f"{SCRIPTS}/out/prisma"
CLIENT = f"{SCRIPTS}/out/client"
PLACED = f"{SCRIPTS}/out/placed"
_PARTS = re.compile(r"\*\*/|\*\*|\*|[^*]+")
_EXPRESSIONS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}


@dataclass(frozen=True)
class Layout:
    """One folder's files, laid out in another.

    Attributes:
        source: The folder, absolute.
        target: Where they go, absolute.
        drop: Patterns of what is left out, relative to the folder: `*` within a name, `**` across.
        only: Folders to take, relative to the folder, `*` within a name; all when there are none.
        inside: The folder of the target that they go into: the source's own path, for an image.
    """

    source: str
    target: str
    drop: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    inside: str = ""


def line(layouts: Iterable[Layout]) -> str:
    """The shell line that makes layouts."""
    plan = [
        {
            "source": layout.source,
            "target": layout.target,
            "inside": layout.inside,
            "drop": [expression(pattern) for pattern in layout.drop],
            "only": layout.only,
        }
        for layout in layouts
    ]
    return f"node {SCRIPTS}/layout.mjs {shlex.quote(json.dumps(plan))}"


def expression(pattern: str) -> str:
    """The regular expression of a pattern: the path that it names, and all that is below."""
    return f"^{glob(pattern)}(?:/|$)"


def glob(pattern: str) -> str:
    """The regular expression of the very paths that a pattern names."""
    return "".join(_EXPRESSIONS.get(part) or re.escape(part) for part in _PARTS.findall(pattern))


def in_place(source: str, target: str, drop: tuple[str, ...] = ()) -> Layout:
    """A folder's files for an image, which has them where they are.

    Args:
        source: The folder, absolute.
        target: What stands for the image's root.
        drop: Patterns of what is left out, relative to the folder.
    """
    return Layout(source, target, drop, inside=source)


def client(source: str, path: str) -> Layout:
    """The client that Prisma before version 7 generates into node_modules, from the root on.

    Args:
        source: The repo's folder.
        path: The package that generated it, relative to the repo.
    """
    own = () if path == "." else (f"{path}/node_modules/.prisma",)
    stored = "node_modules/.pnpm/@prisma+client@*/node_modules/.prisma"
    return Layout(source, CLIENT, only=(stored, "node_modules/.prisma", *own), inside=source)

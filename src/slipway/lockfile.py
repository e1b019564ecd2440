"""pnpm-lock.yaml: the workspace's packages, the links between them, and the files an install reads.

pnpm writes the file with a fixed layout (two spaces a level, one key a line), so that a scan by
indentation reads it exactly, and no YAML library has to be imported on every call.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .errors import ConfigError

_VERSION = re.compile(r"^lockfileVersion:\s*'?\"?(\d+)(?:\.(\d+))?", re.MULTILINE)
_KEY = re.compile(
    r"^(?P<indent> *)(?P<key>'[^']*'|\"[^\"]*\"|[^\s'\"][^:]*(?::[^\s:][^:]*)*):"
    r"(?:\s+(?P<value>.*))?$"
)
_TARBALL = re.compile(r"tarball: '?(file:[^,}'\s]+)")
_DIRECTORY = re.compile(r"resolution: \{directory: '?([^,}']+)'?, type: directory\}")
_PATCH = re.compile(r"^ {4}path: '?([^'\s]+)'?$", re.MULTILINE)
_PRODUCTION = ("dependencies", "optionalDependencies")


@dataclass(frozen=True)
class Importer:
    """One workspace package as the lockfile sees it.

    Attributes:
        production: Workspace folders it needs at run time.
        development: Workspace folders only its devDependencies name.
        injected: Workspace folders that pnpm copies into node_modules instead of linking.
    """

    production: frozenset[str] = frozenset()
    development: frozenset[str] = frozenset()
    injected: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Lockfile:
    """What Slipway needs to know of a lockfile.

    Attributes:
        version: Its major version.
        importers: Workspace folder ("." is the root) → its links.
        files: Local files and folders an install reads: patches, tarballs, linked folders.
    """

    version: int
    importers: Mapping[str, Importer] = field(default_factory=dict)
    files: tuple[str, ...] = ()


def parse(text: str) -> Lockfile:
    """Read a pnpm lockfile of version 6 to 9 (pnpm 8 and later).

    Args:
        text: The file's contents.

    Returns:
        Its importers and the local files it names.

    Raises:
        ConfigError: For a file of another kind or an older version.
    """
    found = _VERSION.search(text)
    if not found:
        raise ConfigError(
            "pnpm-lock.yaml", ["no lockfileVersion in it; write it anew with `pnpm install`"]
        )
    version = int(found[1])
    if version < 6:
        raise ConfigError(
            "pnpm-lock.yaml",
            [f"lockfileVersion {version} is too old; run `pnpm install` with pnpm 9 or 10"],
        )
    importers = _importers(text)
    files = {
        *_PATCH.findall(text),
        *(name.removeprefix("file:") for name in _TARBALL.findall(text)),
    }
    folders = {posixpath.normpath(name) for name in _DIRECTORY.findall(text)}
    files |= {f"{name}/**" for name in folders if name not in importers}
    return Lockfile(version, importers, tuple(sorted(files)))


def _importers(text: str) -> dict[str, Importer]:
    found: dict[str, dict[str, set[str]]] = {}
    path, group = ".", ""
    for indent, key, value in _section(text, "importers"):
        if indent == 2:
            path = key
            found.setdefault(path, {"production": set(), "development": set(), "injected": set()})
        elif indent == 4:
            group = key
        elif indent == 8 and key == "version":
            _add_link(found[path], path, group, value)
    if not found:
        found["."] = {}
    return {
        name: Importer(**{kind: frozenset(folders) for kind, folders in links.items()})
        for name, links in found.items()
    }


def _add_link(links: dict[str, set[str]], path: str, group: str, version: str) -> None:
    if version.startswith("link:"):
        target = posixpath.normpath(posixpath.join(path, version.removeprefix("link:")))
    elif version.startswith("file:") and not (file := _file(version)).endswith((".tgz", ".tar.gz")):
        target = file
        links["injected"].add(target)
    else:
        return
    links["production" if group in _PRODUCTION else "development"].add(target)


def _file(version: str) -> str:
    """`file:packages/a(react@19.0.0)` → `packages/a`: the brackets hold resolved peers."""
    return posixpath.normpath(version.removeprefix("file:").partition("(")[0])


def _section(text: str, name: str) -> Iterator[tuple[int, str, str]]:
    """The keys below one top-level key: (indent, key, value), quotes removed."""
    inside = False
    for line in text.splitlines():
        if line and not line.startswith(" "):
            inside = line.startswith(f"{name}:")
            continue
        if inside and (found := _KEY.match(line)):
            yield len(found["indent"]), _plain(found["key"]), _plain(found["value"] or "")


def _plain(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text

"""Small workspaces in memory, written the way pnpm writes real ones."""

import json
from collections.abc import Mapping
from typing import Any

from slipway.survey import monorepo
from slipway.workspace import Monorepo

Manifest = dict[str, Any]


def workspace(
    manifests: Mapping[str, Manifest],
    links: Mapping[str, Mapping[str, str]] | None = None,
    files: Mapping[str, str] | None = None,
    lock: str = "",
) -> Monorepo:
    """A surveyed workspace.

    Args:
        manifests: Folder → package.json.
        links: Folder → what it links to: "../../packages/a" → its group ("dependencies", …).
        files: Further files and their contents.
        lock: Lines to add to the lockfile.
    """
    texts = {
        f"{path}/package.json".removeprefix("./"): json.dumps(data)
        for path, data in manifests.items()
    }
    texts |= {"pnpm-lock.yaml": lockfile(tuple(manifests), links or {}) + lock, **(files or {})}
    return monorepo(frozenset(texts), texts)


def lockfile(paths: tuple[str, ...], links: Mapping[str, Mapping[str, str]]) -> str:
    """A pnpm-lock.yaml with the given workspace folders and links between them."""
    lines = [
        "lockfileVersion: '9.0'",
        "",
        "settings:",
        "  autoInstallPeers: true",
        "",
        "importers:",
    ]
    for path in paths:
        groups: dict[str, list[str]] = {}
        for target, group in links.get(path, {}).items():
            version = target if ":" in target else f"link:{target}"
            name = f"      '@acme/{target.rstrip('/').rpartition('/')[2]}':"
            groups.setdefault(group, []).extend(
                [name, "        specifier: workspace:*", f"        version: {version}"]
            )
        lines += ["", f"  {path}:" if groups else f"  {path}: {{}}"]
        for group, entries in groups.items():
            lines += [f"    {group}:", *entries]
    return "\n".join([*lines, "", "packages:", ""])


NEXT: Manifest = {
    "name": "web",
    "scripts": {"build": "next build"},
    "dependencies": {"next": "16.0.0", "react": "19.0.0"},
}
NEST: Manifest = {
    "name": "api",
    "scripts": {"build": "nest build", "start:prod": "node dist/main"},
    "dependencies": {"@nestjs/core": "11.0.0", "pg": "8.0.0"},
    "devDependencies": {"@nestjs/cli": "11.0.0"},
}
ROOT: Manifest = {
    "name": "acme",
    "version": "1.2.3",
    "packageManager": "pnpm@10.4.1+sha512.abc",
    "engines": {"node": ">=22.12 <23"},
}
PRISMA: Manifest = {
    **NEST,
    "dependencies": {**NEST["dependencies"], "@prisma/client": "7.0.0"},
    "devDependencies": {**NEST["devDependencies"], "prisma": "7.0.0", "tsx": "4.0.0"},
}
SCHEMA = """generator client {
  provider = "prisma-client"
  output   = "../src/generated/prisma"
}

datasource db {
  provider = "postgresql"
}
"""

"""What values mean by content, not by where it lies: the same on another machine, in another session."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from drydock import hostfs, recipes
from drydock.errors import ApiError
from drydock.graph import Local, Value
from drydock.objects import Directory, Secret
from drydock.schema.moduletypes import ModuleObject

if TYPE_CHECKING:
    from drydock.session import Session
    from drydock.source import ModuleSource

ID = re.compile(r"\b[A-Z]\w*@[0-9a-f]{64}\b")

NOT_OF_THE_MODULE = ("**/.git", "**/.venv", "**/__pycache__", "**/node_modules", "**/.*_cache")
"""Patterns of what lies in a module's folder and is not its source."""


class UnkeepableError(Exception):
    """Something means nothing outside of its session."""


class Contents:
    """Digests of a session's values by content: of a directory its files, of a secret its plaintext."""

    def __init__(self, session: Session) -> None:
        """Nothing is known yet."""
        self._session = session
        self.directories: set[str] = set()
        """Keys of the directories of this machine that were read."""
        self.secrets: set[str] = set()
        """Identities of the secrets that were read."""
        self._modules: dict[str, str] = {}

    async def of_module(self, source: ModuleSource) -> str:
        """Hex digest of all files of a module, and of those that it needs."""
        if source.name not in self._modules:
            self._modules[source.name] = await asyncio.to_thread(_source_digest, source)
        return self._modules[source.name]

    async def of_text(self, text: str) -> str:
        """A text with every id of the session in it replaced by what it names.

        Raises:
            UnkeepableError: If one names something of this session alone.
        """
        ids = {found for found in ID.findall(text) if found in self._session.ids}
        digests = {found: await self.of(self._session.ids.get(found)) for found in ids}
        return ID.sub(lambda match: digests.get(match[0], match[0]), text)

    async def of(self, value: Value) -> str:
        """Hex digest of a value's content.

        Raises:
            UnkeepableError: If it means nothing outside of this session.
        """
        digests: dict[str, str] = {}
        for part in recipes.parts(value):
            digests[part.key] = await self._digest(part, digests)
        return digests[value.key]

    async def _digest(self, part: Value, known: dict[str, str]) -> str:
        if not part.durable:
            raise UnkeepableError(type(part).__name__)
        if isinstance(part, Local):
            self.directories.add(part.key)
            return await asyncio.to_thread(tree_digest, part)
        if isinstance(part, Secret):
            return await self._secret(part)
        items = [await self._token(item, known) for item in recipes.fields(part)]
        if isinstance(part, ModuleObject):
            # What its functions do is decided by its module, whoever calls them.
            items.append(await self.of_module(self._session.module_of(part.type_name)))
        return _sha("\0".join([type(part).__name__, *items]))

    async def _secret(self, secret: Secret) -> str:
        try:
            identity = await self._session.engine.secrets.identity(secret)
        except ApiError as error:
            # Whether it is ever needed is the function's business.
            raise UnkeepableError(str(error)) from error
        self.secrets.add(identity)
        return identity

    async def _token(self, item: object, known: dict[str, str]) -> str:
        if isinstance(item, Value):
            return known[item.key]
        if isinstance(item, tuple):
            return f"({','.join([await self._token(one, known) for one in item])})"
        # The state of a module's object is JSON, with ids in it.
        return repr(await self.of_text(item) if isinstance(item, str) else item)


def _source_digest(source: ModuleSource) -> str:
    return _sha("\n".join(_own_digest(module) for module in source.all))


def _own_digest(source: ModuleSource) -> str:
    config = json.loads((source.root / "dagger.json").read_bytes())
    left_out = [p[1:] for p in config.get("include", ()) if p.startswith("!")]
    return tree_digest(Local(str(source.root), exclude=(*NOT_OF_THE_MODULE, *left_out)))


def tree_digest(source: Local) -> str:
    """Hex digest of a directory of this machine: names, modes, bytes, links."""
    total = hashlib.sha256()
    for name in hostfs.names(Directory(source)):
        path = Path(source.path) / name
        status = path.lstat()
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            content = ""
        total.update(f"{name}\0{status.st_mode:o}\0{content}\n".encode(errors="surrogateescape"))
    return total.hexdigest()


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()

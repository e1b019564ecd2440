"""Results of functions, used again: in memory for the session, on disk as long as the function allows.

The rules are the Dagger engine's (v0.21, `core/typedef.go`, `core/modfunc.go`): a result is known by the
module's source, the function, the object that it was called on and its arguments, all by content. By default
it is kept for seven days; `cache="1h"` says how long, `"session"` keeps it for this session, `"never"` calls
each time. What was made of a Workspace is never kept, and neither is an error.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drydock import paths, recipes
from drydock.contents import ID, Contents, UnkeepableError
from drydock.environment import SDK_VERSION
from drydock.graph import Local, OciLayout, SecretRef, Value
from drydock.inflight import shared
from drydock.objects import Secret
from drydock.schema.moduletypes import ModuleObject

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from drydock.calls import Call
    from drydock.session import Session
    from drydock.source import ModuleSource
    from drydock.typedefs import Function

FORMAT = 1
"""Number of the format of what is kept; to be raised when it changes."""

LONGEST = 7 * 24 * 3600.0
"""Seconds that a result is kept by default, and at most (v0.21, `core/modfunc.go`)."""

FIRST_VERSION = (0, 19, 4)
"""Modules of an older engine keep results for the session only (v0.21, `engine/version.go`)."""

SHORTEST_PLAINTEXT = 4
"""Bytes of a secret that are told from a text by chance."""


class Results:
    """The results of a session's functions, and those of earlier sessions that still hold."""

    def __init__(self, session: Session) -> None:
        """Nothing was called yet."""
        self._session = session
        self._called: dict[str, asyncio.Task[Any]] = {}

    async def get(
        self,
        source: ModuleSource,
        function: Function,
        call: Call,
        run: Callable[[], Awaitable[Any]],
    ) -> Any:
        """What a call returns, as the SDK gave it: remembered, else by calling `run`."""
        if function.cache_policy == "Never":
            return await run()
        contents = Contents(self._session)
        try:
            key = await _key(source, call, contents)
        except UnkeepableError:
            return await run()
        if key not in self._called:
            kept = _Kept(self._session, source, key, contents)
            work = self._get(kept, lifetime(source, function), run)
            self._called[key] = shared(work)
        try:
            # Others may wait for the same call: one that gives up does not end it for them.
            return await asyncio.shield(self._called[key])
        except Exception:
            self._called.pop(key, None)
            raise

    async def _get(self, kept: _Kept, seconds: float, run: Callable[[], Awaitable[Any]]) -> Any:
        if not seconds:
            return await run()
        with contextlib.suppress(OSError, *recipes.UNREADABLE):
            return kept.read()
        result = await run()
        with contextlib.suppress(UnkeepableError):
            kept.write(result, seconds)
        return result


def lifetime(source: ModuleSource, function: Function) -> float:
    """Seconds that a function's result may be kept on disk."""
    if function.cache_policy != "Default" or not _keeps_by_default(source):
        return 0.0
    return LONGEST if function.time_to_live is None else function.time_to_live


def _keeps_by_default(source: ModuleSource) -> bool:
    config = json.loads((source.root / "dagger.json").read_bytes())
    if "disableDefaultFunctionCaching" in config:
        return not config["disableDefaultFunctionCaching"]
    version = re.match(r"v?(\d+)\.(\d+)\.(\d+)", config.get("engineVersion", ""))
    return version is not None and tuple(map(int, version.groups())) >= FIRST_VERSION


async def _key(source: ModuleSource, call: Call, contents: Contents) -> str:
    inputs = {name: await contents.of_text(value) for name, value in sorted(call.inputs.items())}
    parent = await contents.of_text(call.parent)
    module = await contents.of_module(source)
    facts = [FORMAT, SDK_VERSION, module, call.parent_name, call.name, parent, inputs]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


class _Kept:
    """One result on disk."""

    def __init__(
        self, session: Session, source: ModuleSource, key: str, contents: Contents
    ) -> None:
        self._session, self._source, self._contents = session, source, contents
        self._file = paths.cache() / "results" / f"{key}.json"

    def read(self) -> Any:
        """The result.

        Raises:
            OSError, recipes.UNREADABLE: If there is none that still holds.
        """
        kept = json.loads(self._file.read_bytes())
        if kept["expires"] < time.time():
            raise ValueError("expired")
        for identity, nodes in kept["objects"].items():
            value = recipes.load(nodes)
            if not self._holds(value) or self._session.ids.put(value) != identity:
                raise ValueError("made of what is not there")
        return kept["result"]

    def write(self, result: Any, seconds: float) -> None:
        """Keep a result for so many seconds.

        Raises:
            UnkeepableError: If it means nothing outside of this session, or tells a secret.
        """
        text = json.dumps(result)
        objects = self._objects(text)
        kept = {"expires": time.time() + seconds, "result": result, "objects": objects}
        _sweep(paths.private(self._file.parent))
        paths.write(self._file, json.dumps(kept).encode())

    def _objects(self, text: str) -> dict[str, list[Any]]:
        """What a text names by id, and what those objects' states name."""
        if self._session.engine.secrets.tells(text, SHORTEST_PLAINTEXT):
            raise UnkeepableError("a secret")
        found = {}
        for identity in set(ID.findall(text)):
            value = self._held(identity)
            found[identity] = recipes.dump(value)
            if isinstance(value, ModuleObject):
                found.update(self._objects(value.state))
        return found

    def _held(self, identity: str) -> Value:
        if identity not in self._session.ids:
            raise UnkeepableError(identity)
        value: Value = self._session.ids.get(identity)
        if not self._holds(value):
            raise UnkeepableError(identity)
        return value

    def _holds(self, value: Value) -> bool:
        """Whether all that a value is made of is at hand: durable, or given to this very call."""
        return all(self._at_hand(part) for part in recipes.parts(value))

    def _at_hand(self, part: Value) -> bool:
        if isinstance(part, Local):
            given = part.key in self._contents.directories
            return given or Path(part.path).is_relative_to(self._source.root)
        if isinstance(part, OciLayout):
            return Path(part.store).exists()  # it is cleared away in time
        if isinstance(part, (Secret, SecretRef)):
            digest = part.digest if isinstance(part, Secret) else part.id
            return not digest or digest in self._contents.secrets
        return part.durable


def _sweep(folder: Path) -> None:
    """Delete what nobody may use any more."""
    for file in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_mtime < time.time() - LONGEST:
                file.unlink()

"""The build cache that machines share through a registry: read by every build, written once at a session's end."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from drydock.buildkit import BuildKit, NotCachedError, Solved, SolveError
from drydock.cacheconfig import CacheSettings
from drydock.faults import told
from drydock.llb_assembly import Lowered
from drydock.llb_merge import Merge
from drydock.priming import Primer
from drydock.progress import Progress, View
from drydock.progress_state import Step
from drydock.progress_text import brief, duration
from drydock.secretstore import SecretStore

EXPORTING = "exporting cache"
"""How the name of BuildKit's step begins that writes a cache."""
Build = Callable[[Sequence[str], str], Awaitable[Solved]]
ATTEMPTS = 16
"""Exports that are begun: each one without what the one before it found changed."""


class SharedCache:
    """The caches of one session, and what it evaluated for the one that it exports to."""

    def __init__(self, settings: CacheSettings, buildkit: BuildKit, secrets: SecretStore) -> None:
        """Have every build look into the caches."""
        self._settings, self._buildkit, self._secrets = settings, buildkit, secrets
        self._evaluated: dict[str, Lowered] = {}
        self._new = False
        self._found: dict[str, bool] = {}
        buildkit.imported = self._imported
        self._primer = Primer(self._look)

    # -- while the session lasts -----------------------------------------------------------------------------------

    async def solve(
        self,
        lowered: Lowered,
        services: Sequence[Lowered],
        build: Callable[[BuildKit], Awaitable[Solved]],
    ) -> Solved:
        """Build a definition, with what of it is in a cache of the registry.

        Args:
            lowered: The definition.
            services: What the services are made of that it starts.
            build: Builds it.
        """
        while self._settings.imports and await self._primer.is_cached(lowered, services):
            try:
                async with self._primer.turn:
                    return await build(self._with_caches())
            except NotCachedError as error:
                await self._primer.missed(str(error))
        return await build(self._buildkit)

    async def _look(self, lowered: Lowered) -> Solved:
        secrets = self._secrets.known(lowered.secrets)
        return await self._with_caches().solve(lowered, secrets=secrets)

    def _with_caches(self) -> BuildKit:
        return replace(self._buildkit, caches=self._settings.imports, only_cached=True)

    def evaluated(self, lowered: Lowered, steps: Mapping[str, Step]) -> None:
        """Remember what was built, for the export."""
        if self._settings.export and lowered.definition:
            self._evaluated[hashlib.sha256(lowered.definition).hexdigest()] = lowered
            self._new = self._new or _is_new(steps)

    async def around(self, options: Mapping[str, str], build: Build) -> Solved:
        """Build a Dockerfile, with a cache of its own: BuildKit cannot merge it with another.

        Args:
            options: The frontend's, which tell it from others.
            build: Builds it, given what caches to import from and which one to export to.
        """
        imports = tuple(_beside(address, options) for address in self._settings.imports)
        solved = await build(imports, "")
        if self._settings.export and _is_new(solved.steps):
            address = _beside(self._settings.export, options)
            self._told_failure((await build(imports, address)).steps, address)
        return solved

    def _imported(self, address: str, error: str) -> None:
        if address in self._found:
            return
        self._found[address] = not error
        if error and "not found" in error:
            self._say(f"there is none at {address} yet")
        elif error:
            self._say(f"nothing is imported from {address}: {_reason(error)}")

    def _told_failure(self, steps: Mapping[str, Step], address: str) -> bool:
        """Tell why a cache could not be written; returns whether that is so."""
        errors = [s.error for s in steps.values() if s.name.startswith(EXPORTING) and s.error]
        if errors:
            self._say(f"not exported to {address}: {_reason(errors[0])}")
        return bool(errors)

    # -- at its end ------------------------------------------------------------------------------------------------

    async def export(self) -> None:
        """Export what the session evaluated, unless all of it came from caches. Fails never; says why in one line."""
        address = self._settings.export
        known = {key: lowered for key, lowered in self._evaluated.items() if _is_there(lowered)}
        if not any(lowered.execs for lowered in known.values()):
            return
        if not self._new and self._found.get(address):
            return
        self._say(f"exporting to {address}")
        began = time.monotonic()
        try:
            solved = await self._export(list(known.values()), address)
        except SolveError as error:
            self._say(f"not exported to {address}: {_reason(str(error))}")
            return
        if solved is None:
            self._say(f"not exported to {address}: what was built has changed or is gone since")
            return
        if not self._told_failure(solved.steps, address):
            self._say(f"exported to {address} in {duration(time.monotonic() - began)}")

    async def _export(self, parts: list[Lowered], address: str) -> Solved | None:
        # Its steps are no progress: they were all shown before.
        buildkit = replace(self._with_caches(), progress=Progress(View()))
        # What was missing at first was built since.
        self._primer.forget()
        for _attempt in range(ATTEMPTS):
            if not parts:
                return None
            whole = Merge()
            for part in parts:
                whole.take(part)
            try:
                lowered = whole.finished("export the cache")
                secrets = self._secrets.known(lowered.secrets)
                return await buildkit.solve(lowered, secrets=secrets, cache_to=address)
            except NotCachedError as error:
                await self._primer.missed(str(error))
                # A file of this machine is another one by now: what was made of it is not built again for this.
                parts = [part for part in parts if not self._primer.missing & part.execs.keys()]
        return None

    def _say(self, text: str) -> None:
        self._buildkit.progress.line(f"cache: {text}")


def _is_there(lowered: Lowered) -> bool:
    offered = (*lowered.locals.values(), *lowered.layouts.values(), *lowered.sockets.values())
    return all(Path(path).exists() for path in offered)


def _is_new(steps: Mapping[str, Step]) -> bool:
    return any(step.is_command and not step.cached for step in steps.values())


def _reason(error: str) -> str:
    return brief(told(error.removeprefix("failed to configure registry cache importer: ")), 400)


def _beside(address: str, options: Mapping[str, str]) -> str:
    """An address whose tag tells some options too; a tag has 128 characters at most."""
    name, _, tag = address.partition("@")[0].rpartition(":")
    digest = hashlib.sha256(repr(sorted(options.items())).encode()).hexdigest()
    return f"{name}:{tag[:100]}-{digest[:12]}"

"""Everything that a session does to the outside: builds, reads, exports, pushes. One method, one effect."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from drydock import cacheconfig, daemonconfig, paths
from drydock.buildkit import BuildKit, Solved, SolveError
from drydock.errors import ApiError, ExecError, MissingPathError
from drydock.exporting import Exports
from drydock.gitrepos import GitRepositories
from drydock.graph import Exec, ExecRoot, Expect, Fs, MakeDir, Scratch
from drydock.imagestore import ImageStore
from drydock.inflight import InFlight
from drydock.llb import lower
from drydock.llb_assembly import LINK, Lowered, Settings
from drydock.logins import Logins
from drydock.objects import Service
from drydock.progress_state import Step
from drydock.reading import Reader
from drydock.secretstore import SecretStore
from drydock.services import Services
from drydock.sharedcache import SharedCache
from drydock.trees import Trees

DEFAULT_PLATFORM = "linux/amd64"
PARALLEL = 64
"""Builds of one session at once: each takes three pipes of the 1024 files that a process may open."""
CLOSE_WITHIN = 30
"""Seconds for services and look-ups to end with their session."""
_EXIT_CODE = re.compile(r"exit code: (\d+)")
_NOT_FOUND = re.compile(
    r'"([^"]*)": not found|(?:lstat|open|stat) (\S+): (?:no such file|not a directory)'
)


@dataclass
class Engine:
    """The effects of one session on one BuildKit daemon."""

    buildkit: BuildKit
    cwd: Path
    """Relative paths of the client start here."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def __post_init__(self) -> None:
        """Make the parts that the session's effects share."""
        self.secrets = SecretStore(self.environment, self.cwd)
        self.logins = Logins(self.environment)
        self.buildkit.docker_config = lambda: self.logins.folder
        self.buildkit.authorities = daemonconfig.authorities(paths.config())
        settings = cacheconfig.load(self.environment, paths.config())
        self.cache = SharedCache(settings, self.buildkit, self.secrets)
        if settings.login:
            for address in settings.addresses:
                self.logins.add(address, *settings.login)
        self.services = Services(self)
        self.reader = Reader(self)
        self.trees = Trees(self.reader)
        self.exports = Exports(self)
        self.images = ImageStore(self)
        self.repositories = GitRepositories(self)
        self._solving: InFlight[Solved] = InFlight()
        self._slots = asyncio.Semaphore(PARALLEL)

    async def close(self) -> None:
        """End what the session started, and forget its logins."""
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await self.services.close()
                await self.images.close()
        except TimeoutError:
            self.buildkit.progress.line(
                f"what this session started has not ended within {CLOSE_WITHIN} s; it is killed now"
            )
        self.logins.forget()

    # -- building --------------------------------------------------------------------------------------------------

    async def solve(self, fs: Fs, output: str = "") -> Solved:
        """Build a file system, and export it if `output` (see `BuildKit.solve`) says so.

        Who asks for what is being built already waits for that.

        Raises:
            ExecError: If a command in it fails.
            ApiError: If anything else does.
        """
        lowered = await self.lowered(fs)
        if not lowered.definition:
            # The empty file system: nothing to build; an exporter still needs something to hold on to.
            if not output:
                return Solved()
            lowered = await self.lowered(MakeDir(Scratch(), "/."))
        key = hashlib.sha256(lowered.definition + output.encode()).hexdigest()
        return await self._solving.share(key, lambda: self._solve_in_turn(lowered, output))

    async def serve(self, spec: Exec) -> None:
        """Run a service to its end, however many builds are under way: they may wait for it.

        Raises:
            ApiError: As `solve` does.
        """
        self.cache.evaluated(await self.lowered(spec.root), {})
        await self._solve(await self.lowered(ExecRoot(spec)), "")

    async def _solve_in_turn(self, lowered: Lowered, output: str) -> Solved:
        def build(buildkit: BuildKit) -> Awaitable[Solved]:
            return self._solve(lowered, output, buildkit)

        async with self._slots:
            solved = await self.cache.solve(lowered, await self._started_by(lowered), build)
        self.cache.evaluated(lowered, solved.steps)
        return solved

    async def _started_by(self, lowered: Lowered) -> list[Lowered]:
        """What the services are made of that the execs of a definition may start."""
        services = [s for s in lowered.services.values() if isinstance(s, Service)]
        roots = [await self.lowered(service.container.fs) for service in services]
        return [root for root in roots if root.definition]

    async def _solve(
        self, lowered: Lowered, output: str, buildkit: BuildKit | None = None
    ) -> Solved:
        secrets = self.secrets.known(lowered.secrets)
        since = self.services.mark()
        try:
            return await (buildkit or self.buildkit).solve(lowered, output, secrets=secrets)
        except SolveError as error:
            raise self.services.fault(lowered.services, since) or explain(error, lowered) from None

    async def lowered(self, fs: Fs) -> Lowered:
        """A definition; the services that its execs are bound to are known, and start when those run."""
        lowered = lower(fs, Settings(self.shim, DEFAULT_PLATFORM))
        self.services.know(lowered.services)
        if LINK in lowered.sockets:
            lowered.sockets[LINK] = await self.services.link.path()
        return lowered

    @cached_property
    def shim(self) -> str:
        """The folder of the program that every exec runs under."""
        return str(paths.binary("drydock-shim").parent)

    async def sync(self, fs: Fs) -> None:
        """Build a file system and keep it in the daemon's cache."""
        if not isinstance(fs, Scratch):
            await self.solve(fs)

    def host(self, path: str) -> Path:
        """A path of this machine as the client means it."""
        return Path(os.path.normpath(self.cwd / Path(path).expanduser()))


def explain(error: SolveError, lowered: Lowered) -> ApiError:
    """BuildKit's error as the API tells it."""
    for step in error.steps.values():
        if step.error and step.name in lowered.execs and (code := _EXIT_CODE.search(step.error)):
            return _exec_error(lowered.execs[step.name], step, int(code[1]))
    text = str(error)
    if missing := _NOT_FOUND.search(text):
        return MissingPathError(missing[1] or missing[2])
    return ApiError(text)


def _exec_error(spec: Exec, step: Step, code: int) -> ExecError:
    # The shim ends with 1 where a failure was expected and none came.
    wanted_failure = spec.expect is Expect.FAILURE and code == 1
    return ExecError(list(spec.args), 0 if wanted_failure else code, step.output(1), step.output(2))

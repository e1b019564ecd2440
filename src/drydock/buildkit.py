"""Runs `buildctl`, BuildKit's own client: one process for each thing to build."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import csv
import io
import json
import os
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drydock import daemon, paths, programs, temporary
from drydock.errors import DrydockError
from drydock.faults import told
from drydock.inflight import shared
from drydock.llb_assembly import Lowered
from drydock.logins import GIVEN
from drydock.progress import Progress
from drydock.progress_state import Step, seconds_between
from drydock.silence import Limits, SilentError, Watch

IMPORTING = "importing cache manifest from "
"""How BuildKit names its look into a cache; it is no step of the build."""
LINE_LIMIT = 64 << 20
"""Bytes of one progress line: it carries what a command printed, in base64."""
BLOB_WITHIN = 60
"""Seconds for the daemon to give a manifest or an image config that it has."""
ENDED_WITHIN = 30
"""Seconds for buildctl to end after its last line."""


@dataclass
class Solved:
    """How a build ended."""

    metadata: dict[str, Any] = field(default_factory=dict)
    stdout: bytes = b""
    steps: dict[str, Step] = field(default_factory=dict)


class SolveError(Exception):
    """A build failed: BuildKit's message, and the steps with what they printed."""

    def __init__(self, message: str, steps: dict[str, Step]) -> None:
        super().__init__(message)
        self.steps = steps


class NotCachedError(Exception):
    """A command would have been run that was not to; its argument is the step's name."""


@dataclass
class BuildKit:
    """A BuildKit daemon; it is looked for, and started, when something is built."""

    progress: Progress
    locate: Callable[[], str] = lambda: daemon.ensure().address
    """Gives its address (`unix://…`, `tcp://…`)."""
    docker_config: Callable[[], Path | None] = lambda: None
    """Gives the folder with the registry logins of the session, in Docker's format; None: the user's own."""
    caches: tuple[str, ...] = ()
    """Image addresses of build caches that every definition is looked for in."""
    only_cached: bool = False
    """End as soon as a command would be run."""
    authorities: Mapping[str, str] = field(default_factory=dict)
    """Files of certificate authorities by registry: the tokens that one wants are fetched here, not by the daemon."""
    imported: Callable[[str, str], None] = lambda _address, _error: None
    """Told how each look into one of them ended: its address, and what went wrong."""
    limits: Limits = field(default_factory=Limits)
    """How long a build may be silent."""
    _address: asyncio.Task[str] | None = None

    async def address(self) -> str:
        """The daemon's address, once it answers.

        Raises:
            DrydockError: If there is no daemon, and none can be started.
        """
        if self._address is None:
            self._address = shared(asyncio.to_thread(self.locate))
        return await asyncio.shield(self._address)

    async def solve(
        self,
        lowered: Lowered,
        output: str = "",
        *,
        secrets: dict[str, bytes] | None = None,
        cache_to: str = "",
    ) -> Solved:
        """Build a definition.

        Args:
            lowered: What to build, with its local directories, layouts and secrets' ids.
            output: An exporter as `buildctl --output` has it; with `dest=-` its bytes are returned.
            secrets: Plaintexts by id.
            cache_to: Image address of the build cache that it is exported to, with all it is made of; empty: none.

        Raises:
            NotCachedError: If a command would be run, and is not to.
            SolveError: If BuildKit cannot build or export it.
        """
        args = _cache_options(self.caches, cache_to)
        for name, path in lowered.locals.items():
            args += ["--local", f"{name}={path}"]
        for name, path in lowered.layouts.items():
            args += ["--oci-layout", f"{name}={path}"]
        for name, path in lowered.sockets.items():
            args += ["--ssh", f"{name}=raw=true,{path}"]
        if lowered.insecure:
            args += ["--allow", "security.insecure"]
        unwanted = frozenset(lowered.execs) if self.only_cached else frozenset[str]()
        watch = Watch(self.limits, frozenset(lowered.execs))
        return await self._run(
            args, output, secrets, watch, stdin=lowered.definition, unwanted=unwanted
        )

    async def dockerfile(
        self,
        folder: str,
        options: Mapping[str, str],
        output: str = "",
        secrets: Mapping[str, bytes] | None = None,
        *,
        layouts: Mapping[str, str] | None = None,
        caches: Sequence[str] = (),
        cache_to: str = "",
        limits: Limits | None = None,
    ) -> Solved:
        """Build a folder with BuildKit's own Dockerfile frontend.

        Args:
            folder: The build's context, with the Dockerfile in it.
            options: The frontend's: `filename`, `target`, `build-arg:NAME`, `platform`.
            output: As in `solve`.
            secrets: Plaintexts by the id that the Dockerfile knows them by.
            layouts: Folders of OCI layouts by the name that the options know them by.
            caches: Image addresses of build caches that it is looked for in.
            cache_to: As in `solve`; where that fails, the build does not.
            limits: How long it may be silent (default: as long as any build).

        Raises:
            SolveError: If BuildKit cannot build or export it.
        """
        args = ["--frontend", "dockerfile.v0", *_cache_options(caches, cache_to)]
        args += ["--local", f"context={folder}", "--local", f"dockerfile={folder}"]
        for name, value in options.items():
            args += ["--opt", f"{name}={value}"]
        for name, path in (layouts or {}).items():
            args += ["--oci-layout", f"{name}={path}"]
        return await self._run(args, output, secrets, Watch(limits or self.limits))

    async def _run(
        self,
        args: list[str],
        output: str,
        secrets: Mapping[str, bytes] | None,
        watch: Watch,
        *,
        stdin: bytes = b"",
        unwanted: Collection[str] = (),
    ) -> Solved:
        """Run `buildctl build …` to its end; when cancelled, the build is cancelled."""
        args = ["build", "--progress", "rawjson", *args]
        for host, file in self.authorities.items():
            args += ["--registry-auth-tlscontext", _row([f"host={host}", f"ca={file}"])]
        if output:
            args += ["--output", output]
        with temporary.folder() as folder, contextlib.ExitStack() as opened:
            files = []
            for identity, plaintext in sorted((secrets or {}).items()):
                files.append(opened.enter_context(_in_memory(plaintext)))
                args += ["--secret", f"id={identity},src=/proc/self/fd/{files[-1]}"]
            metadata = folder / "metadata.json"
            solved = Solved()
            async with self._process([*args, "--metadata-file", str(metadata)], files) as process:
                reader = asyncio.create_task(_read_all(process.stdout))
                feeder = asyncio.create_task(_feed(process, stdin))
                watch.begin()
                try:
                    rest = await self._follow(process, solved, unwanted, watch)
                    async with asyncio.timeout(ENDED_WITHIN):
                        solved.stdout = await reader
                        await feeder
                        code = await process.wait()
                except SilentError as error:
                    raise SolveError(str(error), solved.steps) from None
                except TimeoutError:
                    raise SolveError(
                        f"buildctl has said its last word and does not end within {ENDED_WITHIN} s; run it again",
                        solved.steps,
                    ) from None
                finally:
                    self.progress.left(solved.steps)
            if code:
                raise SolveError(told(_message(rest)), solved.steps)
            if metadata.exists():
                solved.metadata = json.loads(metadata.read_text())
            return solved

    async def blob(self, digest: str) -> bytes:
        """A blob of the daemon's content store: a manifest, an image config."""
        async with self._process(["debug", "get", digest]) as process:
            try:
                async with asyncio.timeout(BLOB_WITHIN):
                    out, err = await process.communicate()
            except TimeoutError:
                raise DrydockError(
                    f"the BuildKit daemon has not given blob {digest} within {BLOB_WITHIN} s. See whether it is "
                    "overloaded ('drydock status'), and run it again"
                ) from None
        if process.returncode:
            raise DrydockError(
                f"BuildKit has no blob {digest}: {err.decode(errors='replace').strip()}"
            )
        return out

    @contextlib.asynccontextmanager
    async def _process(
        self, args: list[str], files: Sequence[int] = ()
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        address = await self.address()
        environment = dict(os.environ)
        if folder := self.docker_config():
            environment["DOCKER_CONFIG"] = str(folder)
            environment.pop(GIVEN, None)  # what it says is in the folder
        process = await programs.start(
            str(paths.binary("buildctl")),
            "--addr",
            address,
            *args,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            pass_fds=files,
            limit=LINE_LIMIT,
        )
        try:
            yield process
        finally:
            # Ctrl-C is handled here, once: buildctl is told to end, and cancels its build.
            await programs.end(process)

    async def _follow(
        self,
        process: asyncio.subprocess.Process,
        solved: Solved,
        unwanted: Collection[str],
        watch: Watch,
    ) -> list[str]:
        """Read progress until buildctl ends; returns the lines that are not progress."""
        assert process.stderr is not None  # noqa: S101  # it is a pipe
        rest = []
        while line := await watch.within(process.stderr.readline):
            if not line.startswith(b"{"):
                rest.append(line.decode(errors="replace").rstrip())
                continue
            event = json.loads(line)
            watch.take(event)
            for vertex in event.get("vertexes") or ():
                if vertex["name"].startswith(IMPORTING):
                    self._imported(vertex)
                    continue
                self._vertex(solved.steps, vertex, unwanted)
            for status in event.get("statuses") or ():
                self.progress.transferred(status)
            for log in event.get("logs") or ():
                self._log(solved.steps, log)
        return rest

    def _imported(self, vertex: dict[str, Any]) -> None:
        if vertex.get("completed"):
            self.imported(vertex["name"].removeprefix(IMPORTING), vertex.get("error", ""))

    def _vertex(
        self, steps: dict[str, Step], vertex: dict[str, Any], unwanted: Collection[str]
    ) -> None:
        step = steps.setdefault(vertex["digest"], Step(vertex["digest"]))
        step.name = vertex["name"]
        step.cached = step.cached or vertex.get("cached", False)
        step.error = vertex.get("error", "")
        if step.name in unwanted and vertex.get("started") and not step.cached:
            raise NotCachedError(step.name)
        if vertex.get("completed") and vertex.get("started"):
            step.seconds = seconds_between(vertex)
            self.progress.ended(step)
        elif vertex.get("started") and not step.cached:
            self.progress.started(step)

    def _log(self, steps: dict[str, Step], log: dict[str, Any]) -> None:
        data = base64.b64decode(log["data"])
        step = steps.setdefault(log["vertex"], Step(log["vertex"]))
        stream = log.get("stream", 1)
        step.logs.setdefault(stream, bytearray()).extend(data)
        self.progress.printed(step, stream, data, teller=steps)


def exporter(kind: str, attributes: Mapping[str, str]) -> str:
    """An exporter for `--output`; attributes with commas and quotes come through (CSV)."""
    return _row([f"type={kind}", *(f"{name}={value}" for name, value in attributes.items())])


def _row(fields: Sequence[str]) -> str:
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(fields)
    return row.getvalue()


def _cache_options(imports: Sequence[str], export: str) -> list[str]:
    options = []
    for address in imports:
        options += ["--import-cache", f"type=registry,ref={address}"]
    if export:
        # A manifest of the usual kind: some registries take no index of layers without an image.
        kind = "mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"
        options += ["--export-cache", f"type=registry,ref={export},{kind}"]
    return options


@contextlib.contextmanager
def _in_memory(data: bytes) -> Iterator[int]:
    """A file in memory: no disk, no command line and no environment has what is in it."""
    descriptor = os.memfd_create("secret")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(data)
        yield descriptor
    finally:
        os.close(descriptor)


async def _read_all(stream: asyncio.StreamReader | None) -> bytes:
    return await stream.read() if stream else b""


async def _feed(process: asyncio.subprocess.Process, data: bytes) -> None:
    assert process.stdin is not None  # noqa: S101  # it is a pipe
    # buildctl may end, with its own message, before it has read everything.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()


def _message(lines: list[str]) -> str:
    """BuildKit's last word, without its own prefixes."""
    text = "\n".join(line for line in lines if line.strip())
    for prefix in ("error: ", "failed to solve: "):
        text = text.removeprefix(prefix)
    return text or "buildctl ended without a message"

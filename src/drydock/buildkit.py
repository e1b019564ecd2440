"""Runs `buildctl`, BuildKit's own client: one process for each thing to build."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import csv
import io
import json
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drydock import daemon, paths
from drydock.errors import DrydockError
from drydock.llb import Lowered
from drydock.progress import Progress, Step, seconds_between

LINE_LIMIT = 64 << 20
"""Bytes of one progress line: it carries what a command printed, in base64."""


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


@dataclass
class BuildKit:
    """A BuildKit daemon; it is looked for, and started, when something is built."""

    progress: Progress
    locate: Callable[[], str] = lambda: daemon.ensure().address
    """Gives its address (`unix://…`, `tcp://…`)."""
    docker_config: Callable[[], Path | None] = lambda: None
    """Gives the folder with the registry logins of the session, in Docker's format; None: the user's own."""
    _address: asyncio.Task[str] | None = None

    async def address(self) -> str:
        """The daemon's address, once it answers.

        Raises:
            DrydockError: If there is no daemon, and none can be started.
        """
        if self._address is None:
            self._address = asyncio.create_task(asyncio.to_thread(self.locate))
        return await asyncio.shield(self._address)

    async def solve(
        self,
        lowered: Lowered,
        output: str = "",
        *,
        secrets: dict[str, bytes] | None = None,
        on_log: Any = None,
    ) -> Solved:
        """Build a definition.

        Args:
            lowered: What to build, with its local directories, layouts and secrets' ids.
            output: An exporter as `buildctl --output` has it; with `dest=-` its bytes are returned.
            secrets: Plaintexts by id.
            on_log: Called with each piece of output, for a caller that cannot wait for the end.

        Raises:
            SolveError: If BuildKit cannot build or export it.
        """
        args = []
        for name, path in lowered.locals.items():
            args += ["--local", f"{name}={path}"]
        for name, path in lowered.layouts.items():
            args += ["--oci-layout", f"{name}={path}"]
        if lowered.insecure:
            args += ["--allow", "security.insecure"]
        return await self._run(args, output, secrets, stdin=lowered.definition, on_log=on_log)

    async def dockerfile(
        self,
        folder: str,
        options: Mapping[str, str],
        output: str = "",
        secrets: Mapping[str, bytes] | None = None,
    ) -> Solved:
        """Build a folder with BuildKit's own Dockerfile frontend.

        Args:
            folder: The build's context, with the Dockerfile in it.
            options: The frontend's: `filename`, `target`, `build-arg:NAME`, `platform`.
            output: As in `solve`.
            secrets: Plaintexts by the id that the Dockerfile knows them by.

        Raises:
            SolveError: If BuildKit cannot build or export it.
        """
        args = ["--frontend", "dockerfile.v0"]
        args += ["--local", f"context={folder}", "--local", f"dockerfile={folder}"]
        for name, value in options.items():
            args += ["--opt", f"{name}={value}"]
        return await self._run(args, output, secrets)

    async def _run(
        self,
        args: list[str],
        output: str,
        secrets: Mapping[str, bytes] | None,
        *,
        stdin: bytes = b"",
        on_log: Any = None,
    ) -> Solved:
        """Run `buildctl build …` to its end; when cancelled, the build is cancelled."""
        args, env = ["build", "--progress", "rawjson", *args], {}
        for number, (identity, plaintext) in enumerate(sorted((secrets or {}).items())):
            # By an environment variable: a command line is open to every user of the machine.
            env[f"DRYDOCK_SECRET_{number}"] = plaintext
            args += ["--secret", f"id={identity},env=DRYDOCK_SECRET_{number}"]
        if output:
            args += ["--output", output]
        with tempfile.TemporaryDirectory(prefix="drydock-") as folder:
            metadata = Path(folder) / "metadata.json"
            solved = Solved()
            async with self._process([*args, "--metadata-file", str(metadata)], env) as process:
                reader = asyncio.create_task(_read_all(process.stdout))
                feeder = asyncio.create_task(_feed(process, stdin))
                rest = await self._follow(process, solved, on_log)
                solved.stdout = await reader
                await feeder
                code = await process.wait()
            if code:
                raise SolveError(_message(rest), solved.steps)
            if metadata.exists():
                solved.metadata = json.loads(metadata.read_text())
            return solved

    async def blob(self, digest: str) -> bytes:
        """A blob of the daemon's content store: a manifest, an image config."""
        async with self._process(["debug", "get", digest], None) as process:
            out, err = await process.communicate()
        if process.returncode:
            raise DrydockError(
                f"BuildKit has no blob {digest}: {err.decode(errors='replace').strip()}"
            )
        return out

    @contextlib.asynccontextmanager
    async def _process(
        self, args: list[str], env: dict[str, bytes] | None
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        environment = {os.fsencode(k): os.fsencode(v) for k, v in os.environ.items()}
        environment |= {os.fsencode(k): v for k, v in (env or {}).items()}
        if folder := self.docker_config():
            environment[b"DOCKER_CONFIG"] = os.fsencode(folder)
        process = await asyncio.create_subprocess_exec(
            str(paths.binary("buildctl")),
            "--addr",
            await self.address(),
            *args,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            limit=LINE_LIMIT,
            # Ctrl-C is handled here, once: buildctl is told to end, and cancels its build.
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
                await _ended(process)

    async def _follow(
        self, process: asyncio.subprocess.Process, solved: Solved, on_log: Any
    ) -> list[str]:
        """Read progress until buildctl ends; returns the lines that are not progress."""
        assert process.stderr is not None  # noqa: S101  # it is a pipe
        rest = []
        async for line in process.stderr:
            if not line.startswith(b"{"):
                rest.append(line.decode(errors="replace").rstrip())
                continue
            event = json.loads(line)
            for vertex in event.get("vertexes") or ():
                self._vertex(solved.steps, vertex)
            for log in event.get("logs") or ():
                self._log(solved.steps, log, on_log)
        return rest

    def _vertex(self, steps: dict[str, Step], vertex: dict[str, Any]) -> None:
        step = steps.setdefault(vertex["digest"], Step(vertex["digest"]))
        step.name = vertex["name"]
        step.cached = step.cached or vertex.get("cached", False)
        step.error = vertex.get("error", "")
        if vertex.get("completed") and vertex.get("started"):
            step.seconds = seconds_between(vertex)
            self.progress.ended(step)
        elif vertex.get("started"):
            self.progress.started(step)

    def _log(self, steps: dict[str, Step], log: dict[str, Any], on_log: Any) -> None:
        data = base64.b64decode(log["data"])
        step = steps.setdefault(log["vertex"], Step(log["vertex"]))
        step.logs.setdefault(log.get("stream", 1), bytearray()).extend(data)
        text = data.decode(errors="replace")
        if on_log:
            on_log(text)
        self.progress.printed(step, text, teller=steps)


def exporter(kind: str, attributes: Mapping[str, str]) -> str:
    """An exporter for `--output`; attributes with commas and quotes come through (CSV)."""
    row = io.StringIO()
    fields = [f"type={kind}", *(f"{name}={value}" for name, value in attributes.items())]
    csv.writer(row, lineterminator="").writerow(fields)
    return row.getvalue()


async def _read_all(stream: asyncio.StreamReader | None) -> bytes:
    return await stream.read() if stream else b""


async def _feed(process: asyncio.subprocess.Process, data: bytes) -> None:
    assert process.stdin is not None  # noqa: S101  # it is a pipe
    # buildctl may end, with its own message, before it has read everything.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()


async def _ended(process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(10):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _message(lines: list[str]) -> str:
    """BuildKit's last word, without its own prefixes."""
    text = "\n".join(line for line in lines if line.strip())
    for prefix in ("error: ", "failed to solve: "):
        text = text.removeprefix(prefix)
    return text or "buildctl ended without a message"

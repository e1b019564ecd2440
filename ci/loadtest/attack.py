"""Sends the streams with vegeta, which starts each request on its tick, whether or not the former came back."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from slipway.server.names import HEADER

from .streams import Stream
from .summary import Sample

DEADLINE_SECONDS = 15
HERE = Path(__file__).parent


def vegeta() -> str:
    """The program's path; Go compiles it the first time, from the module beside this file."""
    command = ["go", "-C", str(HERE), "tool", "-n", "vegeta"]
    environment = {**os.environ, "CGO_ENABLED": "0"}
    return subprocess.check_output(command, text=True, env=environment).strip()


@dataclass(frozen=True)
class Attack:
    """Where the streams go.

    Attributes:
        address: The server's, for every public name.
        ca: The authority of its certificate, a PEM file.
        rate: Requests a second of each stream.
        folder: For what vegeta reads and writes.
    """

    address: str
    ca: Path
    rate: int
    folder: Path

    @contextmanager
    def running(self, streams: Sequence[Stream], into: list[Sample]) -> Iterator[None]:
        """All streams at once, for as long as the context lasts, and until their last answer.

        Args:
            streams: The streams.
            into: Gets every request that was sent.

        Raises:
            subprocess.CalledProcessError: vegeta failed.
        """
        program = vegeta()
        files = [self.folder / f"{number}.bin" for number, _ in enumerate(streams)]
        commands = [
            self._command(program, stream, file)
            for stream, file in zip(streams, files, strict=True)
        ]
        processes = [subprocess.Popen(command) for command in commands]
        try:
            yield
        finally:
            for process in processes:
                process.send_signal(signal.SIGINT)
            codes = [process.wait(DEADLINE_SECONDS + 10) for process in processes]
        for code, command in zip(codes, commands, strict=True):
            if code:
                raise subprocess.CalledProcessError(code, command)
        into += _read(program, files)

    def _command(self, program: str, stream: Stream, file: Path) -> list[str]:
        host = stream.url.split("/")[2]
        return [
            *(program, "attack", f"-name={stream.name}", f"-rate={self.rate}", "-duration=0"),
            *(f"-targets={self._target(stream, file)}", "-format=json", f"-output={file}"),
            *(f"-root-certs={self.ca}", f"-connect-to={host}:443:{self.address}:443"),
            *(f"-keepalive={str(stream.keep).lower()}", f"-http2={str(stream.http2).lower()}"),
            *(f"-timeout={DEADLINE_SECONDS}s", "-redirects=-1", "-max-body=0"),
        ]

    def _target(self, stream: Stream, file: Path) -> Path:
        target = {"method": stream.method, "url": stream.url}
        if stream.body:
            body = base64.b64encode(json.dumps(stream.body).encode()).decode()
            target |= {"body": body, "header": {"Content-Type": ["application/json"]}}  # type: ignore[dict-item]
        path = file.with_suffix(".json")
        path.write_text(json.dumps(target) + "\n")
        return path


def _read(program: str, files: Sequence[Path]) -> list[Sample]:
    """What vegeta wrote down."""
    encode = [program, "encode", "-to=json", *map(str, files)]
    text = subprocess.check_output(encode, text=True)
    return sorted((_sample(line) for line in text.splitlines()), key=lambda sample: sample.at)


def _sample(line: str) -> Sample:
    found = json.loads(line)
    return Sample(
        stream=found["attack"],
        at=datetime.fromisoformat(found["timestamp"]).timestamp(),
        seconds=found["latency"] / 1e9,
        status=found["code"],
        release=((found["headers"] or {}).get(HEADER) or [""])[0],
        error=found["error"],
    )

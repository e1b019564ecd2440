"""Sends streams from inside the server, as one app of a site asks another."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ci.lab.server import Server
from ci.lab.settings import LabError
from slipway.server.names import HEADER, WEB

from .attack import DEADLINE_SECONDS
from .streams import Stream
from .summary import Sample

PROGRAM = Path(__file__).parent / "inside.cjs"
CONTAINER = "load-inside"
# Whatever becomes of this process, the container ends by then.
MOST_SECONDS = 300
START_SECONDS = 30


@dataclass(frozen=True)
class Inside:
    """Where the streams come from.

    Attributes:
        server: The server.
        image: One with Node.js in it, which the server has.
        rate: Requests a second of each stream.
        folder: For what is read back.
    """

    server: Server
    image: str
    rate: int
    folder: Path

    @contextmanager
    def running(self, streams: Sequence[Stream], into: list[Sample]) -> Iterator[None]:
        """All streams at once, for as long as the context lasts, and until their last answer.

        Args:
            streams: The streams.
            into: Gets every request that was sent.

        Raises:
            LabError: The container did not start, or failed.
        """
        file = self.folder / "inside.jsonl"
        command = self._command(streams)
        with PROGRAM.open("rb") as program, file.open("wb") as output:
            process = subprocess.Popen(command, stdin=program, stdout=output)
        try:
            _wait(process, file)
            yield
        finally:
            self._stop(process)
        if process.returncode:
            raise LabError(f"{CONTAINER} ended with exit code {process.returncode}; see above")
        into += samples(file.read_text())

    def _command(self, streams: Sequence[Stream]) -> list[str]:
        """A container that is on no network of a site, and is led to the proxy as an app is."""
        (host,) = {urlsplit(stream.url).hostname for stream in streams}
        run = [
            *("docker", "run", "--rm", "--interactive", "--pull=never", f"--name={CONTAINER}"),
            *(f"--network={WEB}", f"--link={self._proxy()}:{host}", "--entrypoint=node"),
            *(self.image, "-", json.dumps(self._asked(streams))),
        ]
        ssh = ["ssh", "-F", str(self.server.ssh_config), self.server.name]
        return [*ssh, shlex.join(run)]

    def _asked(self, streams: Sequence[Stream]) -> dict[str, object]:
        return {
            "streams": [{"name": s.name, "url": s.url, "keep": s.keep} for s in streams],
            "rate": self.rate,
            "most": MOST_SECONDS,
            "deadline": DEADLINE_SECONDS,
            "header": HEADER.lower(),
        }

    def _proxy(self) -> str:
        """The container that has port 443.

        Raises:
            LabError: There is none, or more than one.
        """
        listed = self.server.ssh("docker ps --filter publish=443 --format '{{.Names}}'").split()
        if len(listed) != 1:
            raise LabError(f"expected one container with port 443, there are {len(listed)}")
        return listed[0]

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        """Let it send no more, and have its last answers; by force where it does not end."""
        try:
            if process.poll() is None:
                self.server.ssh(f"docker kill --signal=TERM {CONTAINER}")
            process.wait(DEADLINE_SECONDS + 10)
        finally:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], file: Path) -> None:
    """Return when the first request has been answered.

    Raises:
        LabError: None is in time.
    """
    deadline = time.monotonic() + START_SECONDS
    while not file.stat().st_size:
        if process.poll() is not None:
            raise LabError(f"{CONTAINER} ended with exit code {process.returncode}; see above")
        if time.monotonic() > deadline:
            raise LabError(f"{CONTAINER}: nothing was asked in {START_SECONDS} s")
        time.sleep(0.1)


def samples(text: str) -> list[Sample]:
    """What the program wrote down."""
    sent = (Sample(**json.loads(line)) for line in text.splitlines())
    return sorted(sent, key=lambda sample: sample.at)

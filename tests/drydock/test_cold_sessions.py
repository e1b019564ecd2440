"""Sessions that begin with nothing: no daemon, no image, no blob; two at a time. Each comes to its end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from drydock import paths
from drydock.errors import ApiError
from drydock.unpack import unpack

DRYDOCK = Path(sys.executable).with_name("drydock")
WITHIN = 90
"""Seconds for a cold session; it takes five to fifteen on two busy cores."""

# As the SDK's own tests use images: the first use of each by several at once, beside failures and who gives up.
CLIENT = """
import asyncio, sys
import dagger
from dagger import dag

IMAGES = sys.argv[1:]

async def command(image):
    container = dag.container().from_(image)
    assert await container.with_exec(["cat", "/etc/debian_version"]).stdout()

async def config(image):
    names = [await one.name() for one in await dag.container().from_(image).env_variables()]
    assert "PATH" in names

async def dockerfile(image):
    text = f"FROM {image}\\nARG WORD=none\\nENV WORD=$WORD\\nCMD printenv WORD\\n"
    built = dag.directory().with_new_file("Dockerfile", text).docker_build(
        build_args=[dagger.BuildArg("WORD", "given")]
    )
    assert await built.with_exec([]).stdout() == "given\\n"

async def export(image):
    tree = dag.directory().with_new_file("one", "1")
    await tree.with_directory("etc", dag.container().from_(image).directory("/etc/apt")).export("out")

async def missing(image):
    try:
        await dag.container().from_(f"{image}-none").sync()
    except dagger.QueryError as error:
        assert "failed to resolve image" in str(error), error
    else:
        raise AssertionError("there is no such image")

async def given_up(image):
    command = ["sh", "-c", "sleep 30"]
    asking = asyncio.ensure_future(dag.container().from_(image).with_exec(command).sync())
    await asyncio.sleep(0.2)
    asking.cancel()
    await asyncio.wait([asking])

async def main():
    uses = (command, config, dockerfile, export, missing, given_up)
    async with dagger.connection(dagger.Config(retry=None)):
        await asyncio.gather(*(use(image) for use in uses for image in IMAGES))

asyncio.run(main())
"""


@dataclass
class Cold:
    """A place without daemon, image or blob."""

    root: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, name: str, *command: str, **options: Any) -> subprocess.Popen[str]:
        """Run a program with caches of its own, on the place's daemon."""
        for folder in ("cache", "tmp", "cwd"):
            (self.root / name / folder).mkdir(parents=True)
        process = subprocess.Popen(
            command,
            cwd=self.root / name / "cwd",
            env={
                **self.environment(),
                "XDG_CACHE_HOME": str(self.root / name / "cache"),
                "TMPDIR": str(self.root / name / "tmp"),
            },
            text=True,
            **options,
        )
        self.started.append(process)
        return process

    def session(self, name: str, *images: str) -> subprocess.Popen[str]:
        """Run the client in a session of its own, without waiting."""
        command = (str(DRYDOCK), "--silent", "run", "--", sys.executable, "-c", CLIENT, *images)
        with (self.root / f"{name}.log").open("w") as log:
            return self.start(name, *command, stdout=log, stderr=subprocess.STDOUT)

    def environment(self) -> dict[str, str]:
        """Variables by which the daemon is in this place."""
        config = paths.config()
        return {
            **{name: value for name, value in os.environ.items() if name != "BUILDKIT_HOST"},
            "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}:{paths.data() / 'bin'}",
            "XDG_STATE_HOME": str(self.root / "state"),
            "XDG_DATA_HOME": str(self.root / "data"),
            "OTEL_SDK_DISABLED": "true",
            **({"DRYDOCK_CONFIG": str(config)} if config.exists() else {}),
        }


@pytest.fixture
def cold() -> Iterator[Cold]:
    root = Path(tempfile.mkdtemp(prefix="drydock-cold-"))
    (root / "bin").mkdir()
    place = Cold(root)
    yield place
    for process in place.started:
        process.kill()
        process.wait()
    subprocess.run([DRYDOCK, "down"], env=place.environment(), timeout=90, check=True)
    shutil.rmtree(root)


def late_tar(folder: Path, seconds: float) -> None:
    """A tar that begins late, as one that has to be read from a busy disk first."""
    program = folder / "tar"
    program.write_text(f'#!/bin/sh\nsleep {seconds}\nexec {shutil.which("tar")} "$@"\n')
    program.chmod(0o755)


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize(
    "images", [["debian:bookworm-slim"], ["debian:trixie-slim", "debian:bookworm-slim"]]
)
def test_two_cold_sessions_at_once_come_to_their_end(cold: Cold, images: list[str]) -> None:
    """Whatever is first used by whom, fails or is given up; even where tar takes its time."""
    late_tar(cold.root / "bin", 0.5)
    began = time.monotonic()
    sessions = {name: cold.session(name, *images) for name in ("one", "two")}
    for name, session in sessions.items():
        left = WITHIN - (time.monotonic() - began)
        assert session.wait(left) == 0, (cold.root / f"{name}.log").read_text()


@pytest.mark.engine
@pytest.mark.slow
def test_a_client_that_never_reads_progress_gets_its_answers(cold: Cold) -> None:
    """It holds the other end of standard error: a pipe takes 64 KB, and this is ten times as much."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    session = cold.start("one", str(DRYDOCK), "session", **pipes)
    assert session.stdout is not None
    params = json.loads(session.stdout.readline())
    command = '["sh", "-c", "yes some_word_that_is_printed | head -n 20000"]'
    query = (
        f'{{ container {{ from(address: "debian:bookworm-slim") {{ withExec(args: {command}) '
        "{ stdout } } } }"
    )
    answer = _ask(params, query)
    assert len(answer["data"]["container"]["from"]["withExec"]["stdout"]) > 400_000
    assert session.stdin is not None
    session.stdin.close()
    assert session.wait(30) == 0
    for stream in (session.stdout, session.stderr):
        assert stream is not None
        stream.close()


def _ask(params: dict[str, Any], query: str) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{params['port']}/query",
        json.dumps({"query": query}).encode(),
        {
            "Authorization": f"Basic {b64encode(params['session_token'].encode() + b':').decode()}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=WITHIN) as response:
        return json.load(response)


# -- what was the reason -----------------------------------------------------------------------------------------------


def writes(data: bytes) -> Callable[[str], Any]:
    """A build that is done as soon as it has begun; it opens the file as buildctl does, to write and to read."""

    async def build(output: str) -> None:
        path = output.partition("dest=")[2]
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC), "wb") as file:
            file.write(data)

    return build


def archive() -> bytes:
    data = BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        entry = tarfile.TarInfo("hello")
        entry.size = 5
        tar.addfile(entry, BytesIO(b"world"))
    return data.getvalue()


async def test_what_was_sent_before_tar_had_begun_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the last of the pipe's ends it would be gone, and tar would wait for another one for ever."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "out").mkdir()
    late_tar(tmp_path / "bin", 0.3)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    await unpack(tmp_path / "out", writes(archive()))
    assert (tmp_path / "out" / "hello").read_text() == "world"


async def test_a_build_that_fails_tells_why(tmp_path: Path) -> None:
    """Also where it has sent something before."""

    async def build(output: str) -> None:
        await writes(archive()[:700])(output)
        raise ApiError("the build's own reason")

    with pytest.raises(ApiError, match="the build's own reason"):
        await unpack(tmp_path, build)


async def test_what_cannot_be_unpacked_tells_why(tmp_path: Path) -> None:
    """In the words of tar."""
    with pytest.raises(ApiError, match=r"cannot write .*: This does not look like a tar archive"):
        await unpack(tmp_path, writes(b"no archive" * 1000))

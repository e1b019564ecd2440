"""How long a build may say nothing, and what is told when it was longer."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import dagger
import pytest

from drydock import imagestore, silence
from drydock.session import Session
from drydock.silence import Limits, SilentError, Watch

PULL = {"digest": "sha256:a", "name": "pull docker.io/library/debian:12", "started": "t"}
EXEC = {"digest": "sha256:b", "name": "exec sleep 9999", "started": "t"}


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> Watch:
    return Watch(Limits(answer=10, transfer=20, step=40), clock=clock)


def transfer(done: int, total: int = 50_000_000, **more: Any) -> dict[str, Any]:
    status = {"vertex": "sha256:a", "id": "sha256:layer", "current": done, "total": total, **more}
    return {"statuses": [status]}


def test_a_daemon_that_says_nothing_at_all_has_the_shortest_time(
    watch: Watch, clock: Clock
) -> None:
    """Whoever hangs there is told to start it anew."""
    clock.now += 4
    assert watch.left() == 6
    clock.now += 6
    assert watch.told() == (
        "the BuildKit daemon has not answered for 10.0s. See whether it is overloaded ('drydock status'); "
        "'drydock down' ends drydock's own daemon, and the next command starts it anew"
    )


def test_whatever_changes_is_a_sign_of_life(watch: Watch, clock: Clock) -> None:
    """A step that begins, bytes that come, a download or a step that ends, a line that is printed."""
    for event, seconds in (
        ({"vertexes": [PULL]}, 40),
        (transfer(1), 20),
        (transfer(2), 20),
        (transfer(2, completed="t"), 40),
        ({"vertexes": [{**PULL, "completed": "t"}]}, 40),
        ({"logs": [{"vertex": "sha256:a", "data": ""}]}, 40),
    ):
        clock.now += 15
        watch.take(event)
        assert watch.left() == seconds


def test_a_download_that_stands_still_is_told_with_how_far_it_came(
    watch: Watch, clock: Clock
) -> None:
    """BuildKit tells of it several times a second: the same again is no sign of life."""
    watch.take({"vertexes": [PULL]})
    watch.take(transfer(12_300_000))
    for _ in range(20):
        clock.now += 1
        watch.take(transfer(12_300_000))
    assert watch.left() == 0
    assert watch.told() == (
        '"pull docker.io/library/debian:12" has stood still for 20.0s, at 12.3 of 50.0 MB: its registry sends or '
        "takes nothing any more. Look at it and at the network to it, and run it again; what is there already is kept"
    )


def test_a_download_that_is_whole_is_not_waited_for(watch: Watch, clock: Clock) -> None:
    """What is done with it then takes its own time."""
    watch.take({"vertexes": [PULL]})
    watch.take(transfer(50_000_000))
    clock.now += 25
    assert watch.left() == 15


def test_a_command_may_be_silent_for_ever(watch: Watch, clock: Clock) -> None:
    """It is somebody's own; only a download beside it has its time."""
    watch.take({"vertexes": [EXEC]})
    clock.now += 100_000
    assert watch.left() == float("inf")
    watch.take({"vertexes": [PULL]})
    watch.take(transfer(1))
    assert watch.left() == 20


def test_a_command_by_another_name_may_be_too(clock: Clock) -> None:
    """As what carries ports of this machine into containers."""
    named = {**EXEC, "name": "forward ports (80,)"}
    watch = Watch(commands={"forward ports (80,)"}, clock=clock)
    watch.take({"vertexes": [named]})
    assert watch.left() == float("inf")
    watch.take({"vertexes": [{**named, "completed": "t"}]})
    assert watch.left() == Limits().step


def test_the_steps_that_are_waited_for_are_named(watch: Watch, clock: Clock) -> None:
    """A registry by its image."""
    load = {"digest": "sha256:c", "name": "[internal] load metadata for reg.test/app:1"}
    watch.take({"vertexes": [{**load, "started": "t"}]})
    clock.now += 40
    assert watch.told().startswith("the registry of reg.test/app:1 has not answered for 40.0s.")
    watch.take({"vertexes": [{**load, "completed": "t"}, {**PULL, "name": "copy / /"}]})
    clock.now += 40
    assert watch.told().startswith('BuildKit has told nothing for 40.0s, while at "copy / /".')
    watch.take({"vertexes": [{**PULL, "completed": "t"}]})
    assert "with no step under way" in watch.told()


async def test_what_came_while_this_process_stood_still_is_read_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As after Ctrl-Z and `fg`: the time is over, and the lines are there."""
    monkeypatch.setattr(silence, "LAST_LOOK", 0.2)
    clock, lines = Clock(), asyncio.StreamReader()
    watch = Watch(Limits(answer=10), clock=clock)
    watch.take({"vertexes": [{**PULL, "completed": "t"}]})
    clock.now += 5000
    lines.feed_data(b"a line\n")
    assert await watch.within(lines.readline) == b"a line\n"


async def test_nothing_for_too_long_is_an_error() -> None:
    """Raised while the next line is waited for."""
    lines = asyncio.StreamReader()
    began = asyncio.get_running_loop().time()
    with pytest.raises(SilentError, match="the BuildKit daemon has not answered"):
        await Watch(Limits(answer=0.1)).within(lines.readline)
    assert asyncio.get_running_loop().time() - began < silence.LAST_LOOK + 2


# -- with a registry that goes silent ----------------------------------------------------------------------------------

LAYER = "sha256:" + "1" * 64
CONFIG = json.dumps(
    {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [LAYER]}}
).encode()
OCI = "application/vnd.oci.image"


def _part(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": f"{OCI}.{kind}", "digest": digest, "size": size}


MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": _part(
            "config.v1+json", f"sha256:{hashlib.sha256(CONFIG).hexdigest()}", len(CONFIG)
        ),
        "layers": [_part("layer.v1.tar+gzip", LAYER, 9_000_000)],
    }
).encode()


@asynccontextmanager
async def registry(silent_at: str) -> AsyncIterator[str]:
    """A registry with one image, which says nothing more where a path has a text in it; yields its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            await talk(reader, writer)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            method, path, _version = line.decode().split()
            while (await reader.readline()).strip():
                pass
            if silent_at in path:
                if LAYER in path:
                    writer.write(_response("application/gzip", b"", 9_000_000) + b"x" * 4_000_000)
                await asyncio.sleep(600)
            is_manifest = "/manifests/" in path
            kind, body = (
                (f"{OCI}.manifest.v1+json", MANIFEST)
                if is_manifest
                else ("application/octet-stream", CONFIG)
            )
            writer.write(_response(kind, b"" if method == "HEAD" else body, len(body)))
            await writer.drain()

    answering: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.add(asyncio.create_task(answer(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    for task in answering:
        task.cancel()
    await asyncio.gather(*answering, return_exceptions=True)


def _response(kind: str, body: bytes, size: int) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + body


@pytest.mark.engine
async def test_a_registry_that_takes_a_question_and_never_answers_is_given_up(
    dag: dagger.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BuildKit would ask for ever; the message names the image and the registry."""
    monkeypatch.setattr(imagestore, "LOOK_UP", Limits(step=2))
    began = time.monotonic()
    async with registry(silent_at="/v2") as host:
        with pytest.raises(dagger.QueryError) as caught:
            await dag.container().from_(f"{host}/app:1").sync()
    assert time.monotonic() - began < 20
    assert f'failed to resolve image "{host}/app:1"' in str(caught.value)
    assert f"the registry of {host}/app:1 has not answered for " in str(caught.value)


@pytest.mark.engine
async def test_a_layer_that_stops_half_way_is_given_up(
    dag: dagger.Client, session: Session
) -> None:
    """Even while a command waits for it; the message has how far it came."""
    session.engine.buildkit.limits = Limits(transfer=2)
    began = time.monotonic()
    async with registry(silent_at=LAYER) as host:
        with pytest.raises(dagger.QueryError) as caught:
            await dag.container().from_(f"{host}/app:1").with_exec(["true"]).sync()
    assert time.monotonic() - began < 20
    assert f"{host}/app:1" in str(caught.value)
    assert "has stood still for " in str(caught.value)
    assert "of 9.0 MB: its registry sends or takes nothing any more." in str(caught.value)

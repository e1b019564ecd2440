"""Whatever drydock waits for outside of itself has a time, and a message when that is over."""

import asyncio
import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from drydock import buildkit, daemon, daemonprocess, gitcli, paths, secretstore
from drydock.buildkit import BuildKit, SolveError
from drydock.errors import ApiError, DrydockError
from drydock.llb_assembly import Lowered
from drydock.progress import Progress, View
from drydock.session import Session
from drydock.silence import Limits

BASE = '{ container { from(address: "debian:bookworm-slim")'
SOON = 20
"""Seconds that are long after every bound of these tests, and long before any of drydock's own."""


@pytest.fixture
def mute(tmp_path: Path) -> Iterator[str]:
    """Address of a daemon that takes connections and never says a word."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "mute.sock"))
        listening.listen()
        yield f"unix://{tmp_path / 'mute.sock'}"


# -- the daemon --------------------------------------------------------------------------------------------------------


async def test_a_build_on_a_daemon_that_never_answers(mute: str) -> None:
    """It ends by itself, and tells what to do."""
    builds = BuildKit(Progress(View()), lambda: mute, limits=Limits(answer=1))
    began = time.monotonic()
    with pytest.raises(SolveError, match="the BuildKit daemon has not answered for .*drydock down"):
        await builds.solve(Lowered(b"x"))
    assert time.monotonic() - began < SOON


async def test_a_blob_of_a_daemon_that_never_answers(
    mute: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its digest."""
    monkeypatch.setattr(buildkit, "BLOB_WITHIN", 1)
    builds = BuildKit(Progress(View()), lambda: mute)
    with pytest.raises(DrydockError, match="has not given blob sha256:1+ within 1 s"):
        await builds.blob("sha256:" + 64 * "1")


def test_the_state_of_a_daemon_that_never_answers(
    mute: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not answer, and why."""
    monkeypatch.setenv("BUILDKIT_HOST", mute)
    monkeypatch.setattr(daemon, "ASKED_WITHIN", 1)
    state = daemon.status()
    assert not state.answers
    assert state.detail == "it takes connections and has not answered for 1 s"


def test_a_command_that_never_lets_go_of_the_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that holds its lock is told."""
    monkeypatch.delenv("BUILDKIT_HOST", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(daemon, "LOCKED_WITHIN", 0.2)
    path = paths.private(daemonprocess.run_folder()) / "lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        print(4711, file=file, flush=True)
        with pytest.raises(DrydockError, match=r"another drydock \(process 4711\) has been"):
            daemon.down()
    assert daemon.down() is False
    assert path.read_text() == f"{os.getpid()}\n"


# -- programs ----------------------------------------------------------------------------------------------------------


async def test_a_git_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git itself would wait for ever."""
    monkeypatch.setitem(gitcli.WITHIN, "ls-remote", 1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"git://127.0.0.1:{listening.getsockname()[1]}/repository"
        began = time.monotonic()
        with pytest.raises(ApiError, match="git ls-remote has not ended within"):
            await gitcli.git("ls-remote", "--", url)
    assert time.monotonic() - began < SOON


async def test_a_secret_command_that_never_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that waits for somebody to log in, whom it asks on a terminal that is not there."""
    monkeypatch.setattr(secretstore, "COMMAND_WITHIN", 0.3)
    store = secretstore.SecretStore(os.environ, tmp_path)
    began = time.monotonic()
    with pytest.raises(ApiError, match='the secret command "sleep 613" has not ended within'):
        await store.plaintext(store.by_uri("cmd://sleep 613"))
    assert time.monotonic() - began < SOON


# -- sessions ----------------------------------------------------------------------------------------------------------


async def until(what: Callable[[], object]) -> None:
    """Wait until something is there."""
    async with asyncio.timeout(SOON):
        while not what():  # noqa: ASYNC110  # nobody tells of it
            await asyncio.sleep(0.05)


@pytest.mark.engine
async def test_a_session_ends_although_its_client_still_asks(session: Session) -> None:
    """What is built for it is cancelled, and nothing is left to be done."""
    query = f'{BASE} {{ withExec(args: ["sleep", "614"]) {{ sync }} }} }} }}'
    async with httpx.AsyncClient(timeout=60, auth=(session.token, "")) as client:
        async with session.serve():
            address = f"http://127.0.0.1:{session.port}/query"
            asking = asyncio.create_task(client.post(address, json={"query": query}))
            await until(
                lambda: any(
                    w.is_command for w in session.engine.buildkit.progress.root.works.values()
                )
            )
            began = time.monotonic()
        assert time.monotonic() - began < SOON
        assert not session._answering
        with pytest.raises(httpx.HTTPError):
            (await asking).raise_for_status()


@pytest.mark.engine
async def test_a_session_ends_although_a_tunnel_still_waits(session: Session) -> None:
    """Its service would have minutes to get ready."""
    made = 'withExposedPort(port: 8080) { asService(args: ["sleep", "615"]) { id } }'
    answer = await session.execute(f"{BASE} {{ {made} }} }} }}")
    assert answer.data
    identity = answer.data["container"]["from"]["withExposedPort"]["asService"]["id"]
    query = f'{{ host {{ tunnel(service: "{identity}") {{ start }} }} }}'
    asking = asyncio.create_task(session.execute(query))
    await until(lambda: session.engine.services._runs)
    began = time.monotonic()
    await session.engine.close()
    assert time.monotonic() - began < SOON
    await asyncio.wait([asking], timeout=SOON)
    assert asking.cancelled()

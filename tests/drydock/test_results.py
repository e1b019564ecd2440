"""Results of functions: which are used again, and by whom."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drydock import values
from drydock.buildkit import BuildKit
from drydock.cli_call import bridge
from drydock.engine import Engine
from drydock.errors import ApiError
from drydock.loading import Loading
from drydock.progress import Progress
from drydock.session import Session
from drydock.workspace import find_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

# One event loop for all: the module's process takes its requests from one.
pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

CLOCK = Path(__file__).parent / "fixtures" / "clock"


class Clock:
    """The fixture module, asked in one session after another; its process stays."""

    def __init__(self, loading: Loading, cwd: Path) -> None:
        """Ask from the folder `cwd`."""
        self.loading, self.cwd = loading, cwd
        self.environment = {"TOKEN": "one plaintext", "OTHER": "another plaintext"}

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A session with the module in it."""
        # Asked for anew: the first session registers what the others find.
        vars(self.loading).pop("types", None)
        engine = Engine(BuildKit(Progress()), self.cwd, self.environment)
        session = Session(engine, find_workspace(self.cwd))
        async with session.serve():
            await bridge(session, self.loading, self.cwd)
            yield session
        await engine.close()

    async def ask(self, *fields: str) -> Any:
        """What a session of its own answers: fields, each selected from the one before."""
        async with self.session() as session:
            return await asked(session, *fields)


async def asked(session: Session, *fields: str) -> Any:
    """The value of the last of a chain of fields."""
    data = await values.ask(session, "{ clock { " + " { ".join(fields) + " }" * (len(fields) + 1))
    while isinstance(data, dict):
        data = next(iter(data.values()))
    return data


async def directory(session: Session, path: Path) -> str:
    """The id of a directory of this machine."""
    return await values.load(session, "Directory", str(path))


async def secret(session: Session, name: str = "TOKEN") -> str:
    """The id of a secret in the environment."""
    return await values.load(session, "Secret", f"env://{name}")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where results are kept."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def loading(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Loading]:
    """The module, in a folder that may be written to, with its process running."""
    folder = tmp_path_factory.mktemp("clock")
    shutil.copytree(CLOCK, folder, dirs_exist_ok=True)
    with Loading(str(folder), folder) as loading, pytest.MonkeyPatch.context() as patch:
        loading.process(loading.source)
        patch.setenv("XDG_CACHE_HOME", str(cache))
        yield loading


@pytest.fixture
def clock(loading: Loading, cache: Path, tmp_path: Path) -> Clock:
    """The clock, which nobody has asked yet."""
    shutil.rmtree(cache / "drydock/results", ignore_errors=True)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "file").write_text("first")
    return Clock(loading, tmp_path)


async def test_by_default_a_result_outlives_its_session(clock: Clock) -> None:
    """The same call is answered without the function, another one is not."""
    first = await clock.ask("default")
    assert await clock.ask("default") == first
    assert await clock.ask('default(note: "other")') != first
    async with clock.session() as session:
        data = await values.ask(session, '{ clock(zone: "cet") { default } }')
    assert data["clock"]["default"] != first


async def test_never_means_each_call(clock: Clock) -> None:
    """Also within one session."""
    async with clock.session() as session:
        assert await asked(session, "never") != await asked(session, "never")


async def test_a_session_keeps_what_is_kept_for_the_session(clock: Clock) -> None:
    """And the next one asks again."""
    async with clock.session() as session:
        first = await asked(session, "session")
        assert await asked(session, "session") == first
    assert await clock.ask("session") != first


async def test_a_time_to_live_ends(clock: Clock) -> None:
    """Two seconds, here."""
    first = await clock.ask("brief")
    assert await clock.ask("brief") == first
    await asyncio.sleep(2.1)
    assert await clock.ask("brief") != first


async def test_a_directory_is_known_by_its_content(clock: Clock, tmp_path: Path) -> None:
    """Not by its place or by its files' times."""

    async def seen(path: Path) -> str:
        async with clock.session() as session:
            return str(
                await asked(session, f'directory(source: "{await directory(session, path)}")')
            )

    first = await seen(tmp_path / "source")
    shutil.copytree(tmp_path / "source", tmp_path / "copy", copy_function=shutil.copyfile)
    assert await seen(tmp_path / "copy") == first
    (tmp_path / "copy" / "file").write_text("other")
    assert await seen(tmp_path / "copy") != first


async def test_a_secret_is_known_by_its_plaintext(clock: Clock) -> None:
    """Another value is another call; where the value comes from does not matter."""

    async def seen(name: str) -> str:
        async with clock.session() as session:
            return str(await asked(session, f'withSecret(secret: "{await secret(session, name)}")'))

    first = await seen("TOKEN")
    clock.environment["COPY"] = clock.environment["TOKEN"]
    assert await seen("COPY") == first
    assert await seen("OTHER") != first


async def test_a_result_that_tells_a_secret_is_not_kept(clock: Clock, cache: Path) -> None:
    """No plaintext gets to the disk."""
    async with clock.session() as session:
        told = await asked(session, f'told(secret: "{await secret(session)}")')
    assert told.startswith("one plaintext")
    written = [file.read_text() for file in cache.rglob("*.json")]
    assert written
    assert not any("one plaintext" in text for text in written)


async def test_what_was_made_of_a_workspace_is_made_again(clock: Clock) -> None:
    """Nobody knows what the function reads of it."""
    assert await clock.ask("workspace") != await clock.ask("workspace")


async def test_a_container_is_kept_with_all_that_it_is_made_of(
    clock: Clock, tmp_path: Path
) -> None:
    """Another session goes on with it: its variables, its mounts, its secrets."""

    async def made() -> tuple[str, list[str]]:
        async with clock.session() as session:
            source = await directory(session, tmp_path / "source")
            inputs = f'source: "{source}", secret: "{await secret(session)}"'
            when = await asked(session, f"container({inputs})", 'envVariable(name: "MADE")')
            fields = (f"container({inputs})", 'directory(path: "/source")', "entries")
            return when, await asked(session, *fields)

    when, entries = await made()
    assert entries == ["file"]
    assert await made() == (when, entries)
    (tmp_path / "source" / "second").touch()
    later, entries = await made()
    assert later != when
    assert entries == ["file", "second"]


async def test_an_object_and_what_is_asked_of_it_are_kept(clock: Clock) -> None:
    """With the objects in its fields."""

    async def seen() -> list[str]:
        async with clock.session() as session:
            return [
                await asked(session, "alarm", "made"),
                await asked(session, "alarm", "rings"),
                await asked(session, "alarm", "folder", 'file(path: "made")', "contents"),
            ]

    assert await seen() == await seen()


async def test_an_error_is_not_kept(clock: Clock) -> None:
    """The next call tries again, in the same session too."""
    async with clock.session() as session:
        with pytest.raises(ApiError) as first:
            await asked(session, "broken")
        with pytest.raises(ApiError) as second:
            await asked(session, "broken")
    assert str(first.value) != str(second.value)


async def test_equal_calls_at_the_same_time_are_one(clock: Clock) -> None:
    """The second asker gets what the first one waits for."""
    async with clock.session() as session:
        results = await asyncio.gather(*(asked(session, "default") for _ in range(5)))
    assert len(set(results)) == 1


async def test_an_edit_of_the_module_forgets(clock: Clock) -> None:
    """Any file of the module counts, not only those that declare its functions."""
    first = await clock.ask("default")
    (clock.loading.source.root / "data.txt").write_text("read by a function, maybe")
    assert await clock.ask("default") != first


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"disableDefaultFunctionCaching": True}, False),
        ({"engineVersion": "v0.19.3"}, False),
        ({"engineVersion": "v0.19.3", "disableDefaultFunctionCaching": False}, True),
    ],
)
async def test_a_module_may_turn_it_off(clock: Clock, change: dict[str, Any], kept: bool) -> None:
    """In its dagger.json, or by being older than the rule; its session still remembers."""
    file = clock.loading.source.root / "dagger.json"
    before = file.read_text()
    file.write_text(json.dumps({**json.loads(before), **change}))
    try:
        async with clock.session() as session:
            first = await asked(session, "default")
            assert await asked(session, "default") == first
        assert (await clock.ask("default") == first) is kept
    finally:
        file.write_text(before)


async def test_what_is_kept_and_cannot_be_read_is_made_again(clock: Clock, cache: Path) -> None:
    """A file cut off by a full disk, or one of another version."""
    first = await clock.ask("default")
    for file in cache.rglob("results/*.json"):
        file.write_text(file.read_text()[:-9])
    assert await clock.ask("default") != first

"""A module's process: what it registers, how it is called, what is kept."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drydock import environment, module, source
from drydock.buildkit import BuildKit
from drydock.calls import Call, Calls, current_call
from drydock.cli_call import bridge
from drydock.engine import Engine
from drydock.errors import ApiError, DrydockError
from drydock.loading import Loading
from drydock.progress import Progress
from drydock.session import Session
from drydock.workspace import find_workspace

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from drydock.typedefs import Module

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of drydock's own, empty at first."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def loading(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loading:
    """The greeter, not started."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    return Loading(str(FIXTURES / "greeter"), tmp_path)


@pytest.fixture
async def session(loading: Loading, tmp_path: Path) -> AsyncIterator[Session]:
    """A session with the greeter in it; no daemon is needed until something is built."""
    engine = Engine(BuildKit(Progress()), tmp_path)
    session = Session(engine, find_workspace(tmp_path))
    with loading:
        async with session.serve():
            await bridge(session, loading, tmp_path)
            yield session
    await engine.close()


def test_a_source_registers_once(session: Session, loading: Loading) -> None:
    """What it registered is found again by its digest, and has everything that calls need."""
    types = module.known_types(loading.source)
    assert types is not None
    assert types.description == "Greets people, in more than one way."
    main = next(item for item in types.objects if item.name == "Greeter")
    assert main.constructor
    assert [arg.name for arg in main.constructor.args] == ["greeting", "password"]
    sources = next(f for f in main.functions if f.name == "sources")
    assert sources.args[0].default_path == "."
    assert sources.args[0].ignore == ("**", "!src/**")
    assert [f.name for f in main.functions if f.role == "check"] == ["has_shelf", "is_polite"]
    assert {m.name for e in types.enums for m in e.members} == {"WARM", "COLD"}
    assert "Greeter" in session.schema.type_map


def test_what_is_kept_and_cannot_be_read_is_as_if_it_were_not_there(
    session: Session, loading: Loading, cache: Path
) -> None:
    """A file cut off by a full disk, say."""
    assert session.schema
    kept = next((cache / "drydock" / "modules").glob("*.json"))
    whole: Module | None = module.known_types(loading.source)
    kept.write_text(kept.read_text()[:100])
    assert module.known_types(loading.source) is None
    assert whole is not None
    module.keep_types(loading.source, whole)
    assert module.known_types(loading.source) == whole


async def test_calls_at_the_same_time_do_not_mix(session: Session) -> None:
    """Each has its own process and its own token; together they last as long as one."""
    names = ["a", "b", "c"]
    fields = " ".join(f'{n}: echo(name: "{n}", seconds: 1.5)' for n in names)
    await session.execute('{ greeter { echo(name: "warm") } }')
    began = time.monotonic()
    result = await session.execute(f"{{ greeter {{ {fields} }} }}")
    assert result.data == {"greeter": {n: n for n in names}}
    assert time.monotonic() - began < 1.5 * len(names)


async def test_an_error_of_the_module_keeps_its_values(session: Session) -> None:
    """As GraphQL extensions, the traceback among them."""
    result = await session.execute("{ greeter { fail } }")
    assert result.errors
    extensions = result.errors[0].extensions or {}
    assert result.errors[0].message == "FunctionError: it broke"
    assert extensions["exception.type"] == "FunctionError"
    assert "raise ValueError(message)" in extensions["exception.stacktrace"]


async def test_values_of_the_wrong_type_are_refused_before_the_module_is_asked(
    session: Session,
) -> None:
    """By GraphQL's own rules, from the types that were registered."""
    wrong = await session.execute('{ greeter { hello(name: "x", tone: TEPID) } }')
    assert wrong.errors
    assert "TEPID" in wrong.errors[0].message
    missing = await session.execute("{ greeter { hello } }")
    assert missing.errors
    assert "name" in missing.errors[0].message


def test_a_call_is_only_known_by_its_token_while_it_lasts() -> None:
    """Anybody else's request belongs to no call."""
    calls = Calls()
    with calls.open(Call("greeter", "Greeter", "hello")) as call:
        assert calls.admit(call.key)
        assert current_call() is call
        assert not calls.admit("guessed")
        with pytest.raises(ApiError, match="only a module's function"):
            current_call()
    assert not calls.admit(call.key)


async def test_clients_of_older_engines_load_objects_by_their_ids(session: Session) -> None:
    """By a field for each type, which v0.21 no longer has."""
    made = await session.execute('{ directory { withNewFile(path: "a", contents: "") { id } } }')
    assert made.data
    identity = made.data["directory"]["withNewFile"]["id"]
    loaded = await session.execute(f'{{ loadDirectoryFromID(id: "{identity}") {{ id }} }}')
    assert loaded.data == {"loadDirectoryFromID": {"id": identity}}
    wrong = await session.execute(f'{{ loadFileFromID(id: "{identity}") {{ id }} }}')
    assert wrong.errors
    assert "expected the id of a File" in wrong.errors[0].message


CLASS = "import dagger\n\n@dagger.object_type\nclass Greeter:\n    @dagger.function\n"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import nothing_like_it", "main.py.*No module named 'nothing_like_it'"),
        ("class Greeter: pass", "must be a class decorated with @dagger.object_type"),
        (f"{CLASS}    def odd(self, a: dict[str, str]) -> str: ...", "greeter.main.Greeter.*dict"),
        (f"{CLASS}    def id(self) -> str: ...", 'Greeter has a field or function called "id"'),
        (CLASS.replace("Greeter", "Other") + "    def a(self) -> str: ...", "no class Greeter"),
    ],
)
async def test_a_module_that_cannot_be_used_says_why(
    code: str, message: str, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its own terms: no line of the SDK, none of drydock."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    root = shutil.copytree(FIXTURES / "greeter", tmp_path / "greeter")
    (root / "src" / "greeter" / "__init__.py").write_text("from .main import *\n")
    (root / "src" / "greeter" / "main.py").write_text(code)
    session = Session(Engine(BuildKit(Progress()), tmp_path), find_workspace(tmp_path))
    with Loading(str(root), tmp_path) as loading:
        async with session.serve():
            with pytest.raises(DrydockError, match=f"(?s)module greeter.*{message}") as error:
                await bridge(session, loading, tmp_path)
    assert "site-packages" not in str(error.value)


# -- environments ----------------------------------------------------------------------------------


def test_an_environment_is_made_once(loading: Loading, cache: Path) -> None:
    """From the dependencies, where the SDK is a folder that is not there."""
    python = environment.python_of(loading.source)
    assert python.is_relative_to(cache / "drydock" / "venvs")
    began = time.monotonic()
    assert environment.python_of(loading.source) == python
    assert time.monotonic() - began < 0.5
    assert not list((cache / "drydock" / "venvs").glob(".new-*"))


def test_a_locked_environment_is_made_as_it_is_locked(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the versions of uv.lock, without writing into the module, whose own is preferred."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    root = shutil.copytree(FIXTURES / "greeter", tmp_path / "greeter")
    project = (
        '[project]\nname = "greeter"\nversion = "1"\nrequires-python = ">=3.11"\n'
        f'dependencies = ["dagger-io=={environment.SDK_VERSION}", "iniconfig<2"]\n'
    )
    (root / "pyproject.toml").write_text(project)
    subprocess.run(["uv", "lock", "--quiet"], cwd=root, check=True)
    before = sorted(root.rglob("*"))
    python = environment.python_of(source.read(root))
    assert list(python.parent.parent.glob("lib/python3*/site-packages/iniconfig-1.*"))
    assert sorted(root.rglob("*")) == before
    shutil.copytree(python.parent.parent, root / ".venv", symlinks=True)
    assert environment.python_of(source.read(root)) == root / ".venv" / "bin" / "python"


def test_a_lock_of_another_sdk_is_refused(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client would speak another version of the API."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    root = shutil.copytree(FIXTURES / "greeter", tmp_path / "greeter")
    project = '[project]\nname = "greeter"\nversion = "1"\nrequires-python = ">=3.11"\n'
    (root / "pyproject.toml").write_text(project + 'dependencies = ["dagger-io==0.18.14"]\n')
    subprocess.run(["uv", "lock", "--quiet"], cwd=root, check=True)
    with pytest.raises(DrydockError, match=r"locks dagger-io 0\.18\.14, drydock serves"):
        environment.python_of(source.read(root))
    assert not list((cache / "drydock" / "venvs").glob(".new-*"))


def test_a_dependency_that_does_not_exist_is_told_by_uv(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves nothing half made."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    root = shutil.copytree(FIXTURES / "greeter", tmp_path / "greeter")
    text = (root / "pyproject.toml").read_text()
    (root / "pyproject.toml").write_text(
        text.replace('"dagger-io"', '"dagger-io", "iniconfig==0.0.0.1"')
    )
    with pytest.raises(DrydockError, match=r"uv pip failed:(.|\n)*iniconfig"):
        environment.python_of(source.read(root))
    assert not list((cache / "drydock" / "venvs").glob(".new-*"))

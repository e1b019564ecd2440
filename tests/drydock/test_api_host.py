"""The client's machine: its directories, its workspace."""

import subprocess
from pathlib import Path

import dagger
import pytest

pytestmark = pytest.mark.engine

BASE = "debian:bookworm-slim"


@pytest.fixture
def client_folder(tmp_path: Path) -> Path:
    """A repository in which the client stands two folders deep."""
    files = {
        ".gitignore": "*.log\n/build/\n!keep.log\nsecret/\n",
        "slipway.toml": "root",
        "build/out": "x",
        "a.log": "x",
        "keep.log": "x",
        "apps/web/.gitignore": "local\n",
        "apps/web/local": "x",
        "apps/web/index.ts": "index",
        "apps/web/build/kept": "x",
        "apps/web/a[b].txt": "brackets",
        "secret/key": "x",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    return tmp_path / "apps" / "web"


async def files(directory: dagger.Directory) -> list[str]:
    """Every file in a directory but Git's own."""
    return [
        p for p in await directory.glob("**/*") if not p.endswith("/") and not p.startswith(".git/")
    ]


async def test_the_workspace_is_the_repository_of_the_client(dag: dagger.Client) -> None:
    """A relative path starts where the client stands, an absolute one at the root."""
    ws = dag.current_workspace()
    assert await ws.path() == "apps/web"
    assert await ws.file("index.ts").contents() == "index"
    assert await ws.file("/slipway.toml").contents() == "root"
    assert await ws.file("a[b].txt").contents() == "brackets"
    assert await ws.directory("..").entries() == ["web/"]


async def test_git_ignores_hold_from_the_root_down(dag: dagger.Client) -> None:
    """Every .gitignore counts, negations too, and only when asked for."""
    ws = dag.current_workspace()
    assert await files(ws.directory("/", gitignore=True)) == [
        ".gitignore",
        "apps/web/.gitignore",
        "apps/web/a[b].txt",
        "apps/web/build/kept",
        "apps/web/index.ts",
        "keep.log",
        "slipway.toml",
    ]
    assert "build/out" in await files(ws.directory("/"))
    filtered = ws.directory("/", include=["apps"], exclude=["**/*.ts"], gitignore=True)
    assert await files(filtered) == [
        "apps/web/.gitignore",
        "apps/web/a[b].txt",
        "apps/web/build/kept",
    ]


async def test_find_up_stops_at_the_root(dag: dagger.Client) -> None:
    """The nearest one, as a path from the root; none beyond."""
    ws = dag.current_workspace()
    assert await ws.find_up("slipway.toml") == "/slipway.toml"
    assert await ws.find_up("index.ts") == "/apps/web/index.ts"
    assert await ws.find_up("no-such-file") is None
    assert await ws.find_up("index.ts", from_="/apps") is None


async def test_the_workspace_cannot_be_left(dag: dagger.Client) -> None:
    """Neither by a relative path nor by way of the root."""
    with pytest.raises(dagger.QueryError, match="resolves outside root"):
        await dag.current_workspace().directory("../../..").entries()


async def test_a_missing_path_of_the_workspace_is_named(dag: dagger.Client) -> None:
    """With what was asked for."""
    with pytest.raises(dagger.QueryError, match='workspace file "nope": .*no such file'):
        await dag.current_workspace().file("nope").contents()
    with pytest.raises(dagger.QueryError, match='workspace directory "nope": .*no such file'):
        await dag.current_workspace().directory("nope").entries()


async def test_host_paths_start_at_the_client(dag: dagger.Client, client_folder: Path) -> None:
    """An edit between two builds is seen."""
    assert await dag.host().file("index.ts").contents() == "index"
    listed = (
        dag.container()
        .from_(BASE)
        .with_directory("/src", dag.host().directory(".", include=["*.ts"]))
    )
    assert await listed.with_exec(["ls", "/src"]).stdout() == "index.ts\n"
    (client_folder / "new.ts").write_text("")
    assert await listed.with_exec(["ls", "/src"]).stdout() == "index.ts\nnew.ts\n"


async def test_files_of_the_host_belong_to_root(dag: dagger.Client, client_folder: Path) -> None:
    """Whoever owns them there; modes stay."""
    (client_folder / "index.ts").chmod(0o640)
    ran = dag.container().from_(BASE).with_directory("/src", dag.host().directory("."))
    assert await ran.with_exec(["stat", "-c", "%u:%g %a", "/src/index.ts"]).stdout() == "0:0 640\n"

"""The client's machine: its directories, its workspace, its secrets."""

import subprocess
import uuid
from pathlib import Path

import dagger
import pytest

from drydock import paths

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


async def test_a_secret_reaches_the_exec_and_is_hidden_in_its_output(dag: dagger.Client) -> None:
    """As a variable and as a file; it wins over a plain variable of its name."""
    secret = dag.set_secret("token", "s3cret-token")
    ran = (
        dag.container()
        .from_(BASE)
        .with_secret_variable("TOKEN", secret)
        .with_env_variable("TOKEN", "plain")
        .with_mounted_secret("/run/token", secret, mode=0o440, owner="0:7")
        .with_exec(
            [
                "sh",
                "-c",
                "echo $TOKEN; cat /run/token; echo; printenv TOKEN | wc -c; stat -c '%a %g' /run/token",
            ]
        )
    )
    assert await ran.stdout() == "***\n***\n13\n440 7\n"


async def test_a_secret_is_in_no_layer_config_or_file_of_the_daemon(
    dag: dagger.Client, tmp_path: Path
) -> None:
    """Searched in the exported image, and in whatever the daemon and drydock wrote meanwhile."""
    began = tmp_path / "began"
    began.touch()
    plaintext = f"sentinel-{uuid.uuid4()}"
    secret = dag.set_secret("sentinel", plaintext)
    built = (
        dag.container()
        .from_(BASE)
        .with_secret_variable("TOKEN", secret)
        .with_exec(["sh", "-c", "test -n $TOKEN"])
    )
    archive = await built.export("image.tar")
    assert plaintext.encode() not in Path(archive).read_bytes()
    folders = [paths.data(), paths.state(), paths.cache()]
    written = subprocess.run(
        ["find", *folders, "-type", "f", "-newer", began, "-print0"],
        capture_output=True,
        check=True,
    ).stdout
    found = subprocess.run(
        ["xargs", "-0", "grep", "-lF", plaintext], input=written, capture_output=True, check=False
    )
    assert written
    assert found.stdout == b""


async def test_an_exec_is_cached_by_its_secrets_value(dag: dagger.Client) -> None:
    """The same value under any name is the same run, another value another."""

    async def stamp(name: str, value: str) -> str:
        ran = dag.container().from_(BASE).with_secret_variable("TOKEN", dag.set_secret(name, value))
        return await ran.with_exec(["sh", "-c", "date +%s%N"]).stdout()

    first = await stamp("one", "value-1")
    assert await stamp("two", "value-1") == first
    assert await stamp("one", "value-2") != first


async def test_secrets_by_where_they_are(
    dag: dagger.Client, client_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable, a file, a command of the client's machine."""
    monkeypatch.setenv("A_TOKEN", "from-env")
    (client_folder / "token").write_text("from-file")
    assert await dag.secret("env://A_TOKEN").plaintext() == "from-env"
    assert await dag.secret("file://token").plaintext() == "from-file"
    assert await dag.secret("cmd://printf from-cmd").plaintext() == "from-cmd"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("env://NO_SUCH_VARIABLE", 'secret env var not found: "NO_..."'),
        ("file://no-such-file", 'failed to read secret file "no-such-file": No such file'),
        ("cmd://exit 3", 'failed to run secret command "exit 3": exit status 3'),
        ("plain", "malformed id"),
        ("vault://x", 'unsupported secret provider: "vault"'),
    ],
)
async def test_a_secret_that_cannot_be_read_says_why(
    dag: dagger.Client, uri: str, message: str
) -> None:
    """Never with a value that may stand where a name belongs."""
    with pytest.raises(dagger.QueryError) as caught:
        await dag.secret(uri).plaintext()
    assert message in str(caught.value)

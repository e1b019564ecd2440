"""Secrets on a real daemon: who sees them, and above all who does not."""

from __future__ import annotations

import asyncio
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import dagger
import pytest

from drydock import paths
from drydock.errors import ApiError
from drydock.secretstore import SecretStore

pytestmark = pytest.mark.engine

BASE = "debian:bookworm-slim"


class CommandLines(threading.Thread):
    """Reads the command line of every process of the machine, over and over."""

    def __init__(self, forbidden: bytes) -> None:
        super().__init__()
        self._forbidden = forbidden
        self._done = threading.Event()
        self.rounds = 0
        self.found: list[bytes] = []

    def run(self) -> None:
        """Look until it is told to stop."""
        while not self._done.is_set():
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = file.read_bytes()
                except OSError:
                    continue
                if self._forbidden in line:
                    self.found.append(line)
            self.rounds += 1
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop looking."""
        self._done.set()
        self.join()


@pytest.fixture
def sentinel() -> str:
    """A plaintext that is nowhere else."""
    return f"sentinel-{uuid.uuid4()}"


@pytest.fixture
def command_lines(sentinel: str) -> Iterator[CommandLines]:
    """Watches whether the sentinel is on a command line."""
    watch = CommandLines(sentinel.encode())
    watch.start()
    yield watch
    watch.stop()


class Written:
    """What the daemon and drydock write from now on."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes
        (notes / "began").touch()
        self._before = set(self._snapshots())

    @staticmethod
    def _snapshots() -> Iterator[Path]:
        return paths.data().glob("buildkit/runc-*/snapshots/snapshots/*")

    def with_text(self, text: str) -> list[bytes]:
        """The files of it that have a text in them.

        Raises:
            AssertionError: If nothing was written at all.
        """
        (self._notes / "text").write_text(text)
        fresh = [path for path in self._snapshots() if path not in self._before]
        folders = [str(folder()) for folder in (paths.data, paths.state, paths.cache)]
        # Of the file systems of containers only the new ones: the others have hundreds of thousands of files.
        old = ["-path", "*/snapshots/snapshots", "-prune", "-o"]
        newer = ["-type", "f", "-newer", str(self._notes / "began"), "-print0"]
        written = b""
        for command in (
            ["find", *folders, *old, *newer],
            ["find", *map(str, fresh), "-type", "f", "-print0"],
        ):
            # The daemon removes some meanwhile.
            written += subprocess.run(command, capture_output=True, check=False).stdout
        assert fresh
        assert written
        search = ["xargs", "-0", "grep", "-lFf", str(self._notes / "text")]
        return subprocess.run(
            search, input=written, capture_output=True, check=False
        ).stdout.splitlines()


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


async def test_nobody_but_the_exec_sees_a_secret(
    dag: dagger.Client,
    tmp_path: Path,
    sentinel: str,
    command_lines: CommandLines,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Not its output, its error, the progress, a process's command line, a layer, or a file of the daemon's."""
    written = Written(tmp_path)
    secret = dag.set_secret("sentinel", sentinel)
    lines = dag.set_secret("lines", f"{sentinel}\nsecond line of {sentinel}\n")
    client = (
        dag.container()
        .from_(BASE)
        .with_secret_variable("TOKEN", secret)
        .with_mounted_secret("/run/lines", lines)
    )
    # In pieces, in the middle of a line, on both streams, twice on end.
    printing = """printf 'a %s' "${TOKEN%??????}"; sleep 0.1; printf '%s b\\n' "${TOKEN#"${TOKEN%??????}"}"
        printf %s%s "$TOKEN" "$TOKEN"; cat /run/lines >&2"""
    printed = client.with_exec(["sh", "-c", printing])
    assert await printed.stdout() == "a *** b\n******"
    assert await printed.stderr() == "***"
    assert sentinel not in await printed.combined_output()
    with pytest.raises(dagger.ExecError) as caught:
        await client.with_exec(["sh", "-c", "echo $TOKEN; cat /run/lines >&2; exit 3"]).sync()
    assert (caught.value.stdout, caught.value.stderr) == ("***", "***")
    dockerfile = f"FROM {BASE}\nRUN --mount=type=secret,id=sentinel test -s /run/secrets/sentinel\n"
    context = dag.directory().with_new_file("Dockerfile", dockerfile)
    built = context.docker_build(secrets=[secret])
    base = dag.container().from_(BASE).rootfs()
    for image in (printed, built):
        # What the execs have added, with the image's config, as it is.
        added = image.with_rootfs(base.diff(image.rootfs()))
        archive = await added.export(
            f"{uuid.uuid4()}.tar", forced_compression=dagger.ImageLayerCompression.UNCOMPRESSED
        )
        assert sentinel.encode() not in Path(archive).read_bytes()
    assert written.with_text(sentinel) == []
    # The search finds what is there: the mask, in what the shim kept of the output.
    assert written.with_text("a *** b") != []
    assert command_lines.rounds
    assert command_lines.found == []
    shown = capfd.readouterr()
    assert "***" in shown.err
    assert sentinel not in shown.out + shown.err


async def test_any_bytes_are_a_secret(dag: dagger.Client, client_folder: Path) -> None:
    """Also those that no variable can hold, and as many as BuildKit takes; more are refused by name."""
    plaintext = bytes(range(256)) * 1000
    (client_folder / "key.bin").write_bytes(plaintext)
    base = dag.container().from_(BASE)
    mounted = base.with_mounted_secret("/key", dag.secret("file://key.bin"))
    counted = await mounted.with_exec(["sh", "-c", "wc -c < /key; cksum < /key"]).stdout()
    check = subprocess.run(["cksum"], input=plaintext, capture_output=True, check=True).stdout
    assert counted == f"256000\n{check.decode()}"
    (client_folder / "key.bin").write_bytes(plaintext * 3)
    with pytest.raises(dagger.QueryError, match=r"secret file://key.bin has 768000 bytes"):
        await (
            base.with_mounted_secret("/key", dag.secret("file://key.bin")).with_exec(["ls"]).sync()
        )


async def test_a_mounted_secret_belongs_to_whom_it_should(dag: dagger.Client) -> None:
    """By name or number, of the container's own users; a group that is not given is the user's number."""
    node = dag.container().from_("node:22-bookworm-slim")
    secret = dag.set_secret("token", "s3cret-token")
    shown = ["stat", "-c", "%u:%g %a", "/run/token"]
    cases = {
        "node": "1000:1000 400",
        "node:root": "1000:0 400",
        "7:daemon": "7:1 400",
        "": "0:0 400",
    }
    for owner, expected in cases.items():
        mounted = node.with_mounted_secret("/run/token", secret, owner=owner)
        assert await mounted.with_exec(shown).stdout() == expected + "\n"
    with pytest.raises(dagger.QueryError, match="find uid: no such user: nobody-knows"):
        await node.with_mounted_secret("/run/token", secret, owner="nobody-knows").sync()


async def test_values_that_are_no_part_of_the_key_are_not_mixed_up(dag: dagger.Client) -> None:
    """Execs at the same time, each with its own value under one name or one key for the cache."""
    base = dag.container().from_(BASE).with_env_variable("RUN", uuid.uuid4().hex)

    async def volatile(value: str) -> str:
        made = base.with_volatile_variable("VALUE", value).with_env_variable("OWN", value)
        return await made.with_exec(["sh", "-c", "echo $VALUE"]).stdout()

    async def keyed(value: str) -> str:
        secret = dag.secret(f"cmd://printf secret-{value}", cache_key="one")
        made = base.with_secret_variable("VALUE", secret).with_env_variable("OWN", value)
        return await made.with_exec(["sh", "-c", "echo $VALUE | rev"]).stdout()

    values = [str(number) for number in range(6)]
    assert await asyncio.gather(*map(volatile, values)) == [f"{v}\n" for v in values]
    turned = [f"secret-{v}"[::-1] + "\n" for v in values]
    assert await asyncio.gather(*map(keyed, values)) == turned


async def test_a_module_does_not_see_the_variables_of_its_caller(tmp_path: Path) -> None:
    """As on a Dagger engine, where it runs in a container: secrets are its arguments."""
    store = SecretStore({"A_TOKEN": "a-token"}, tmp_path)
    named = store.by_uri("env://A_TOKEN")
    assert await store.plaintext(named) == b"a-token"
    with pytest.raises(ApiError, match="secret env var not found"):
        await store.plaintext(replace(named, of_module=True))


async def test_a_cancelled_command_is_ended(tmp_path: Path) -> None:
    """With everything that it started."""
    store = SecretStore({}, tmp_path)
    script = "trap '' TERM; sleep 60 & echo $! > part; mv part pid; wait"
    asking = asyncio.create_task(store.plaintext(store.by_uri(f"cmd://{script}")))
    await until((tmp_path / "pid").exists)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    process = Path("/proc") / (tmp_path / "pid").read_text().strip()
    # A zombie is dead: who waits for it is not ours to say.
    await until(lambda: not process.exists() or "State:\tZ" in (process / "status").read_text())


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that comes soon."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)  # nobody tells


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

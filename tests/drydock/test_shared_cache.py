"""A cache in a registry: what one machine built, another one that begins empty does not build again."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from drydock import daemon, paths

pytestmark = [pytest.mark.engine, pytest.mark.slow]

DRYDOCK = Path(sys.executable).with_name("drydock")
PROGRAM = """
import asyncio, pathlib, sys
import dagger
from dagger import dag

async def main():
    async with dagger.connection():
        folder = pathlib.Path(sys.argv[1])
        base = dag.container().from_("debian:bookworm-slim").with_env_variable("RUN", sys.argv[2])
        deps = base.with_exec(["sh", "-c", "head -c 9000000 /dev/urandom > /deps; date +%N > /stamp; cat /stamp"])
        files = [deps.with_file("/x", dag.host().file(str(folder / name))) for name in "abc"]
        steps = [
            step.with_exec(["sh", "-c", f"cat /stamp /x; date +%N; : {name}"])
            for name, step in zip("abc", files, strict=True)
        ]
        secret = dag.set_secret("token", "sesame")
        steps.append(base.with_secret_variable("T", secret).with_exec(["sh", "-c", "date +%N"]))
        print(*await asyncio.gather(*(step.stdout() for step in steps)), sep="|")
        (folder / "c").write_text("changed meanwhile")

asyncio.run(main())
"""


@dataclass
class Machine:
    """A machine with a daemon of its own."""

    folder: Path
    run: str
    """What tells this test's commands from those of another day."""
    cache: str

    def build(self, **variables: str) -> tuple[list[str], str]:
        """Run the program; returns what its steps printed, and what drydock said."""
        (self.folder / "c").write_text("c")
        done = subprocess.run(
            [DRYDOCK, "run", sys.executable, "-c", PROGRAM, str(self.folder), self.run],
            env={**os.environ, "DRYDOCK_CACHE": self.cache, "DRYDOCK_CACHE_KEY": "k", **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split("|"), done.stderr

    def forget(self) -> None:
        """Empty its own cache."""
        buildctl, address = str(paths.binary("buildctl")), daemon.ensure().address
        prune = [str(buildctl), "--addr", address, "prune", "--all"]
        subprocess.run(prune, check=True, capture_output=True)


@pytest.fixture(scope="module")
def machine(registry_host: str) -> Iterator[Machine]:
    """A machine whose daemon nobody else uses, and an address at which there is no cache yet."""
    # A short path: sockets have room for about a hundred characters.
    root = Path(tempfile.mkdtemp(prefix="drydock-cache-"))
    with pytest.MonkeyPatch.context() as own:
        own.setenv("PATH", f"{os.environ['PATH']}:{paths.data() / 'bin'}")
        own.setenv("DRYDOCK_CONFIG", str(paths.config()))
        own.setenv("OTEL_SDK_DISABLED", "true")
        own.delenv("BUILDKIT_HOST", raising=False)
        for name in ("STATE", "DATA"):
            own.setenv(f"XDG_{name}_HOME", str(root / name.lower()))
        folder = root / "app"
        folder.mkdir()
        for name in "abc":
            (folder / name).write_text(name)
        run = secrets.token_hex(4)
        yield Machine(folder, run, f"{registry_host}/drydock/cache:test-{run}")
        daemon.down()
    shutil.rmtree(root)


def test_an_empty_machine_runs_nothing_again(machine: Machine) -> None:
    """Not even where builds run side by side, with a secret, or with files that were other ones for a moment."""
    first, told = machine.build()
    assert f"cache: there is none at {machine.cache} yet" in told
    assert f"cache: exported to {machine.cache}" in told
    machine.forget()
    again, told = machine.build()
    # The third one's file had changed when the session ended, and was not built again for the export.
    assert [again[0], again[1], again[3]] == [first[0], first[1], first[3]]
    assert again[2].split()[0] == first[2].split()[0]
    assert "[cached]" in told


def test_what_is_new_is_built_on_what_is_cached(machine: Machine) -> None:
    """And exported with it; the password of the login is in nothing that is said."""
    machine.forget()
    (machine.folder / "b").write_text("another b")
    steps, told = machine.build(DRYDOCK_CACHE_USER="ci", DRYDOCK_CACHE_PASSWORD="password-sentinel")
    assert "another b" in steps[1]
    assert len({step.split()[0] for step in steps[:3]}) == 1
    assert told.count("head -c 9000000") == 1
    assert f"cache: exported to {machine.cache}" in told
    assert "password-sentinel" not in told


def test_nothing_new_is_not_exported(machine: Machine) -> None:
    """What another command left there stays."""
    machine.build()
    _steps, told = machine.build()
    assert "cache: export" not in told


def test_a_registry_that_is_not_there_fails_nothing(machine: Machine) -> None:
    """One line for the import, one for the export."""
    _steps, told = machine.build(DRYDOCK_CACHE="127.0.0.1:9/cache:1")
    assert "cache: nothing is imported from 127.0.0.1:9/cache:1: " in told
    assert told.count("cache: not exported to 127.0.0.1:9/cache:1: ") == 1

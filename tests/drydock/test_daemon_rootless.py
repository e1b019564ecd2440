"""The daemon of somebody who is not root: started, used and stopped as that user."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from drydock import environment, paths, source

pytestmark = [pytest.mark.engine, pytest.mark.slow]

HERE = Path(__file__).parent
GREETER = HERE / "fixtures" / "greeter"
DRYDOCK = Path(sys.executable).with_name("drydock")
USER = 61184
"""A number that the machine has given to nobody (between those of users and of systemd)."""


@dataclass
class User:
    """Somebody who is not root; where root runs the tests, a user made up for them."""

    home: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as that user, in the user's home."""
        programs = paths.data() / "bin"
        variables = {
            "PATH": f"{os.environ['PATH']}:{programs}",
            "HOME": str(self.home),
            "DRYDOCK_CONFIG": str(self.home / "drydock.toml"),
        }
        visible = [sys.base_prefix, sys.prefix, str(HERE.parent.parent), str(programs)]
        become = [str(HERE / "as_user"), str(USER), str(self.home), *visible, "--"]
        return subprocess.run(
            [*(become if os.geteuid() == 0 else []), *command],
            cwd=self.home,
            env=variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def drydock(self, *arguments: str) -> str:
        """What drydock prints; it has to succeed."""
        done = self.run(str(DRYDOCK), *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def client(self, code: str) -> str:
        """What a client program of a session prints, with `dag` connected and `os` imported."""
        lines = "\n".join(f"        {line}" for line in code.strip().splitlines())
        (self.home / "client.py").write_text(
            "import asyncio, os, dagger\nfrom dagger import dag\nasync def main():\n"
            f"    async with dagger.connection():\n{lines}\nasyncio.run(main())\n"
        )
        return self.drydock("--silent", "run", "--", sys.executable, "client.py")


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    """A user with a daemon of their own, a home folder, and the greeter in it."""
    # Not below pytest's own folder: nobody else may look into that.
    home = Path(tempfile.mkdtemp(prefix="drydock-user-"))
    shutil.copytree(GREETER, home / "greeter")
    python = environment.python_of(source.read(GREETER))
    shutil.copytree(python.parent.parent, home / "greeter" / ".venv", symlinks=True)
    (home / "drydock.toml").write_text(_registries(home))
    if os.geteuid() == 0:
        for path in [home, *home.rglob("*")]:
            os.chown(path, USER, USER, follow_symlinks=False)
    user = User(home)
    try:
        user.drydock("up")
        yield user
    finally:
        user.run(str(DRYDOCK), "down")
        shutil.rmtree(home, ignore_errors=True)


def _registries(home: Path) -> str:
    """The registries that this machine knows; with their certificates where the user may read them."""
    config = paths.config()
    text = config.read_text() if config.exists() else ""
    for authority in set(re.findall('^ca = "(.+)"$', text, re.MULTILINE)):
        text = text.replace(authority, shutil.copy(authority, str(home)))
    return text


def test_up_starts_a_daemon_without_root(user: User) -> None:
    """It belongs to that user, and says so."""
    told = user.drydock("status").splitlines()
    assert re.fullmatch(r"daemon +drydock's own, rootless, as user \S+, up \d.*", told[0])
    socket = Path(told[-1].split()[-1].removeprefix("unix://"))
    assert socket.is_relative_to(user.home)
    assert socket.stat().st_uid != 0


def test_a_module_runs(user: User) -> None:
    """The same as for root."""
    assert user.drydock("call", "-m", "greeter", "hello", "--name", "Ada") == "Hello, Ada."


def test_an_exec_is_root_of_its_own_and_keeps_a_cache(user: User) -> None:
    """Several users' files in an image can be written; a cache volume outlives the exec."""
    assert user.client(
        """
base = dag.container().from_("debian:bookworm-slim").with_mounted_cache("/kept", dag.cache_volume("c"))
first = base.with_exec(["sh", "-c", "id -u; touch /f; chown 33:33 /f; stat -c %u /f; echo kept > /kept/x"])
print(await first.stdout())
print(await first.with_exec(["cat", "/kept/x"]).stdout())
"""
    ).split() == ["0", "33", "kept"]


def test_services_answer_execs_and_this_machine(user: User) -> None:
    """An exec by the service's name; a program of this machine by the endpoint."""
    assert user.client(
        """
base = dag.container().from_("debian:bookworm-slim").with_exposed_port(8000)
code = "$s = IO::Socket::INET->new(LocalPort => 8000, Listen => 9) or die; "
code += "while ($c = $s->accept) { print $c 'served '; close $c }"
site = base.as_service(args=["perl", "-MIO::Socket::INET", "-e", code])
ask = ["bash", "-c", "cat < /dev/tcp/site/8000"]
print(await base.with_service_binding("site", site).with_exec(ask).stdout())
host, port = (await site.endpoint()).split(":")
reader, writer = await asyncio.open_connection(host, port)
print((await reader.read()).decode())
writer.close()
await site.stop()
"""
    ).split() == ["served", "served"]


def test_what_is_exported_belongs_to_the_user(user: User) -> None:
    """Also what another user of the image owns; the user can delete it."""
    user.client(
        """
made = dag.directory().with_new_file("a/b.txt", "text")
base = dag.container().from_("debian:bookworm-slim")
await base.with_directory("/d", made, owner="33:33").directory("/d").export("out")
"""
    )
    file = user.home / "out" / "a" / "b.txt"
    assert file.read_text() == "text"
    assert file.stat().st_uid == user.home.stat().st_uid


def test_an_image_is_published(user: User, registry_host: str) -> None:
    """To a registry on this machine's loopback, which no exec can reach."""
    address = f"{registry_host}/tests/rootless:1"
    printed = user.client(
        f"""
image = dag.container().from_("debian:bookworm-slim").with_new_file("/made", "rootless")
print(await image.publish("{address}"))
host, port = "{registry_host}".split(":")
reach = "exec 3<>/dev/tcp/10.86.0.2/" + port + " || echo unreachable"
print(await image.with_exec(["bash", "-c", reach]).stdout())
"""
    ).split()
    assert re.fullmatch(rf"{re.escape(address)}@sha256:[0-9a-f]{{64}}", printed[0])
    assert printed[1] == "unreachable"


def test_down_leaves_nothing(user: User) -> None:
    """No process of the user's, no socket; and `up` starts it again with its cache."""
    assert user.drydock("down") == "stopped"
    assert _processes() == []
    assert user.run(str(DRYDOCK), "status").returncode == 1
    user.drydock("up")
    assert "cache    0 B" not in user.drydock("status")


def _processes() -> list[str]:
    """Command lines of what runs of drydock for the user."""
    if os.geteuid() != 0:
        return []  # the user has others
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            command = (folder / "cmdline").read_text().replace("\0", " ")
            # One that has ended, and waits for its parent to ask, has no command line.
            found += [command] if command and folder.stat().st_uid == USER else []
    return found


def test_a_container_that_covers_proc_is_named() -> None:
    """As Docker's do unless told otherwise; no daemon could start in one."""
    asked = "import drydock.rootless; print(drydock.rootless.problems()[0])"
    script = f'mount --bind /dev/null /proc/timer_list && exec "{sys.executable}" -c "{asked}"'
    told = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.startswith("this container covers /proc/timer_list: ")

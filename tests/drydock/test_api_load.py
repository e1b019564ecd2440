"""Many calls at once: right answers, in bounded time, with nothing left behind."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drydock.session import Session

if TYPE_CHECKING:
    import dagger

pytestmark = pytest.mark.engine

BASE = "debian:bookworm-slim"
NODE = "node:22-bookworm-slim"


def children() -> list[str]:
    """The programs that this process has started and that still run."""
    own = os.getpid()
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, fields = file.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        state, parent = fields.split()[:2]
        if int(parent) == own and state != "Z":
            found.append(name)
    return found


async def test_fifty_execs_at_once_each_with_its_own_secret(dag: dagger.Client) -> None:
    """Every answer is that of its own question."""
    base = dag.container().from_(BASE).with_env_variable("RUN", uuid.uuid4().hex)

    async def asked(number: int) -> str:
        secret = dag.set_secret(f"secret-{number}", f"value-{number}-{number}")
        made = base.with_secret_variable("VALUE", secret)
        return await made.with_exec(["sh", "-c", f"echo {number} $(echo $VALUE | rev)"]).stdout()

    async with asyncio.timeout(120):
        answers = await asyncio.gather(*(asked(number) for number in range(50)))
    assert answers == [f"{n} {f'value-{n}-{n}'[::-1]}\n" for n in range(50)]


async def test_cancelled_calls_are_ended_and_the_others_are_not(
    dag: dagger.Client, session: Session
) -> None:
    """Also where the same exec was asked for by both; no build process stays."""
    base = dag.container().from_(BASE).with_env_variable("RUN", uuid.uuid4().hex)
    before = children()

    async def asked(number: int) -> str:
        # Each is asked for twice: by one that is cancelled, and by one that is not.
        return await base.with_exec(["sh", "-c", f"sleep 1; echo {number // 2}"]).stdout()

    asking = [asyncio.create_task(asked(number)) for number in range(12)]
    endless = [
        asyncio.create_task(base.with_exec(["sleep", f"{number}0000"]).sync())
        for number in range(1, 5)
    ]
    await asyncio.sleep(0.7)
    for task in (*asking[::2], *endless):
        task.cancel()
    async with asyncio.timeout(60):
        answers = await asyncio.gather(*asking, return_exceptions=True)
        await asyncio.gather(*endless, return_exceptions=True)
        while children() != before:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.05)
    assert answers[1::2] == [f"{number}\n" for number in range(6)]
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])
    assert await base.with_exec(["echo", "more"]).stdout() == "more\n"
    assert session.port


async def test_services_under_many_users_at_once(dag: dagger.Client) -> None:
    """Each service is started once for all, and is the right one for everybody."""

    def site(number: int) -> dagger.Service:
        script = f"""const run = Math.random()
            require('http').createServer((q, r) => r.end(`{number} ${{run}}`)).listen(80)"""
        made = dag.container().from_(NODE).with_default_args(["node", "-e", script])
        return made.with_exposed_port(80).as_service()

    fetch = "fetch('http://site').then(r => r.text()).then(t => process.stdout.write(t))"
    base = dag.container().from_(NODE).with_env_variable("RUN", uuid.uuid4().hex)

    async def asked(number: int) -> str:
        bound = base.with_service_binding("site", site(number % 4))
        made = bound.with_env_variable("NUMBER", str(number))
        return await made.with_exec(["node", "-e", fetch]).stdout()

    async with asyncio.timeout(120):
        answers = [a.split() for a in await asyncio.gather(*map(asked, range(24)))]
    assert [int(number) for number, _run in answers] == [n % 4 for n in range(24)]
    assert len({run for _number, run in answers}) == 4


@pytest.mark.slow
def test_ten_programs_at_once_on_one_daemon(tmp_path: Path) -> None:
    """Each in a session of its own, each with the secret and the service of its own."""
    program = tmp_path / "program.py"
    program.write_text(f"""
import asyncio, sys
import dagger

async def main(number):
    async with dagger.connection():
        dag = dagger.dag
        script = f"require('http').createServer((q, r) => r.end('{{number}}')).listen(80)"
        made = dag.container().from_("{NODE}").with_exposed_port(80)
        site = made.with_default_args(["node", "-e", script]).as_service()
        secret = dag.set_secret("value", f"secret-{{number}}-value")
        bound = dag.container().from_("{NODE}").with_service_binding("site", site)
        bound = bound.with_secret_variable("VALUE", secret).with_env_variable("RUN", sys.argv[2])
        fetch = "fetch('http://site').then(r => r.text()).then(t => console.log(t, process.env.VALUE.length))"
        print(await bound.with_exec(["node", "-e", fetch]).stdout(), end="")

asyncio.run(main(int(sys.argv[1])))
""")
    run = uuid.uuid4().hex
    drydock = Path(sys.executable).with_name("drydock")
    commands = [
        [str(drydock), "run", "--", sys.executable, str(program), str(10**number), run]
        for number in range(10)
    ]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for command in commands
    ]
    for number, process in enumerate(processes):
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert out == f"{10**number} {len(f'secret-{10**number}-value')}\n"

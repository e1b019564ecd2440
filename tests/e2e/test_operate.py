"""What an operator asks of a real server: `status`, `logs`, `doctor`, and `plan` before anything is there."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from slipway.errors import ConfigError
from slipway.server import status
from slipway.server.doctor import doctor
from slipway.server.logs import Wanted, logs
from slipway.server.masking import Mask
from slipway.server.names import Site as Name
from slipway.server.operator import Operator
from slipway.server.overview import overview
from slipway.server.ssh import ServerError
from slipway.server.target import Login, Target
from tests.e2e.site import API, WEB, Site, example_site, public_names
from tests.e2e.tiny import Tiny, push

pytestmark = pytest.mark.engine
# A network of this test's own, on the bridge between this machine and the server (RFC 4193).
IPV6 = "fd00:5117:6::"


def ignored(_: str) -> None:
    """What is said on the way."""


async def shown(site: Site) -> str:
    """What `status` prints."""
    return status.render(await overview(site.operator()))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    """Tiny apps, and an empty server for them."""
    folder = tmp_path_factory.mktemp("operate")
    with (
        example_site(folder, "operate", drain=1) as site,
        public_names(site.server.address),
    ):
        yield push(site, 1)


async def test_where_nothing_is_deployed_status_says_so(tiny: Tiny) -> None:
    """And logs say what there is to ask for."""
    assert (await shown(tiny.site)).startswith("mindfulspace--staging: nothing is deployed")
    with pytest.raises(ConfigError, match='"api" has no container; there are: none'):
        await logs(tiny.site.operator(), Wanted("api"), ignored, Mask())


async def test_status_tells_what_serves_and_what_happened(tiny: Tiny) -> None:
    """Containers, public addresses with their certificates, releases, the audit log."""
    await tiny.site.deployment(tiny.target("v1")).deploy(ignored)
    said = await shown(tiny.site)
    assert said.startswith("mindfulspace--staging runs v1 (number 1)")
    assert said.count("running, healthy") == 3
    assert "status 200, answered by mindfulspace--staging--api--1" in said
    assert "days left" in said
    assert "free of" in said
    assert f"{WEB}/health" in said
    assert "deploy  v1       tester  done" in said


async def test_status_names_what_is_broken(tiny: Tiny) -> None:
    """An app that was killed, and a lock that is held."""
    operator = tiny.site.operator()
    tiny.site.server.ssh("docker stop --time 0 mindfulspace--staging--frontend--1")
    async with operator.connected() as server, operator.locked(server, "v2", ignored):
        said = await shown(tiny.site)
    tiny.site.server.ssh("docker start mindfulspace--staging--frontend--1")
    assert "exited" in said
    # The proxy answers 502 until it has seen that the container is gone, then 404.
    assert said.count("status 200") == 1
    assert "tester deploys v2 since" in said


async def test_production_is_dumped_before_it_migrates_and_the_dump_comes_back(tiny: Tiny) -> None:
    """Beside staging on one server; the report says where the dump is, and how large."""
    production = for_production(tiny.target("v1"))
    await tiny.site.deployment(production).deploy(ignored)
    exec_db = "docker exec -i mindfulspace--prod--database-db-1"
    query = f"{exec_db} psql -At -U app -d mindful"
    tiny.site.server.ssh(
        query, stdin="CREATE TABLE mood (word text); INSERT INTO mood VALUES ('fine');"
    )
    said = await tiny.site.deployment(replace(production, identifier="v2")).deploy(ignored)
    found = re.search(
        r"dump +(slipway/mindfulspace--prod/database/dumps/000002-v2\.dump) (\d+) bytes", said
    )
    assert found, said
    assert int(found[2]) > 500
    tiny.site.server.ssh(query, stdin="DROP TABLE mood;")
    restore = f"{exec_db} pg_restore -U app -d mindful --clean --if-exists < {found[1]}"
    tiny.site.server.ssh(restore)
    assert tiny.site.server.ssh(query, stdin="SELECT word FROM mood;").strip() == "fine"
    assert (await shown(tiny.site)).startswith("mindfulspace--staging runs v1")


def for_production(target: Target) -> Target:
    """The same release for production, at its own addresses."""
    assert target.database
    apps = [
        replace(app, routing=replace(app.routing, host=app.routing.host.replace("staging.", "")))
        for app in target.apps
    ]
    return replace(
        target,
        site=Name("mindfulspace", "prod"),
        apps=tuple(apps),
        database=replace(target.database, keep_dumps=7),
    )


async def test_the_dump_that_is_needed_outlives_failed_attempts_and_foreign_names(
    tiny: Tiny,
) -> None:
    """From before the first attempt that failed; restored into a new database, it has what was there."""
    server, folder = tiny.site.server, "slipway/mindfulspace--prod/database/dumps"
    production = for_production(tiny.target("good"))
    assert production.database
    production = replace(production, database=replace(production.database, keep_dumps=2))
    await tiny.site.deployment(production).deploy(ignored)
    psql = "docker exec -i mindfulspace--prod--database-db-1 psql -At -U app -d mindful"
    server.ssh(psql, stdin="UPDATE mood SET word = 'before it went wrong';")
    bad = for_production(tiny.target("bad", code=3)).migration
    for number in range(5):
        failing = replace(production, identifier=f"bad-{number}", migration=bad)
        with pytest.raises(ServerError, match="migrate failed"):
            await tiny.site.deployment(failing).deploy(ignored)
        server.ssh(psql, stdin="UPDATE mood SET word = 'wrong';")
    left = server.ssh(f"ls {folder}/*bad-*.dump").split()
    assert [name.rpartition("-")[2] for name in left] == ["0.dump", "3.dump", "4.dump"]
    restore = "docker exec -i mindfulspace--prod--database-db-1"
    server.ssh(f"{restore} createdb -U app again")
    server.ssh(f"{restore} pg_restore -U app -d again < {left[0]}")
    again = f"{restore} psql -At -U app -d again"
    assert server.ssh(again, stdin="SELECT word FROM mood;").strip() == "before it went wrong"
    # Brought back from elsewhere, with a name that sorts behind every other, or before it.
    server.ssh(f"cd {folder} && cp -p *-good.dump zz.dump && touch -d '2020-01-01' zz.dump")
    server.ssh(f"cd {folder} && cp zz.dump 000000-copy.dump")
    await tiny.site.deployment(replace(production, identifier="mended")).deploy(ignored)
    kept = server.ssh(f"cd {folder} && ls *.dump").split()
    assert len(kept) == 2
    assert kept[-1].endswith("-mended.dump")


async def test_logs_are_shown_as_they_come_and_end_with_the_caller(tiny: Tiny) -> None:
    """No process is left on the server."""
    operator = tiny.site.operator()
    assert "tiny listens" in await logs(operator, Wanted("api"), ignored, Mask())
    assert "ready to accept connections" in await logs(
        operator, Wanted("database"), ignored, Mask()
    )
    came = asyncio.Event()
    following = asyncio.create_task(
        logs(operator, Wanted("api", follow=True), lambda _: came.set(), Mask())
    )
    await asyncio.wait_for(came.wait(), 20)
    assert "docker logs" in tiny.site.server.ssh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await asyncio.sleep(1)
    script = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'docker logs [-]-since' || true"
    assert tiny.site.server.ssh(script).strip() == "0"


async def test_doctor_finds_nothing_wrong_and_says_what_it_looked_at(tiny: Tiny) -> None:
    """The login of the registry and the database's password are tried."""
    said = await doctor(tiny.site.operator(), tiny.target("v1"), [])
    assert said.startswith(f"deploy@{tiny.site.server.address} is ready")
    assert f"takes ci at {tiny.site.registry}" in said


async def test_doctor_names_every_problem_at_once(tiny: Tiny) -> None:
    """Each with its fix: a network, the proxy, the registry's login, the database's password."""
    server, target = tiny.site.server, tiny.target("v1")
    assert target.database
    wrong = replace(
        target,
        login=Login(tiny.site.registry, "ci", "wrong"),
        database=replace(
            target.database, env={**target.database.env, "POSTGRES_PASSWORD": "wrong"}
        ),
    )
    server.ssh("docker stop $(docker ps --quiet --filter publish=443)")
    try:
        with pytest.raises(ConfigError) as caught:
            await doctor(tiny.site.operator(), wrong, ["no api_env"])
    finally:
        server.prepare()
    told = str(caught.value)
    assert "4 problems" in told
    for part in ("no api_env", "port 443", "refuses ci at", "ALTER ROLE"):
        assert part in told
    assert "wrong" not in told


async def test_they_are_functions_of_the_module(tiny: Tiny) -> None:
    """As people type them."""
    assert "mindfulspace--staging runs v1" in tiny.site.called("status")
    assert "tiny listens" in tiny.site.called("logs", "--app", "api")
    assert "is ready" in tiny.site.called("doctor")
    assert "nobody holds the lock" in tiny.site.called("unlock")


async def test_an_upload_of_more_than_a_minute_is_not_cut(tiny: Tiny) -> None:
    """Traefik's own limit is 60 s for a request with all that it uploads."""

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(33):
            yield b"part of a large file"
            await asyncio.sleep(2)

    host = API.removeprefix("https://")
    async with tiny.site.client() as client:
        answer = await client.post(
            f"https://{tiny.site.server.address}/upload",
            headers={"Host": host},
            content=slowly(),
            extensions={"sni_hostname": host},
        )
    assert answer.status_code == 200, answer.text


async def test_a_server_that_is_reached_by_ipv6_is_deployed_to(tiny: Tiny) -> None:
    """Also by its proxy, which is asked at that address."""
    server = tiny.site.server
    server.root("ip", "-6", "address", "add", f"{IPV6}2/64", "dev", "eth0", "nodad")
    bridge = ("ip", "-6", "address", "add", f"{IPV6}1/64", "dev", server.bridge.name, "nodad")
    subprocess.run(bridge, check=True)
    acting = tiny.site.operator()
    key = acting.address.known_hosts[0].partition(" ")[2]
    address = replace(acting.address, host=f"{IPV6}2", known_hosts=(f"{IPV6}2 {key}",))
    operator = Operator(
        acting.site, address, acting.key, acting.who, ca=acting.ca, repository=acting.repository
    )
    try:
        said = await tiny.site.deployment(tiny.target("six"), operator).deploy(ignored)
    finally:
        subprocess.run([*bridge[:3], "delete", *bridge[4:]], check=True)
    assert "mindfulspace--staging runs six" in said


async def test_a_name_that_leads_nowhere_is_told_before_anything_is_changed(tiny: Tiny) -> None:
    """Not after a minute of waiting, with everything else done."""
    target = tiny.target("typo")
    host = "api.staging.mindfulspace.invalid"
    api = replace(target.apps[0], routing=replace(target.apps[0].routing, host=host))
    before = tiny.site.server.ssh("ls slipway/mindfulspace--staging/releases")
    with pytest.raises(ConfigError, match=rf"{host} leads nowhere: .* {tiny.site.server.address}"):
        await tiny.site.deployment(replace(target, apps=(api, target.apps[1]))).deploy(ignored)
    assert tiny.site.server.ssh("ls slipway/mindfulspace--staging/releases") == before


async def test_an_audit_log_that_cannot_be_written_hides_no_error(tiny: Tiny) -> None:
    """What failed comes first; and what serves although it could not be written down is told."""
    folder = "slipway/mindfulspace--staging"
    tiny.site.server.ssh(f"cd {folder} && mv audit.jsonl kept && mkdir audit.jsonl")
    try:
        with pytest.raises(
            ServerError, match=r"(?s)^migrate failed.*And after that: writing the audit log"
        ):
            await tiny.site.deployment(tiny.target("bad", code=3)).deploy(ignored)
        said = "mindfulspace--staging runs good, and that could not be written down"
        with pytest.raises(ServerError, match=said):
            await tiny.site.deployment(tiny.target("good")).deploy(ignored)
    finally:
        tiny.site.server.ssh(f"cd {folder} && rmdir audit.jsonl && mv kept audit.jsonl")


def test_the_server_pulls_with_the_login_that_may_only_read(tiny: Tiny) -> None:
    """`doctor` tries it where it is configured, and not the one that pushes."""
    done = tiny.site.call("--pull-user", "reader", "--pull-password", "env:SSH_KEY", "doctor")
    assert done.returncode == 1
    assert f"the registry refuses reader at {tiny.site.registry}" in done.stderr
    half = tiny.site.call("--pull-user", "reader", "doctor")
    assert "no pull_password" in half.stderr

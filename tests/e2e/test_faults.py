"""What a deploy survives, on a real server: what served keeps serving, and the next deploy finishes."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest

from ci.lab.server import Server
from slipway.errors import ConfigError
from slipway.server import operator
from slipway.server.probe import look
from slipway.server.rollback import choose
from slipway.server.ssh import DisconnectedError, ServerError
from tests.e2e.relay import relay
from tests.e2e.site import API, PASSWORD, WEB, Site, example_site, public_names
from tests.e2e.tiny import Tiny, push
from tests.e2e.traffic import visitors

pytestmark = pytest.mark.engine

ADDRESSES = (f"{API}/health", f"{WEB}/health")
# More than a deploy has: the loop ends with the deploy that comes to its end.
MOST_STEPS = 100
# An image that no test brings to the server, and two that a single test does.
UNSEEN, LATE, PULLED = 3, 4, 5
# Of the files that a deploy writes, what is there only while it does.
HALF = "find slipway -name .docker -o -name '*.??????' -type f ! -name '*.jsonl'"
RELEASES = "ls slipway/mindfulspace--staging/releases"


class SmallServer(Server):
    """A server with a small disk."""

    DOCKER_MEGABYTES = 3000


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    """Tiny apps, and a server where the first of them runs."""
    folder = tmp_path_factory.mktemp("faults")
    with (
        example_site(folder, "faults", drain=1, kind=SmallServer) as site,
        public_names(site.server.address),
    ):
        made = push(site, 6)
        asyncio.run(site.deployment(made.target("first")).deploy(lambda _: None))
        yield made


@pytest.fixture
def running(tiny: Tiny) -> Site:
    """The site with a release that serves."""
    return tiny.site


def there(site: Site) -> str:
    """The names of all containers of the site."""
    return site.server.ssh("docker ps --all --format '{{.Names}}' | grep ^mindfulspace | sort")


async def test_a_connection_cut_after_any_step_leaves_what_serves_and_the_next_deploy_finishes(
    tiny: Tiny, running: Site
) -> None:
    """One cut-off deploy after the other, each a step further; nobody cleans up between them."""
    async with (
        relay(running.server.address, running.server.port) as way,
        visitors(running, *ADDRESSES) as done,
    ):
        by_relay, cuts, serving = running.operator(port=way.port), 0, ""
        for last in range(1, MOST_STEPS):
            steps: list[str] = []
            _, serving = await running.status(ADDRESSES[0])

            def say(line: str, last: int = last, steps: list[str] = steps) -> None:
                # Headings are not indented.
                if line.startswith(" "):
                    steps.append(line)
                    if len(steps) == last:
                        way.cut()

            try:
                await running.deployment(tiny.target(f"cut-{last}", 1), by_relay).deploy(say)
            except DisconnectedError:
                cuts += 1
            else:
                break
    assert cuts > 20
    assert set(done) == {"ok"}, done
    assert done["ok"] > 100
    assert len(there(running).split()) == 3, there(running)
    assert not running.server.ssh(HALF)
    async with running.operator().connected() as server:
        found = await look(server, running.operator().site)
    # What served before the last deploy, although its own deploy was cut off.
    assert serving.endswith(f"--{choose(found).sequence}"), (serving, found.releases)


async def test_a_migration_that_lost_its_deploy_is_waited_for(tiny: Tiny, running: Site) -> None:
    """GitLab's retry comes by itself: it lets the migration end, and then migrates on."""
    site = running.operator().site
    first = replace(tiny.recorded(site, "lost"), apps=tiny.target("lost", 1).apps)
    assert first.migration
    slow = replace(first.migration, env={**first.migration.env, "SECONDS_BEFORE": "8"})
    async with relay(running.server.address, running.server.port) as way:
        deployment = running.deployment(
            replace(first, migration=slow), running.operator(port=way.port)
        )
        with pytest.raises(DisconnectedError, match="during: migrations"):
            await deployment.deploy(cutting(way.cut, "migrations", 3))
    assert "migrator" in there(running)
    lines: list[str] = []
    retry = replace(first, identifier="retry")
    await running.deployment(retry).deploy(lines.append)
    assert any("migrations of lost, which lost their deploy" in line for line in lines)
    # Killed in the middle, it would have written nothing.
    psql = "docker exec -i mindfulspace--staging--database-db-1 psql -U app -d mindful -At"
    rows = running.server.ssh(psql, stdin="select site, release from visit;").split()
    assert rows == ["mindfulspace--staging|lost", "mindfulspace--staging|lost"]
    assert "migrator" not in there(running)


def cutting(cut: Callable[[], None], heading: str, seconds: float) -> Callable[[str], None]:
    """What is said on the way: some seconds after a stage's heading the connection is cut."""

    def say(line: str) -> None:
        if line == heading:
            asyncio.get_running_loop().call_later(seconds, cut)

    return say


async def test_a_migration_that_lost_its_deploy_is_ended_when_its_time_is_over(
    tiny: Tiny, running: Site
) -> None:
    """Its own time, not that of whoever waits."""
    async with relay(running.server.address, running.server.port) as way:
        endless = tiny.target("endless", 1, lasts=300, within=12)
        deployment = running.deployment(endless, running.operator(port=way.port))
        with pytest.raises(DisconnectedError, match="during: migrations"):
            await deployment.deploy(cutting(way.cut, "migrations", 3))
    assert "migrator" in there(running)
    began = time.monotonic()
    await running.deployment(tiny.target("next", 1)).deploy(lambda _: None)
    assert time.monotonic() - began < 100
    assert "migrator" not in there(running)


async def test_a_login_to_the_registry_goes_when_the_connection_does(
    tiny: Tiny, running: Site
) -> None:
    """Without another deploy: it may be one that may push."""
    login = "slipway/mindfulspace--staging/.docker/config.json"
    seen: list[str] = []
    async with relay(running.server.address, running.server.port) as way:

        def say(line: str) -> None:
            if line.startswith("  log in to"):
                seen.append(running.server.ssh(f"stat -c %a {login}").strip())
                way.cut()

        deployment = running.deployment(
            tiny.target("pulls", PULLED), running.operator(port=way.port)
        )
        with pytest.raises(DisconnectedError, match="during: pull"):
            await deployment.deploy(say)
    assert seen == ["600"]
    for _ in range(50):
        if not running.server.ssh(f"ls {login} 2>/dev/null || true"):
            break
        await asyncio.sleep(0.2)
    else:
        pytest.fail("the login is still there ten seconds after the connection broke")


async def test_an_app_that_dies_before_the_takeover_stops_it(tiny: Tiny, running: Site) -> None:
    """One of several: nothing old is stopped, and nothing is said to be done."""
    before, found = there(running), "docker ps --quiet --filter label=slipway.release=dies"

    def say(line: str) -> None:
        if line == "take over":
            running.server.ssh(f"docker kill $({found} --filter label=slipway.app=api)")

    serving = await running.status(ADDRESSES[0])
    with pytest.raises(ServerError, match="does not run, or is not healthy any more"):
        await running.deployment(tiny.target("dies", 1)).deploy(say)
    assert there(running) == before
    assert await running.status(ADDRESSES[0]) == serving


async def test_whatever_fails_in_the_middle_is_undone_and_written_down(
    tiny: Tiny, running: Site
) -> None:
    """Also what nobody thought of: no two releases stay beside each other, unrecorded."""
    before = there(running)

    def say(line: str) -> None:
        if line.startswith("  api answers the public"):
            raise ZeroDivisionError

    async with visitors(running, *ADDRESSES) as done:
        with pytest.raises(ServerError, match="start api: ZeroDivisionError"):
            await running.deployment(tiny.target("odd", 1)).deploy(say)
    assert set(done) == {"ok"}, done
    assert there(running) == before
    assert '"release": "odd"' in running.server.ssh(
        "tail -n 1 slipway/mindfulspace--staging/audit.jsonl"
    )


async def test_a_migration_that_fails_replaces_nothing(tiny: Tiny, running: Site) -> None:
    """The deploy fails; no container of it is left, and the old ones serve."""
    before = there(running)
    async with visitors(running, *ADDRESSES) as done:
        with pytest.raises(ServerError, match="migrate failed on the server"):
            await running.deployment(tiny.target("bad", 1, code=3)).deploy(lambda _: None)
    assert set(done) == {"ok"}, done
    assert there(running) == before


async def test_a_migration_that_hangs_is_stopped(tiny: Tiny, running: Site) -> None:
    """In its time; nothing of it goes on running."""
    before = there(running)
    with pytest.raises(ServerError, match="migrate"):
        await running.deployment(tiny.target("hangs", 1, lasts=300, within=4)).deploy(
            lambda _: None
        )
    assert there(running) == before


async def test_of_two_deploys_at_once_the_second_waits(
    tiny: Tiny, running: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells for whom, and then deploys; with less patience it is refused."""
    migrating, lines = asyncio.Event(), list[str]()
    first = running.deployment(tiny.target("slow", 1, lasts=4), running.operator(who="Ann"))

    def say(line: str) -> None:
        if line == "migrations":
            migrating.set()

    task = asyncio.create_task(first.deploy(say))
    await migrating.wait()
    with monkeypatch.context() as patch:
        patch.setattr(operator, "LOCK_SECONDS", 1)
        with pytest.raises(ServerError, match=r"lock after 1 s: Ann deploys slow since 20\d\d-"):
            await running.deployment(tiny.target("hasty")).deploy(lambda _: None)
    await running.deployment(tiny.target("patient")).deploy(lines.append)
    assert task.done()
    assert "mindfulspace--staging runs slow" in await task
    assert any("Ann deploys slow" in line for line in lines)
    kept = running.server.ssh(RELEASES).split()
    assert "hasty" not in "".join(kept)
    assert kept[-1].endswith("-patient")


async def test_a_wrong_registry_login_is_named_and_forgotten(tiny: Tiny, running: Site) -> None:
    """Which registry and which user; the login leaves no file."""
    before, login = there(running), replace(running.login, password="wrong-sentinel")
    with pytest.raises(ConfigError) as failed:
        await running.deployment(tiny.target("login", UNSEEN, login=login)).deploy(lambda _: None)
    assert f"refuses {login.user} at {login.host}" in str(failed.value)
    assert "sentinel" not in str(failed.value)
    assert there(running) == before
    assert not running.server.ssh(HALF)


def fill(site: Site, left: int) -> None:
    """Leave so many megabytes free where Docker keeps its data."""
    script = """
        avail=$(df --output=avail --block-size=1M /var/lib/docker | tail -n 1)
        fallocate -l $((avail - $1))M /var/lib/docker/filler
        [ "$1" -gt 0 ] || cat /dev/zero >>/var/lib/docker/filler || true
    """
    site.server.root("sh", "-c", script, "fill", str(left))


@pytest.fixture
def emptied(running: Site) -> Iterator[None]:
    """Whatever a test fills is empty again behind it."""
    yield
    running.server.root("rm", "-f", "/var/lib/docker/filler")


@pytest.mark.usefixtures("emptied")
async def test_a_disk_that_is_almost_full_is_found_before_anything_is_changed(
    tiny: Tiny, running: Site
) -> None:
    """With what is free and what is expected."""
    fill(running, 300)
    before = running.server.ssh(RELEASES)
    with pytest.raises(ConfigError) as failed:
        await running.deployment(tiny.target("almost", UNSEEN)).deploy(lambda _: None)
    said = r"(?s)nothing was changed.*\b3\d\d\.\d MB free .*expected 500\.0 MB"
    assert re.search(said, str(failed.value))
    assert running.server.ssh(RELEASES) == before


@pytest.mark.usefixtures("emptied")
async def test_a_disk_that_fills_up_in_a_pull_leaves_what_serves(tiny: Tiny, running: Site) -> None:
    """The message says how to make room; the next deploy finishes."""
    before, target = there(running), tiny.target("filled", LATE)

    def say(line: str) -> None:
        if line == "pull":
            fill(running, 0)

    async with visitors(running, *ADDRESSES) as done:
        with pytest.raises(ServerError, match=r"(?s)no space left on device.*docker image prune"):
            await running.deployment(target).deploy(say)
    assert set(done) == {"ok"}, done
    assert there(running) == before
    running.server.root("rm", "/var/lib/docker/filler")
    assert "runs filled" in await running.deployment(target).deploy(lambda _: None)
    assert not running.server.ssh(HALF)


async def test_a_disk_without_room_is_found_before_the_pull(tiny: Tiny, running: Site) -> None:
    """With the numbers, and nothing is changed."""
    target, before = tiny.target("large", UNSEEN), running.server.ssh(RELEASES)
    large = replace(running.deployment(target), sizes={target.apps[0].image: 10**15})
    with pytest.raises(ConfigError, match=r"(?s)nothing was changed.*free.*expected.*to pull"):
        await large.deploy(lambda _: None)
    assert running.server.ssh(RELEASES) == before


async def test_a_password_that_only_the_secret_has_is_refused_until_the_role_has_it(
    tiny: Tiny, running: Site
) -> None:
    """Nothing is changed before; after ALTER ROLE it deploys."""
    before = running.server.ssh(RELEASES)
    env = {"POSTGRES_USER": "app", "POSTGRES_PASSWORD": "rotated", "POSTGRES_DB": "mindful"}
    rotated = running.deployment(tiny.target("rotated", 1, database_env=env))
    with pytest.raises(ConfigError, match=r"(?s)nothing was changed.*ALTER ROLE"):
        await rotated.deploy(lambda _: None)
    assert running.server.ssh(RELEASES) == before
    alter(running, "rotated")
    try:
        assert "runs rotated" in await rotated.deploy(lambda _: None)
    finally:
        alter(running, PASSWORD)


async def until_it_answers(site: Site, url: str) -> bool:
    """Whether an address answers well within half a minute."""
    for _ in range(60):
        try:
            if (await site.status(url))[0] == 200:
                return True
        except httpx.HTTPError:
            pass  # the proxy starts
        await asyncio.sleep(0.5)
    return False


def alter(site: Site, password: str) -> None:
    """Give the database's user a password, as an owner would."""
    psql = "docker exec -i mindfulspace--staging--database-db-1 psql -U app -d mindful"
    site.server.ssh(psql, stdin=f"ALTER ROLE app PASSWORD '{password}';\n")


async def test_after_a_power_cut_within_a_deploy_the_site_serves_and_the_next_deploy_finishes(
    tiny: Tiny, running: Site
) -> None:
    """The release that was complete comes back with the server; the new API, which was ready, does not."""
    before = [await running.status(url) for url in ADDRESSES]

    def say(line: str) -> None:
        if line == "start frontend":
            running.server.cut()

    with pytest.raises(DisconnectedError):
        await running.deployment(tiny.target("dark", 2)).deploy(say)
    running.server.start()
    for url in ADDRESSES:
        assert await until_it_answers(running, url)
    assert [await running.status(url) for url in ADDRESSES] == before
    await running.deployment(tiny.target("light", 2)).deploy(lambda _: None)
    assert len(there(running).split()) == 3, there(running)

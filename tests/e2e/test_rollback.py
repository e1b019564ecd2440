"""`rollback` on a real server: by digest, with the older release's own settings, no request failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from slipway.errors import ConfigError
from slipway.server import cutover
from slipway.server.rollback import Rollback
from slipway.server.ssh import ServerError
from slipway.server.steps import Routed
from slipway.server.unlock import unlock
from tests.e2e.site import API, WEB, Site, example_site, public_names
from tests.e2e.tiny import Tiny, push
from tests.e2e.traffic import visitors

pytestmark = pytest.mark.engine

ADDRESSES = (f"{API}/health", f"{WEB}/health")
# What an env file may do to a value: it has to come back as it was.
BODY = "first $HOME \"quoted\" 'single' #no \\n back\\slash ünï"


def ignored(_: str) -> None:
    """What is said on the way."""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    """Tiny apps, and an empty server for them."""
    folder = tmp_path_factory.mktemp("rollback")
    with (
        example_site(folder, "rollback", drain=1) as site,
        public_names(site.server.address),
    ):
        yield push(site, 3)


async def deployed(tiny: Tiny, name: str, version: int, body: str, *migrations: str) -> None:
    """Deploy a release whose API answers with a text."""
    target = tiny.target(name, version, api_env={"BODY": body})
    await tiny.site.deployment(replace(target, migrations=migrations)).deploy(ignored)


async def body(site: Site) -> str:
    """What the API answers."""
    async with site.client() as client:
        return (await site.ask(client, "GET", f"{API}/")).text


async def test_the_release_before_comes_back_with_its_own_settings(tiny: Tiny) -> None:
    """By its digest, while users go on; the audit log says who."""
    await deployed(tiny, "v1", 0, BODY, "1_init")
    await deployed(tiny, "v2", 1, "second", "1_init")
    async with visitors(tiny.site, *ADDRESSES) as done:
        report = await Rollback(tiny.site.operator()).run(ignored)
    assert set(done) == {"ok"}, done
    assert "mindfulspace--staging runs v1" in report
    assert await body(tiny.site) == BODY
    find = "docker ps --quiet --filter label=slipway.app=api"
    image = tiny.site.server.ssh(f"docker inspect --format '{{{{.Config.Image}}}}' $({find})")
    assert image.split() == [tiny.apps[0]]
    lines = tiny.site.server.ssh("cat slipway/*/audit.jsonl").splitlines()
    entry = json.loads(lines[-1])
    assert (entry["what"], entry["release"], entry["result"]) == ("rollback", "v1", "done")


async def test_the_release_after_comes_back_by_its_name(tiny: Tiny) -> None:
    """As a rollback of the rollback."""
    await Rollback(tiny.site.operator(), to="v2").run(ignored)
    assert await body(tiny.site) == "second"


async def test_across_a_migration_it_is_refused_and_nothing_changes(tiny: Tiny) -> None:
    """Unless somebody says that the older code can live with it."""
    await deployed(tiny, "v3", 0, "third", "1_init", "2_mood")
    with pytest.raises(ConfigError, match="does not know: 2_mood"):
        await Rollback(tiny.site.operator()).run(ignored)
    assert await body(tiny.site) == "third"
    await Rollback(tiny.site.operator(), force=True).run(ignored)
    assert await body(tiny.site) == "second"


async def test_it_is_a_function_of_the_module(tiny: Tiny) -> None:
    """What is refused there is told with what is on the server."""
    done = tiny.site.call("rollback", "--to", "v9")
    assert done.returncode == 1
    assert '"v9": no such completed release; on the server: v2 (2), v1 (3)' in done.stderr
    said = tiny.site.called("rollback", "--to", "v3")
    assert "mindfulspace--staging runs v3" in said
    assert await body(tiny.site) == "third"


def releases(site: Site) -> list[str]:
    """The folders of the releases on the server, without their numbers."""
    found = site.server.ssh("ls slipway/mindfulspace--staging/releases").split()
    return [name.partition("-")[2] for name in found]


def images(tiny: Tiny) -> set[str]:
    """Those of the tiny images that the server has."""
    shown = "docker image inspect --format '{{join .RepoDigests \" \"}}' $(docker images --quiet)"
    there = set(tiny.site.server.ssh(shown).split())
    return there & {*tiny.apps, tiny.migrator}


async def test_beyond_those_that_are_kept_a_release_goes_with_the_images_only_it_used(
    tiny: Tiny,
) -> None:
    """What is kept comes back without a pull: nobody is logged in to the registry by then."""
    before = releases(tiny.site)
    assert (before.count("v2"), before[-1]) == (2, "v3")
    assert images(tiny) == {*tiny.apps[:2], tiny.migrator}
    target = replace(tiny.target("v4", 2), keep=2, migrations=("1_init", "2_mood"))
    await tiny.site.deployment(target).deploy(ignored)
    assert releases(tiny.site) == ["v3", "v4"]
    assert images(tiny) == {tiny.apps[0], tiny.apps[2], tiny.migrator}
    lines: list[str] = []
    await Rollback(tiny.site.operator(), keep=2).run(lines.append)
    assert "pull" not in " ".join(lines)
    assert releases(tiny.site) == ["v4", "v3"]
    assert await body(tiny.site) == "third"


async def test_a_release_that_the_public_does_not_reach_is_rolled_back_by_itself(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so; the one before serves on, and nothing of the new one is left."""
    monkeypatch.setattr(cutover, "Routed", partial(Routed, seconds=8))
    deployment = tiny.site.deployment(tiny.target("unreached", 2))
    async with visitors(tiny.site, *ADDRESSES) as done:
        with (
            public_names("127.0.0.1"),
            pytest.raises(
                ServerError, match="mindfulspace--staging: rolled back; v3 serves as before"
            ),
        ):
            await deployment.deploy(ignored)
    assert set(done) == {"ok"}, done
    assert await body(tiny.site) == "third"
    names = tiny.site.server.ssh("docker ps --all --format '{{.Names}}' | grep ^mindfulspace")
    assert len(names.split()) == 3, names


async def test_a_lock_that_does_not_free_itself_is_freed(tiny: Tiny) -> None:
    """Its holder is told; one that nobody holds is no error."""
    operator = tiny.site.operator()
    async with operator.connected() as server, operator.locked(server, "v4", ignored):
        freed = await unlock(operator)
        assert freed.startswith("freed the lock of mindfulspace--staging: tester deploys v4 since ")
        assert await unlock(operator) == "nobody holds the lock of mindfulspace--staging"

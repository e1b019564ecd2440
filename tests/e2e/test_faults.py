"""What a deploy survives, on a real server: what served keeps serving, and the next deploy finishes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from slipway.server.ssh import ServerError
from tests.e2e.site import API, WEB, Site, example_site, public_names
from tests.e2e.tiny import Tiny, push
from tests.e2e.traffic import visitors

pytestmark = pytest.mark.engine

ADDRESSES = (f"{API}/health", f"{WEB}/health")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    """Tiny apps, and a server where the first of them runs."""
    folder = tmp_path_factory.mktemp("faults")
    with (
        example_site(folder, "faults", drain=1) as site,
        public_names(site.server.address),
    ):
        yield push(site, 3)


@pytest.fixture
async def running(tiny: Tiny) -> Site:
    """The site with a release that serves."""
    await tiny.site.deployment(tiny.target("first")).deploy(lambda _: None)
    return tiny.site


def serving(site: Site) -> str:
    """The names of all containers of the site's apps and migrators."""
    return site.server.ssh("docker ps --all --format '{{.Names}}' | grep ^mindfulspace | sort")


async def test_a_migration_that_fails_replaces_nothing(tiny: Tiny, running: Site) -> None:
    """The deploy fails; no container of it is left, and the old ones serve."""
    before = serving(running)
    async with visitors(running, *ADDRESSES) as done:
        with pytest.raises(ServerError, match="migrate failed on the server"):
            await running.deployment(tiny.target("bad", 1, code=3)).deploy(lambda _: None)
    assert set(done) == {"ok"}, done
    assert serving(running) == before


async def test_a_migration_that_hangs_is_stopped(tiny: Tiny, running: Site) -> None:
    """In its time; nothing of it goes on running."""
    before = serving(running)
    with pytest.raises(ServerError, match="migrate"):
        await running.deployment(tiny.target("hangs", 1, lasts=300, within=2)).deploy(
            lambda _: None
        )
    assert serving(running) == before

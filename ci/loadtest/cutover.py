"""Deploys by the code that `deploy` runs, to a server of the lab's, while all streams run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from ci.lab.settings import LabError
from slipway.server import names
from slipway.server.target import Routing, Target
from tests.e2e.site import API, WEB, Site, example_site, public_names

from .attack import Attack, vegeta
from .inside import Inside
from .streams import inside, streams
from .summary import Sample, figures, handover, judged

ENVIRONMENT = "staging"
# Longer than the slowest request; before and after, both sides are seen alone.
DRAIN_SECONDS, QUIET_SECONDS = 3, 2
APPS = {"frontend": "front end", "api": "API"}


@dataclass(frozen=True)
class Layout:
    """How the public addresses lie.

    Attributes:
        name: As in the results.
        api: The API's address.
        prefix: The path that the API is below.
    """

    name: str
    api: str
    prefix: str = ""


TWO_HOSTS, ONE_HOST = Layout("two-hosts", API), Layout("one-host", f"{WEB}/api", "api")
LAYOUTS = (TWO_HOSTS, ONE_HOST)


@dataclass(frozen=True)
class Run:
    """One deploy under load.

    Attributes:
        samples: Every request.
        seconds: How long the deploy lasted.
        releases: App → the release that took over, as its header says.
        said: Seconds since the deploy began, and what it told then.
    """

    samples: Sequence[Sample]
    seconds: float
    releases: dict[str, str]
    said: list[tuple[float, str]] = field(default_factory=list)

    def by_app(self) -> dict[str, list[Sample]]:
        """The requests to each app."""
        return {
            title: [s for s in self.samples if s.stream.startswith(title)]
            for title in APPS.values()
        }

    def plain(self) -> dict[str, Any]:
        """For a file; without each single request."""
        began = min(sample.at for sample in self.samples)
        handovers = {
            title: [round(at - began, 3) for at in handover(self.by_app()[title], release)]
            for title, release in self.releases.items()
        }
        return {
            "requests": len(self.samples),
            "failed": sum(sample.failed for sample in self.samples),
            "seconds": round(self.seconds, 2),
            "new_release_from_old_release_until": handovers,
            "streams": [vars(row) for row in figures([self.samples])],
            "deploy": self.said,
        }


@dataclass(frozen=True)
class Cutover:
    """A server where the example runs, and the users who ask it.

    Attributes:
        site: The example on its server.
        layout: How its addresses lie.
        attack: Sends the requests.
        tell: Gets a line for each thing that is begun.
    """

    site: Site
    layout: Layout
    attack: Attack
    tell: Callable[[str], None] = lambda _: None

    @classmethod
    @contextmanager
    def ready(
        cls, folder: Path, layout: Layout, rate: int, tell: Callable[[str], None]
    ) -> Iterator[Cutover]:
        """An empty server, removed at the end.

        Args:
            folder: For the repository and the requests.
            layout: How the addresses lie.
            rate: Requests a second of each stream.
            tell: Gets a line for each thing that is begun.
        """
        tell("an empty server")
        with (
            example_site(folder, "load", drain=DRAIN_SECONDS) as site,
            public_names(site.server.address),
        ):
            yield replace(cls.at(site, layout, rate, folder), tell=tell)

    @classmethod
    def at(cls, site: Site, layout: Layout, rate: int, folder: Path) -> Cutover:
        """On a server that is there."""
        return cls(site, layout, Attack(site.server.address, site.server.ca, rate, folder))

    async def first(self) -> None:
        """Deploy without load."""
        self.tell("build and publish")
        target = await asyncio.to_thread(self._target, "first")
        await self.site.deployment(target).deploy(self.tell)

    async def run(self, number: int) -> Run:
        """Deploy under load.

        Args:
            number: Names the release.
        """
        target, said = self._target(f"load-{number}"), list[tuple[float, str]]()
        old, samples = await self._releases(), list[Sample]()
        self.tell("compile vegeta")
        await asyncio.to_thread(vegeta)
        with self._load(samples):
            await asyncio.sleep(QUIET_SECONDS)
            began = time.time()
            await self.site.deployment(target).deploy(partial(self._note, said, began))
            seconds = time.time() - began
            await asyncio.sleep(QUIET_SECONDS)
        new = await self._releases()
        return Run(_judged(samples, old, new), seconds, new, said)

    def _note(self, said: list[tuple[float, str]], began: float, line: str) -> None:
        said.append((round(time.time() - began, 2), line))
        self.tell(line)

    @contextmanager
    def _load(self, samples: list[Sample]) -> Iterator[None]:
        """Every stream, from outside and from inside.

        Raises:
            LabError: One of them sent nothing.
        """
        within = inside(names.Site("mindfulspace", ENVIRONMENT).internal_url("api"))
        public = streams(WEB, self.layout.api)
        image = self.site.published(ENVIRONMENT).images["api"]
        inner = Inside(self.site.server, image, self.attack.rate, self.attack.folder)
        self.tell("requests begin")
        with inner.running(within, samples), self.attack.running(public, samples):
            yield
            self.tell("the last answers")
        if silent := {one.name for one in (*within, *public)} - {one.stream for one in samples}:
            raise LabError(f"nothing was sent of: {'; '.join(sorted(silent))}")

    async def _releases(self) -> dict[str, str]:
        """App → the release that serves."""
        return {title: await self._serving(app) for app, title in APPS.items()}

    async def _serving(self, app: str) -> str:
        url = f"{WEB}/healthz" if app == "frontend" else f"{self.layout.api}/sessions"
        _, release = await self.site.status(url)
        expected = names.Site("mindfulspace", ENVIRONMENT).app(app, 0).removesuffix("0")
        if not release.startswith(expected):
            raise RuntimeError(f"{url} is answered by {release or 'no release'}, not by {expected}")
        return release

    def _target(self, identifier: str) -> Target:
        """The example's release; on one host the API is told its path."""
        target = self.site.target(identifier, ENVIRONMENT)
        return replace(target, apps=tuple(map(self._placed, target.apps)))

    def _placed(self, app: Any) -> Any:
        if app.name != "api" or not self.layout.prefix:
            return app
        routing = Routing(app.routing.host.removeprefix("api."), f"/{self.layout.prefix}")
        env = {**app.env, "API_PREFIX": self.layout.prefix}
        return replace(app, routing=routing, band=len(routing.path), env=env)


def _judged(
    samples: Sequence[Sample], old: Mapping[str, str], new: Mapping[str, str]
) -> list[Sample]:
    """All requests; failed is also what neither the old release nor the new one answered."""
    each = (
        judged((s for s in samples if s.stream.startswith(title)), (old[title], new[title]))
        for title in APPS.values()
    )
    return sorted(chain.from_iterable(each), key=lambda sample: sample.at)

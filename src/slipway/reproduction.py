"""Tells whether a published image can be made again, and if not, which files and settings differ."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import dagger
from dagger import dag

from .evaluation import side_by_side

_SCRIPTS = Path(__file__).parent / "scripts"
_LISTED = 1000
_SHOWN = 20
_LONGEST = 100


@dataclass(frozen=True)
class Difference:
    """A path that is not the same in both images.

    Attributes:
        path: Relative to the root. Of a folder that one image has alone, what is in it is not told.
        what: `only in the published image`, `only in the rebuilt image`, `kind of file`, or what of it differs:
            `content`, `link target`, `mode`, `owner`, `time`, several with commas.
    """

    path: str
    what: str


@dataclass(frozen=True)
class Comparison:
    """An image that was published, beside one that was built from its commit again.

    Attributes:
        name: The image's name.
        files: The paths that differ, sorted; the first of them where there are very many.
        counts: How many paths differ, by what of them does.
        config: Settings that differ, in words.
        renewed: Files that differ in their time alone, and are of a front end's pages that are made anew after a
            while: Next counts from when they were made, so each build gives them its own. No difference.
    """

    name: str
    files: tuple[Difference, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    config: tuple[str, ...] = ()
    renewed: int = 0

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.files and not self.config

    def text(self) -> str:
        """The comparison for people: every setting, and the first of the paths."""
        if self.same:
            first = f"{self.name}: made again from its commit, the same in every file and setting"
            return "\n".join([first, *self._of_renewed()])
        total = sum(self.counts.values())
        found = [
            *([f"{total} {_plural('path', total)}"] if total else []),
            *(
                [f"{len(self.config)} {_plural('setting', len(self.config))}"]
                if self.config
                else []
            ),
        ]
        verb = "differs" if total + len(self.config) == 1 else "differ"
        lines = [f"{self.name}: not the same when made again: {' and '.join(found)} {verb}"]
        lines += [f"  {setting}" for setting in self.config]
        shown = self.files[:_SHOWN]
        width = max((len(one.what) for one in shown), default=0)
        lines += [f"  {one.what:{width}}  {one.path}" for one in shown]
        if total > len(shown):
            counted = ", ".join(f"{number} {what}" for what, number in sorted(self.counts.items()))
            lines.append(f"  … and {total - len(shown)} more; in all: {counted}")
        return "\n".join([*lines, *self._of_renewed()])

    def _of_renewed(self) -> list[str]:
        if not self.renewed:
            return []
        files = f"{self.renewed} {_plural('file', self.renewed)}"
        return [f"  but for the time of {files} of pages that Next makes anew after a while"]


async def compared(
    name: str, published: dagger.Container, rebuilt: dagger.Container, node_image: str
) -> Comparison:
    """Compare two images where they are, in the engine.

    Args:
        name: The image's name.
        published: The one that was published.
        rebuilt: The one that was built again.
        node_image: An image with Node, which compares them.

    Returns:
        What differs in files and config. How files are spread over layers is no difference.
    """
    jobs: list[Callable[[], Awaitable[dict[str, Any]]]] = [
        partial(_files, published, rebuilt, node_image),
        partial(_settings, published),
        partial(_settings, rebuilt),
    ]
    found, before, after = await side_by_side(lambda job: job(), jobs)
    files = tuple(Difference(*one) for one in found["differences"])
    settings = tuple(_differences(before, after))
    return Comparison(name, files, found["counts"], settings, found["renewed"])


async def _files(
    published: dagger.Container, rebuilt: dagger.Container, node_image: str
) -> dict[str, Any]:
    """What compare.mjs tells."""
    container = (
        dag.container()
        .from_(node_image)
        .with_user("0:0")
        .with_new_file("/compare.mjs", (_SCRIPTS / "compare.mjs").read_text())
        .with_new_file("/digest.mjs", (_SCRIPTS / "digest.mjs").read_text())
        .with_mounted_directory("/published", published.rootfs(), read_only=True)
        .with_mounted_directory("/rebuilt", rebuilt.rootfs(), read_only=True)
    )
    command = ["node", "/compare.mjs", "/published", "/rebuilt", str(_LISTED)]
    return dict(json.loads(await container.with_exec(command).stdout()))


async def _settings(container: dagger.Container) -> dict[str, Any]:
    """What an image's config says, by the setting's name."""
    made: dict[str, Any] = {}

    async def words(setting: str, ask: Callable[[], Awaitable[list[str]]]) -> None:
        made[setting] = json.dumps(await ask())

    async def text(setting: str, ask: Callable[[], Awaitable[str]]) -> None:
        made[setting] = json.dumps(await ask())

    async def pair(kind: str, one: dagger.EnvVariable | dagger.Label) -> None:
        made[f"{kind} {await one.name()}"] = json.dumps(await one.value())

    async def port(one: dagger.Port) -> None:
        made[f"port {await one.port()}/{(await one.protocol()).value.lower()}"] = "exposed"

    jobs: list[Callable[[], Awaitable[None]]] = [
        partial(words, "entrypoint", container.entrypoint),
        partial(words, "arguments", container.default_args),
        partial(text, "user", container.user),
        partial(text, "working directory", container.workdir),
        *[partial(pair, "variable", one) for one in await container.env_variables()],
        *[partial(pair, "label", one) for one in await container.labels()],
        *[partial(port, one) for one in await container.exposed_ports()],
    ]
    await side_by_side(lambda job: job(), jobs)
    return made


def _differences(published: Mapping[str, str], rebuilt: Mapping[str, str]) -> Iterable[str]:
    for setting in sorted({*published, *rebuilt}):
        before, after = (_short(one.get(setting)) for one in (published, rebuilt))
        if published.get(setting) != rebuilt.get(setting):
            yield f"{setting}: {before} published, {after} rebuilt"


def _short(value: str | None) -> str:
    if value is None:
        return "none"
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"


def _plural(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"

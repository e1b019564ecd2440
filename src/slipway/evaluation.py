"""Builds images and tells their facts: digests, sizes, the steps that went into them."""

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import dagger
from anyio import to_thread
from dagger import dag

from .layout import SCRIPTS
from .report import ImageFacts, Step, merge, parse_steps
from .runtime import Made
from .survey import local
from .tarball import Tarball, read

_A = TypeVar("_A")
_T = TypeVar("_T")
Job = Callable[[], Awaitable[object]]


async def inspect(name: str, tarball: dagger.File, layers: tuple[str, ...] = ()) -> ImageFacts:
    """Read an image's digest and sizes from its OCI tarball.

    Args:
        name: The image's name.
        tarball: Its OCI tarball.
        layers: What each layer above the base holds.

    Returns:
        The facts.
    """
    with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
        file = Path(folder) / "image.tar"
        await tarball.export(str(file))
        return facts(name, await to_thread.run_sync(read, file), layers)


def facts(name: str, found: Tarball, layers: tuple[str, ...]) -> ImageFacts:
    """The facts of an image; its layers are named where there are as many names as layers."""
    names = ("base", *layers) if layers and len(found.layers) == len(layers) + 1 else ()
    return ImageFacts(name, found.digest, found.size, found.layers, names)


async def evaluate(
    images: Sequence[Made], others: Sequence[Job] = ()
) -> tuple[list[ImageFacts], list[Step]]:
    """Build images: their facts and the steps that went into them.

    Args:
        images: The images.
        others: What else is done at the same time, and must succeed.

    Returns:
        The facts in the order of the images, and the steps in the order they ran.

    Raises:
        ExceptionGroup: What failed, of every image.
    """
    known: dict[str, ImageFacts] = {}
    steps: list[Step] = []

    async def look(made: Made) -> None:
        known[made.name] = await _built(made)

    async def log() -> None:
        steps.extend(await _steps(images))

    # At once: the engine does what they share once, and a failure of it is reported once.
    jobs: list[Job] = [*(partial(look, made) for made in images), log, *others]
    await side_by_side(lambda job: job(), jobs)
    return [known[made.name] for made in images], steps


async def _steps(images: Sequence[Made]) -> list[Step]:
    """Every step of the builds: one query for all, or the engine goes through each build again."""
    # Images share containers, each the same object.
    built = {id(container): container for made in images for container in made.built}
    if not built:
        return []  # Dockerfiles alone; a Dagger engine exports no empty directory
    logs = dag.directory()
    for number, container in enumerate(built.values()):
        logs = logs.with_file(f"{number}.tsv", container.file(f"{SCRIPTS}/steps.tsv"))
    async with local(logs) as files:
        return merge(map(parse_steps, files.texts(files.names).values()))


async def _built(made: Made) -> ImageFacts:
    """Build one image and check it."""
    known: list[ImageFacts] = []

    async def look() -> None:
        known.append(await inspect(made.name, made.container.as_tarball(), made.layers))

    async with anyio.create_task_group() as group:
        group.start_soon(look)
        for check in made.checks:
            group.start_soon(check.sync)
    return known[0]


async def side_by_side(work: Callable[[_A], Awaitable[_T]], items: Sequence[_A]) -> list[_T]:
    """Run one job for each item at once, all to their end; then raise every error together.

    Args:
        work: The job.
        items: What to do it for.

    Returns:
        The results in the order of the items.

    Raises:
        ExceptionGroup: The errors of those that failed.
    """
    results: dict[int, _T] = {}
    errors: list[Exception] = []

    async def one(index: int, item: _A) -> None:
        try:
            results[index] = await work(item)
        except Exception as error:  # noqa: BLE001 - raised below, with the others
            errors.append(error)

    async with anyio.create_task_group() as group:
        for index, item in enumerate(items):
            group.start_soon(one, index, item)
    if errors:
        raise ExceptionGroup("builds failed", errors)
    return [results[index] for index in range(len(items))]

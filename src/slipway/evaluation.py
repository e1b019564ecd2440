"""Builds images and tells their facts: digests, sizes, the steps that went into them."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import anyio
import dagger
from dagger import dag

from .layout import SCRIPTS
from .report import ImageFacts, Step, merge, parse_steps
from .runtime import Made
from .tarballs import told

_A = TypeVar("_A")
_T = TypeVar("_T")
Job = Callable[[], Awaitable[object]]


async def built(images: Sequence[Made], others: Sequence[Job] = (), *, node: str) -> list[Step]:
    """Build images, and run their checks.

    Args:
        images: The images.
        others: What else is done at the same time, and must succeed.
        node: An image that has Node.

    Returns:
        The steps that went into them, in the order they ran.

    Raises:
        ExceptionGroup: What failed, of every image.
    """
    await _done([*(made.container.sync for made in images), *_checks(images), *others])
    _, logs = await told({}, _logs(images), node=node)
    return merge(map(parse_steps, logs))


async def evaluate(images: Sequence[Made], *, node: str) -> tuple[list[ImageFacts], list[Step]]:
    """Build images: their facts, as publishing would have them, and the steps that went into them.

    Args:
        images: The images.
        node: An image that has Node.

    Returns:
        The facts in the order of the images, and the steps in the order they ran.

    Raises:
        ExceptionGroup: What failed, of every image.
    """
    tarballs: dict[str, dagger.File] = {}

    async def pack(made: Made) -> None:
        known = dagger.FileID(await made.container.as_tarball().id())
        tarballs[made.name] = dag.load_file_from_id(known)
        await tarballs[made.name].size()  # makes it, and leaves it where it is

    await _done([*(partial(pack, made) for made in images), *_checks(images)])
    known, logs = await told(tarballs, _logs(images), node=node)
    facts = [known[made.name].facts(made.name, made.layers) for made in images]
    return facts, merge(map(parse_steps, logs))


def _checks(images: Sequence[Made]) -> list[Job]:
    return [check.sync for made in images for check in made.checks]


def _logs(images: Sequence[Made]) -> list[dagger.File]:
    """The log of steps of each build; images share containers, each the same object."""
    containers = {id(container): container for made in images for container in made.built}
    return [container.file(f"{SCRIPTS}/steps.tsv") for container in containers.values()]


async def _done(jobs: Sequence[Job]) -> None:
    # At once: the engine does what they share once, and a failure of it is reported once.
    await side_by_side(lambda job: job(), jobs)


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

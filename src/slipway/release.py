"""Images put together into a release: inspected, reported, exported."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import anyio
import dagger
from dagger import Doc, dag, field, function, object_type

from .build import SCRIPTS
from .failures import reported
from .install import settled
from .report import ImageFacts, Step, merge, parse_steps
from .runtime import Made
from .survey import local

_A = TypeVar("_A")
_T = TypeVar("_T")
_FACTS = "/facts.json"
_READER = Path(__file__).parent / "scripts" / "image.mjs"


@object_type
class Image:
    """One image of a release."""

    name: Annotated[str, Doc("The image's name, such as frontend")] = field()
    container: Annotated[dagger.Container, Doc("The image")] = field()


@object_type
class Release:
    """The images of one environment and version, to chain: `release api export --path api.tar`."""

    project: Annotated[str, Doc("The project's name")] = field()
    environment: Annotated[str, Doc("The environment they were built for")] = field()
    version: Annotated[str, Doc("The version, as in the images' labels")] = field()
    revision: Annotated[str, Doc("The git commit, as in the images' labels")] = field()
    source: Annotated[str, Doc("The repository's address, as in the images' labels")] = field()
    images: Annotated[list[Image], Doc("Every image")] = field()
    frontend: Annotated[
        dagger.Container | None, Doc("The front end, if there is one and only one")
    ] = field(default=None)
    api: Annotated[dagger.Container | None, Doc("The API, if there is one and only one")] = field(
        default=None
    )
    migrator: Annotated[
        dagger.Container | None, Doc("Migrates (default) or seeds (`db seed`) the database")
    ] = field(default=None)
    reader: str

    @function
    async def export(self) -> dagger.Directory:
        """The release as files: each image's OCI tarball, and `release.json` with the digests."""
        with reported():
            tarballs = {image.name: image.container.as_tarball() for image in self.images}

            async def one(name: str) -> ImageFacts:
                found = await looked_at(self.reader, tarballs[name]).contents()
                return facts(name, json.loads(found))

            known = await side_by_side(one, list(tarballs))
            files = dag.directory()
            for name, tarball in tarballs.items():
                files = files.with_file(f"{name}.tar", tarball, permissions=0o644)
            return files.with_new_file("release.json", manifest(self, known))


def manifest(release: Release, images: Sequence[ImageFacts]) -> str:
    """release.json: what a deploy needs to know of a release."""
    content = {
        "name": release.project,
        "environment": release.environment,
        "version": release.version,
        "revision": release.revision,
        "source": release.source,
        "images": {
            image.name: {"digest": image.digest, "size": image.size, "tarball": f"{image.name}.tar"}
            for image in sorted(images, key=lambda image: image.name)
        },
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def looked_at(reader: str, tarball: dagger.File) -> dagger.File:
    """What an image's OCI tarball says of its digest and sizes, as a JSON file.

    Args:
        reader: A Node image to read it with; the one the builds run on anyway.
        tarball: The tarball.
    """
    container = (
        dag.container()
        .from_(reader)
        .with_user("0:0")
        .with_new_file("/image.mjs", _READER.read_text())
        .with_mounted_file("/image.tar", tarball)
        .with_exec(["node", "/image.mjs", "/image.tar"], redirect_stdout=_FACTS)
    )
    return container.file(_FACTS)


def facts(name: str, found: Mapping[str, Any], layers: tuple[str, ...] = ()) -> ImageFacts:
    """The facts of an image out of what image.mjs printed."""
    sizes = tuple(layer["size"] for layer in found["layers"])
    names = ("base", *layers) if layers and len(sizes) == len(layers) + 1 else ()
    return ImageFacts(name, found["digest"], found["size"], sizes, names)


async def evaluate(images: Sequence[Made], reader: str) -> tuple[list[ImageFacts], list[Step]]:
    """Build images: their facts and the steps that went into them.

    Args:
        images: The images.
        reader: A Node image to inspect them with.

    Returns:
        The facts in the order of the images, and the steps in the order they ran.

    Raises:
        ExceptionGroup: What failed, of every image.
    """
    tarballs = await side_by_side(_built, images)
    # All that is wanted of them at once: asked one by one, the engine goes through each build again.
    wanted = dag.directory()
    for made, tarball in zip(images, tarballs, strict=True):
        wanted = wanted.with_file(f"{made.name}.json", looked_at(reader, tarball))
    # Images share containers, each the same object.
    built = {id(container): container for made in images for container in made.built}
    for number, container in enumerate(built.values()):
        wanted = wanted.with_file(f"{number}.tsv", container.file(f"{SCRIPTS}/steps.tsv"))
    async with local(wanted) as files:
        texts = files.texts(files.names)
    steps = merge(parse_steps(text) for name, text in texts.items() if name.endswith(".tsv"))
    return [facts(m.name, json.loads(texts[f"{m.name}.json"]), m.layers) for m in images], steps


async def _built(made: Made) -> dagger.File:
    """One image, built and checked, as a tarball."""
    tarballs: list[dagger.File] = []

    async def pack() -> None:
        tarballs.append(await settled(made.container.as_tarball()))

    async with anyio.create_task_group() as group:
        group.start_soon(pack)
        for check in made.checks:
            group.start_soon(check.sync)
    return tarballs[0]


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

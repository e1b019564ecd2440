"""Images as OCI tarballs: read and written in the engine, so that nothing of a layer comes to this process."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagger
from dagger import dag

from .plainmanifest import plain
from .registryimage import digest, manifest
from .report import ImageFacts

_SCRIPTS = ("tarball.mjs", "facts.mjs", "pack.mjs")
_HERE = "/facts"
_TARBALLS = f"{_HERE}/images"
_LOGS = f"{_HERE}/logs"
_FOUND = f"{_HERE}/found.json"


@dataclass(frozen=True)
class Packed:
    """An image in a tarball, without what differs from one build to the next: what publishing makes of it.

    Attributes:
        manifest: Its manifest.
        config: Its config.
    """

    manifest: bytes
    config: bytes

    def facts(self, name: str, layers: tuple[str, ...] = ()) -> ImageFacts:
        """What a report says of it.

        Args:
            name: The image's name.
            layers: What each layer above the base holds.
        """
        read = manifest(self.manifest)
        sizes = tuple(layer.size for layer in read.layers)
        # As many names as there are layers, or they would stand at the wrong ones.
        names = ("base", *layers) if layers and len(sizes) == len(layers) + 1 else ()
        return ImageFacts(name, digest(self.manifest), read.size, sizes, names)


async def told(
    tarballs: Mapping[str, dagger.File], logs: Sequence[dagger.File] = (), *, node: str
) -> tuple[dict[str, Packed], list[str]]:
    """Read what is small of images and of the logs of builds.

    Args:
        tarballs: The images' tarballs, by the images' names.
        logs: Text files.
        node: An image that has Node.

    Returns:
        The images by name, and the texts.
    """
    if not tarballs and not logs:
        return {}, []
    # One exec for all: another container's start costs more than reading every header again.
    reader = _with_scripts(node)
    for name, tarball in tarballs.items():
        reader = reader.with_mounted_file(f"{_TARBALLS}/{name}.tar", tarball)
    for number, log in enumerate(logs):
        reader = reader.with_mounted_file(f"{_LOGS}/{number}", log)
    command = ["node", f"{_HERE}/facts.mjs", _TARBALLS, _LOGS, _FOUND]
    found = json.loads(await reader.with_exec(command).file(_FOUND).contents())
    images = {
        name: Packed(*plain(one["manifest"].encode(), one["config"].encode()))
        for name, one in found["images"].items()
    }
    return images, found["logs"]


def packed(tarball: dagger.File, image: Packed, *, node: str) -> dagger.File:
    """A tarball with the manifest and the config that publishing makes of it; none of it is built yet.

    Args:
        tarball: The image's tarball.
        image: What it is without what differs.
        node: An image that has Node.
    """
    documents = (
        dag.directory()
        .with_new_file("manifest.json", image.manifest.decode())
        .with_new_file("config.json", image.config.decode())
    )
    writer = (
        _with_scripts(node)
        .with_mounted_file(f"{_HERE}/old.tar", tarball)
        .with_mounted_directory(f"{_HERE}/documents", documents, read_only=True)
    )
    new = f"{_HERE}/new.tar"
    command = ["node", f"{_HERE}/pack.mjs", f"{_HERE}/old.tar", f"{_HERE}/documents", new]
    return writer.with_exec(command).file(new)


def _with_scripts(node: str) -> dagger.Container:
    made = dag.container().from_(node).with_user("0:0")
    for name in _SCRIPTS:
        text = (Path(__file__).parent / name).read_text()
        made = made.with_new_file(f"{_HERE}/{name}", text)
    return made

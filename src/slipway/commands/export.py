"""`release export`: the images of a release that is not pushed, as files."""

from collections.abc import Mapping

import dagger
from dagger import dag

from slipway.evaluation import inspect, side_by_side
from slipway.releasefile import ReleasedImage, ReleaseFile
from slipway.report import ImageFacts


async def export(tarballs: Mapping[str, dagger.File], file: ReleaseFile) -> dagger.Directory:
    """Put a release's files together.

    Args:
        tarballs: The images' OCI tarballs by name.
        file: What release.json says of the release, apart from its images.

    Returns:
        The tarballs, and release.json with their digests.
    """

    async def one(name: str) -> ImageFacts:
        return await inspect(name, tarballs[name])

    known = await side_by_side(one, list(tarballs))
    images = {
        image.name: ReleasedImage(digest=image.digest, size=image.size, tarball=f"{image.name}.tar")
        for image in sorted(known, key=lambda image: image.name)
    }
    files = dag.directory()
    for name, tarball in tarballs.items():
        files = files.with_file(f"{name}.tar", tarball, permissions=0o644)
    return files.with_new_file(
        "release.json", file.model_copy(update={"images": images}).json_text()
    )

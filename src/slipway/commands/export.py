"""`release export`: the images of a release that is not pushed, as files."""

from collections.abc import Mapping

import dagger
from dagger import dag

from slipway.releasefile import ReleasedImage, ReleaseFile
from slipway.tarballs import packed, told


async def export(
    tarballs: Mapping[str, dagger.File], file: ReleaseFile, *, node: str
) -> dagger.Directory:
    """Put a release's files together.

    Args:
        tarballs: The images' OCI tarballs by name.
        file: What release.json says of the release, apart from its images.
        node: An image that has Node.

    Returns:
        A tarball of each image as publishing would have it, and release.json with their digests.
    """
    known, _ = await told(tarballs, node=node)
    files, images = dag.directory(), dict[str, ReleasedImage]()
    for name, image in sorted(known.items()):
        made = image.facts(name)
        tarball = packed(tarballs[name], image, node=node)
        files = files.with_file(f"{name}.tar", tarball, permissions=0o644)
        images[name] = ReleasedImage(digest=made.digest, size=made.size, tarball=f"{name}.tar")
    return files.with_new_file(
        "release.json", file.model_copy(update={"images": images}).json_text()
    )

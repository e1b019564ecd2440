"""release.json: what a release is made of, for whatever comes after it."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReleasedImage(_Part):
    """One image.

    Attributes:
        repository: Where it was pushed, host included.
        digest: Its manifest's digest: what every later step refers to.
        tags: Its tags there, the immutable one first.
        size: Compressed size in bytes, config included.
        sbom: The file beside release.json with its bill of materials.
        tarball: The file beside release.json with the image itself.
    """

    repository: str | None = None
    digest: str
    tags: tuple[str, ...] | None = None
    size: int
    sbom: str | None = None
    tarball: str | None = None


class ReleaseFile(_Part):
    """A release.

    Attributes:
        name: The project's name.
        environment: The environment that the images were built for.
        version: The version, as in the images' labels.
        revision: The commit, as in the images' labels.
        source: The repository's address, as in the images' labels.
        images: The images by name.
    """

    name: str
    environment: str
    version: str
    revision: str
    source: str
    images: Mapping[str, ReleasedImage]

    def json_text(self) -> str:
        """The file's contents; what is not known is left out."""
        return self.model_dump_json(indent=2, exclude_none=True) + "\n"

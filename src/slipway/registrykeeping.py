"""Writes to a registry what engines cannot: an image without the times of its build, as a manifest and a config."""

from dataclasses import replace

from .plainmanifest import MANIFEST_TYPE, plain
from .registryapi import HeldImage, RegistryApi
from .registryimage import INDEXES, digest, first_image, labels, manifest


class KeepingApi(RegistryApi):
    """The API of one registry, for whoever publishes."""

    async def keep_plain(self, image: HeldImage, tag: str) -> HeldImage:
        """Have a tag stand for an image without the times of its build: the same layers, run in the same way.

        Args:
            image: The image, whose layers the registry has.
            tag: The tag, in the same repository.

        Returns:
            What the tag stands for, read back.

        Raises:
            RegistryError: The registry does not answer or refuses, or the tag then stands for something else.
        """
        body = image.manifest
        if image.media_type in INDEXES:
            body = await self._reader._part(
                image.repository, image.digest, "manifest", first_image(body)
            )
        config = await self._reader._part(
            image.repository, image.digest, "config", manifest(body).config
        )
        made, settings = plain(body, config)
        await self._upload(image.repository, settings)
        kept = replace(
            image,
            digest=digest(made),
            media_type=MANIFEST_TYPE,
            manifest=made,
            size=manifest(made).size,
            labels=labels(settings),
        )
        await self.tag(kept, tag)
        return kept

    async def _upload(self, repository: str, content: bytes) -> None:
        begun = await self._client.ask("POST", repository, "blobs/uploads/", verb="push")
        if not begun.good:
            raise self._client.refused(begun, "push")
        done = await self._client.finish(begun, repository, content, digest(content))
        if not done.good:
            raise self._client.refused(done, "push")

"""Looks at what a registry holds, and moves tags there: by the OCI distribution spec, without any image's bytes."""

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Self

from .plainmanifest import MANIFEST_TYPE, plain
from .registryclient import Client
from .registryfaults import RegistryError
from .registryimage import INDEXES, HeldImage, digest, first_image, labels, manifest
from .registryreader import Reader, full, gone
from .registrytoken import Login

__all__ = ["Endpoint", "HeldImage", "RegistryApi"]


@dataclass(frozen=True)
class Endpoint:
    """Where the API of a registry answers.

    Attributes:
        host: The registry's host and port, as in image addresses.
        api: The base of its API, such as http://registry.lan:5000; None for that host over HTTPS.
        ca: PEM text of a further authority that its certificate may be signed by.
    """

    host: str
    api: str | None = None
    ca: str = ""


class RegistryApi:
    """The API of one registry for one login, for as long as the context lasts."""

    def __init__(
        self, endpoint: Endpoint, user: str | None = None, password: str | None = None
    ) -> None:
        """Load what is trusted; nothing is asked yet.

        Args:
            endpoint: Where the API answers.
            user: Who logs in; None where nobody does.
            password: The user's password or token.

        Raises:
            RegistryError: The authority is no certificate.
        """
        login = Login(user, password)
        self._client = Client(endpoint.host, endpoint.api, endpoint.ca, login)
        self._reader = Reader(self._client)

    async def __aenter__(self) -> Self:
        """Nothing is asked yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self._client.close()

    async def held(self, repository: str, reference: str) -> HeldImage | None:
        """The image that a tag or a digest stands for, or None if there is no such tag, digest or repository.

        Args:
            repository: With the host.
            reference: A tag or a digest.

        Raises:
            RegistryError: The registry does not answer or refuses, or what it holds is broken or no image.
        """
        return await self._reader.image(repository, reference)

    async def tag(self, image: HeldImage, tag: str, *, stays: bool = False) -> None:
        """Have a tag stand for an image that the registry holds; nothing is sent if it does already.

        Args:
            image: The image.
            tag: The tag, in the same repository.
            stays: Whether it may stand for nothing else before.

        Raises:
            RegistryError: The registry does not answer or refuses, or the tag stands for something else: before, if
                it stays, or then.
        """
        before = await self._digest(image.repository, tag)
        if before == image.digest:
            return
        if before and stays:
            raise RegistryError(
                f"{full(image.repository, tag)} stands for {before} by now: somebody else has published it at the same "
                "moment. Repeat the command: it takes what is there"
            )
        answer = await self._client.ask(
            "PUT",
            image.repository,
            f"manifests/{tag}",
            verb="push",
            headers={"Content-Type": image.media_type},
            content=image.manifest,
        )
        if any("BLOB_UNKNOWN" in one for one in answer.errors):
            raise gone(full(image.repository, image.digest), "content")
        if not answer.good:
            raise self._client.refused(answer, "push")
        now = await self._digest(image.repository, tag)
        if now != image.digest:
            raise RegistryError(
                f"{full(image.repository, tag)} was moved to {image.digest}, and stands for {now or 'nothing'}: "
                "is somebody else moving it? Repeat the command when nobody is"
            )

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
            body = await self._reader.part(
                image.repository, image.digest, "manifest", first_image(body)
            )
        config = await self._reader.part(
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
        await self.tag(kept, tag, stays=True)
        return kept

    async def _upload(self, repository: str, content: bytes) -> None:
        """Have the registry keep a small document; one that is there already is not sent."""
        name = digest(content)
        if await self._has(repository, name):
            return
        begun = await self._client.ask("POST", repository, "blobs/uploads/", verb="push")
        if not begun.good:
            raise self._client.refused(begun, "push")
        done = await self._client.finish(begun, repository, content, name)
        # One that broke off and was sent again may have arrived the first time.
        if not done.good and not await self._has(repository, name):
            raise self._client.refused(done, "push")

    async def _has(self, repository: str, name: str) -> bool:
        answer = await self._client.ask("HEAD", repository, f"blobs/{name}", verb="push")
        if answer.good or answer.status == HTTPStatus.NOT_FOUND:
            return answer.good
        raise self._client.refused(answer, "push")

    async def require_push(self, repository: str) -> None:
        """See that the login may push: an upload is begun, and cancelled.

        Args:
            repository: With the host.

        Raises:
            RegistryError: It may not, or the registry does not answer.
        """
        answer = await self._client.ask("POST", repository, "blobs/uploads/", verb="push")
        if not answer.good:
            raise self._client.refused(answer, "push")
        await self._client.cancel(answer, repository)

    async def _digest(self, repository: str, tag: str) -> str | None:
        found = await self._reader.manifest(repository, tag, verb="push")
        return digest(found.body) if found else None

"""Looks at what a registry holds, and moves tags there: by the OCI distribution spec, without any image's bytes."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, Self

from .registryclient import Client
from .registryfaults import RegistryError, Verb
from .registryhttp import Answer
from .registryimage import (
    CONFIG_LIMIT,
    INDEXES,
    MANIFEST_LIMIT,
    MANIFESTS,
    Descriptor,
    HeldImage,
    MalformedError,
    digest,
    document,
    first_image,
    fits,
    is_digest,
    labels,
    manifest,
    media_type,
)
from .registrytoken import Login

__all__ = ["Endpoint", "HeldImage", "RegistryApi"]
_ACCEPT = {"Accept": ", ".join((*MANIFESTS, *INDEXES))}
# What an image names → the folder of the API, its most bytes, headers.
_PARTS = {
    "manifest": ("manifests", MANIFEST_LIMIT, _ACCEPT),
    "config": ("blobs", CONFIG_LIMIT, None),
}


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
        self._host = endpoint.host
        self._client = Client(endpoint.host, endpoint.api, endpoint.ca, Login(user, password))

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
        found = await self._manifest(repository, reference)
        if found is None:
            if not is_digest(reference) and await self._lists(repository, reference):
                raise _gone(_address(repository, reference), "manifest")
            return None
        try:
            return await self._image(repository, reference, found)
        except MalformedError as error:
            raise RegistryError(
                f"what {self._host} keeps as {_address(repository, reference)} {error}. Delete it in the "
                "registry and publish again, or correct the address"
            ) from None

    async def tag(self, image: HeldImage, tag: str) -> None:
        """Have a tag stand for an image that the registry holds; nothing is sent if it does already.

        Args:
            image: The image.
            tag: The tag, in the same repository.

        Raises:
            RegistryError: The registry does not answer or refuses, or the tag then stands for something else.
        """
        before = await self._manifest(image.repository, tag, verb="push")
        if before and digest(before.body) == image.digest:
            return
        answer = await self._client.ask(
            "PUT",
            image.repository,
            f"manifests/{tag}",
            verb="push",
            headers={"Content-Type": image.media_type},
            content=image.manifest,
        )
        if not answer.good:
            if any("BLOB_UNKNOWN" in one for one in answer.errors):
                raise _gone(_address(image.repository, image.digest), "content")
            raise self._client.refused(answer, "push")
        after = await self._manifest(image.repository, tag, verb="push")
        if not after or digest(after.body) != image.digest:
            now = digest(after.body) if after else "nothing"
            raise RegistryError(
                f"{_address(image.repository, tag)} should now stand for {image.digest}, and stands for {now}: is "
                "somebody else moving it? Repeat the command when nobody is"
            )

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

    async def _image(self, repository: str, reference: str, found: Answer) -> HeldImage:
        kind = media_type(found.headers.get("Content-Type", ""), found.body)
        body = found.body
        if kind in INDEXES:
            body = await self._part(repository, reference, "manifest", first_image(body))
        described = manifest(body)
        config = await self._part(repository, reference, "config", described.config)
        return HeldImage(
            repository=repository,
            digest=digest(found.body),
            media_type=kind,
            manifest=found.body,
            size=described.size,
            layers=tuple(layer.size for layer in described.layers),
            labels=labels(config),
        )

    async def _manifest(
        self, repository: str, reference: str, *, verb: Verb = "pull"
    ) -> Answer | None:
        answer = await self._client.ask(
            "GET",
            repository,
            f"manifests/{reference}",
            verb=verb,
            headers=_ACCEPT,
            limit=MANIFEST_LIMIT,
        )
        if answer.status == HTTPStatus.NOT_FOUND and answer.errors:
            return None
        if not answer.good:
            raise self._client.refused(answer, verb)
        # A reference with a colon is no tag, but a digest.
        for expected in (answer.headers.get("Docker-Content-Digest", ""), reference):
            if ":" in expected and not fits(expected, answer.body):
                raise _altered(_address(repository, reference), expected, answer.body)
        return answer

    async def _part(
        self, repository: str, reference: str, kind: Literal["manifest", "config"], part: Descriptor
    ) -> bytes:
        """A document that a manifest or an index names."""
        folder, limit, headers = _PARTS[kind]
        if part.size > limit:
            raise MalformedError(f"names a {kind} of {part.size} bytes, more than {limit}")
        answer = await self._client.ask(
            "GET", repository, f"{folder}/{part.digest}", headers=headers, limit=limit
        )
        if answer.status == HTTPStatus.NOT_FOUND:
            raise _gone(_address(repository, reference), kind)
        if not answer.good:
            raise self._client.refused(answer, "pull")
        if not fits(part.digest, answer.body):
            address = _address(repository, part.digest)
            raise _altered(address, part.digest, answer.body)
        return answer.body

    async def _lists(self, repository: str, tag: str) -> bool:
        """Whether a repository is said to have a tag, whatever it stands for."""
        # From just before the tag on, as tags are sorted; a registry that knows no pages lists them all.
        start = f"&last={tag[:-1]}" if tag[:-1] else ""
        try:
            answer = await self._client.ask(
                "GET", repository, f"tags/list?n=1000{start}", limit=CONFIG_LIMIT
            )
            tags = document(answer.body).get("tags") if answer.good else None
        except (RegistryError, MalformedError):
            # Without the list, the tag's own answer counts.
            return False
        return isinstance(tags, list) and tag in tags


def _address(repository: str, reference: str) -> str:
    return f"{repository}{'@' if is_digest(reference) else ':'}{reference}"


def _gone(address: str, part: str) -> RegistryError:
    return RegistryError(
        f"the registry lists {address}, whose {part} is gone: something has deleted it, such as a cleanup. "
        "Delete the tag in the registry, and repeat the command"
    )


def _altered(address: str, expected: str, body: bytes) -> RegistryError:
    return RegistryError(
        f"the registry tells {expected[:150]} for {address}, and sends what has {digest(body)}: its storage is "
        "damaged, or something on the way changes what it sends. Repeat the command; if it stays so, delete the "
        "tag in the registry"
    )

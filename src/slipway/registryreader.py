"""Reads what a registry holds, and compares it with what the registry says of it."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

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

_ACCEPT = {"Accept": ", ".join((*MANIFESTS, *INDEXES))}
# What an image names → the folder of the API, its most bytes, headers.
_PARTS = {
    "manifest": ("manifests", MANIFEST_LIMIT, _ACCEPT),
    "config": ("blobs", CONFIG_LIMIT, None),
}


@dataclass(frozen=True)
class Reader:
    """Reads from one registry.

    Attributes:
        client: Asks it.
    """

    client: Client

    async def image(self, repository: str, reference: str) -> HeldImage | None:
        """The image that a tag or a digest stands for, or None where there is nothing.

        Args:
            repository: With the host.
            reference: A tag or a digest.

        Raises:
            RegistryError: The registry does not answer or refuses, or what it holds is broken or no image.
        """
        address = full(repository, reference)
        found = await self.manifest(repository, reference)
        if found is None:
            if not is_digest(reference) and await self._lists(repository, reference):
                raise gone(address, "manifest")
            return None
        try:
            return await self._read(repository, reference, found)
        except MalformedError as error:
            raise RegistryError(
                f"what the registry holds as {address} {error}. Delete it there and publish again, or correct "
                "the address"
            ) from None

    async def manifest(
        self, repository: str, reference: str, *, verb: Verb = "pull"
    ) -> Answer | None:
        """The bytes that a tag or a digest stands for, which have the digest that the registry tells.

        Args:
            repository: With the host.
            reference: A tag or a digest.
            verb: What is done with it.

        Raises:
            RegistryError: The registry does not answer or refuses, or tells another digest.
        """
        answer = await self.client.ask(
            "GET",
            repository,
            f"manifests/{reference}",
            verb=verb,
            headers=_ACCEPT,
            limit=MANIFEST_LIMIT,
        )
        # Of a registry that knows no such image; of anything else it is a fault.
        if answer.status == HTTPStatus.NOT_FOUND and answer.errors:
            return None
        if not answer.good:
            raise self.client.refused(answer, verb)
        _compared(full(repository, reference), answer, reference)
        return answer

    async def _read(self, repository: str, reference: str, found: Answer) -> HeldImage:
        kind = media_type(found.headers.get("Content-Type", ""), found.body)
        body = found.body
        if kind in INDEXES:
            body = await self.part(repository, reference, "manifest", first_image(body))
        described = manifest(body)
        config = await self.part(repository, reference, "config", described.config)
        return HeldImage(
            repository=repository,
            digest=digest(found.body),
            media_type=kind,
            manifest=found.body,
            size=described.size,
            layers=tuple(layer.size for layer in described.layers),
            labels=labels(config),
        )

    async def part(
        self, repository: str, reference: str, kind: Literal["manifest", "config"], part: Descriptor
    ) -> bytes:
        """A document that a manifest or an index names.

        Args:
            repository: With the host.
            reference: What names it there.
            kind: What it is.
            part: How it is named.

        Raises:
            MalformedError: It is said to be larger than such a document can be.
            RegistryError: The registry does not answer or refuses, or has it no more.
        """
        folder, limit, headers = _PARTS[kind]
        if part.size > limit:
            raise MalformedError(f"names a {kind} of {part.size} bytes, more than {limit}")
        answer = await self.client.ask(
            "GET", repository, f"{folder}/{part.digest}", headers=headers, limit=limit
        )
        if answer.status == HTTPStatus.NOT_FOUND:
            raise gone(full(repository, reference), kind)
        if not answer.good:
            raise self.client.refused(answer, "pull")
        _compared(full(repository, part.digest), answer, part.digest)
        return answer.body

    async def _lists(self, repository: str, tag: str) -> bool:
        """Whether a repository is said to have a tag, whatever it stands for."""
        # From just before the tag on, as tags are sorted; a registry that knows no pages lists them all.
        start = f"&last={tag[:-1]}" if tag[:-1] else ""
        try:
            answer = await self.client.ask(
                "GET", repository, f"tags/list?n=1000{start}", limit=CONFIG_LIMIT
            )
            tags = document(answer.body).get("tags") if answer.good else None
        except (RegistryError, MalformedError):
            # Without the list, the tag's own answer counts.
            return False
        return isinstance(tags, list) and tag in tags


def full(repository: str, reference: str) -> str:
    """An image's address.

    Args:
        repository: With the host.
        reference: A tag or a digest.
    """
    return f"{repository}{'@' if is_digest(reference) else ':'}{reference}"


def gone(address: str, part: str) -> RegistryError:
    """The error of an image that is only there by name.

    Args:
        address: The image's address.
        part: What of it is missing.
    """
    return RegistryError(
        f"the registry lists {address}, whose {part} is gone: something has deleted it, such as a cleanup. "
        "Delete the tag in the registry, and repeat the command"
    )


def _compared(address: str, answer: Answer, reference: str) -> None:
    """Compare a document with the digests that it is known by.

    Raises:
        RegistryError: It has another one.
    """
    for expected in (reference, answer.headers.get("Docker-Content-Digest", "")):
        # Tags have no colon.
        if ":" in expected and not fits(expected, answer.body):
            raise RegistryError(
                f"the registry tells the digest {expected[:150]} of {address}, and sends what has "
                f"{digest(answer.body)}: its storage is damaged, or something on the way changes what it sends. "
                "Repeat the command; if it stays so, delete the tag in the registry"
            )

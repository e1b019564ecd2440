"""A registry with a login: the engine pushes to it, and its own API tells and tags what is there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import dagger
from dagger import dag

from .failures import message
from .registryapi import Endpoint, RegistryApi
from .registryfaults import RegistryError, told


@dataclass(frozen=True)
class Registry:
    """One registry, as one user.

    Attributes:
        endpoint: Where it is, and where its API answers.
        user: Who logs in; None where nobody does.
        password: The user's password or token.
        text: The same, for the API.
    """

    endpoint: Endpoint
    user: str | None = None
    password: dagger.Secret | None = None
    text: str | None = field(default=None, repr=False)

    @classmethod
    async def reached(
        cls, endpoint: Endpoint, user: str | None, password: dagger.Secret | None
    ) -> "Registry":
        """A registry with a login that can be read.

        Args:
            endpoint: Where it is.
            user: Who logs in; None where nobody does.
            password: The user's password or token.

        Raises:
            RegistryError: There is a user, but the password cannot be read, or is empty.
        """
        if not user or not password:
            return cls(endpoint)
        try:
            text = await password.plaintext()
        except dagger.QueryError as error:
            raise RegistryError(
                f'the password of the registry\'s user "{user}" cannot be read: {message(error)}'
            ) from None
        if not text.strip():
            raise RegistryError(
                f'the password of the registry\'s user "{user}" is empty: see what --registry-password, '
                "or its line in .env, refers to"
            )
        if text != text.strip():
            # Of a file that ends with a line break, which is no part of a password.
            password = dag.set_secret("slipway-registry-password", text.strip())
        return cls(endpoint, user, password, text.strip())

    @asynccontextmanager
    async def api(self) -> AsyncIterator[RegistryApi]:
        """The registry's API, as long as the context lasts."""
        async with RegistryApi(self.endpoint, self.user, self.text) as api:
            yield api

    async def push(self, image: dagger.Container, address: str) -> str:
        """Push an image; what the registry has of it is not sent again.

        Args:
            image: The image, built.
            address: The repository with the tag.

        Returns:
            The digest of what was pushed.

        Raises:
            RegistryError: The registry does not answer, breaks off, or refuses it.
        """
        try:
            kept = await self._logged_in(image, address).publish(address)
        except dagger.ExecError:
            raise
        except dagger.QueryError as error:
            raise told(message(error), host=self.endpoint.host, user=self.user) from None
        return kept.rpartition("@")[2]

    def image(self, address: str) -> dagger.Container:
        """An image that is there; nothing is fetched before something of it is read.

        Args:
            address: The repository with a digest or tag.
        """
        return self._logged_in(dag.container(), address).from_(address)

    def _logged_in(self, container: dagger.Container, address: str) -> dagger.Container:
        if not self.user or not self.password:
            return container
        return container.with_registry_auth(address, self.user, self.password)

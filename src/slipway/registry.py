"""A registry as the engine reaches it: with its mirrors, certificates and logins, and with those given here."""

from dataclasses import dataclass

import dagger
from dagger import dag

from .failures import message
from .registryfaults import RegistryError, missing, told


@dataclass(frozen=True)
class Registry:
    """Asks and fills one registry.

    Attributes:
        host: Its host and port.
        user: Who logs in; None where nobody does.
        password: The user's password or token.
    """

    host: str
    user: str | None = None
    password: dagger.Secret | None = None

    @classmethod
    async def reached(
        cls, host: str, user: str | None, password: dagger.Secret | None
    ) -> "Registry":
        """A registry with a login that can be read.

        Args:
            host: Its host and port.
            user: Who logs in; None where nobody does.
            password: The user's password or token.

        Raises:
            RegistryError: There is a user, but the password cannot be read, or is empty.
        """
        if not user or not password:
            return cls(host)
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
        return cls(host, user, password)

    async def held(self, address: str) -> str | None:
        """The digest that a tag stands for, or None if there is no such tag.

        Args:
            address: The repository with the tag. An engine looks once a session.

        Raises:
            RegistryError: The registry does not answer, or refuses to.
        """
        try:
            found = await self._logged_in(dag.container(), address).from_(address).image_ref()
        except dagger.QueryError as error:
            said = message(error)
            if missing(said):
                return None
            raise told(said, host=self.host, user=self.user) from None
        return found.rpartition("@")[2]

    async def push(self, image: dagger.Container, address: str) -> str:
        """Push an image; what the registry has of it is not sent again.

        Args:
            image: The image, built.
            address: The repository with the tag.

        Returns:
            The digest under which the registry keeps it.

        Raises:
            RegistryError: The registry does not answer, breaks off, or refuses it.
        """
        try:
            kept = await self._logged_in(image, address).publish(address)
        except dagger.ExecError:
            raise
        except dagger.QueryError as error:
            raise told(message(error), host=self.host, user=self.user) from None
        return kept.rpartition("@")[2]

    def _logged_in(self, container: dagger.Container, address: str) -> dagger.Container:
        if not self.user or not self.password:
            return container
        return container.with_registry_auth(address, self.user, self.password)

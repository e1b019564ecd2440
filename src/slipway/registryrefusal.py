"""Says in words what one registry refuses to one login, and never what it was told in confidence."""

from dataclasses import dataclass
from http import HTTPStatus

from .registryfaults import RegistryError, Verb, told
from .registryhttp import Answer, shown
from .registrytoken import Tokens, challenges, known


@dataclass(frozen=True)
class Refusals:
    """Makes the errors of one registry.

    Attributes:
        host: The registry's host and port.
        tokens: The tokens of who logs in.
    """

    host: str
    tokens: Tokens

    def told(self, said: str, verb: Verb) -> RegistryError:
        """The error of a request.

        Args:
            said: What was said.
            verb: What was being done.
        """
        return told(self._open(said), host=self.host, user=self.tokens.login.user, verb=verb)

    def refused(self, answer: Answer, verb: Verb) -> RegistryError:
        """The error of an answer of the registry that is none of those expected.

        Args:
            answer: The answer.
            verb: What was being done.
        """
        found = challenges(answer.headers.get_list("WWW-Authenticate"))
        if answer.status == HTTPStatus.UNAUTHORIZED and found and not known(found):
            return RegistryError(
                f"{self.host} wants a login by {found[0].scheme}: slipway knows those by a password (basic) and by "
                "a token service (bearer). Let the registry offer one of them"
            )
        errors = [one.parameters["error"] for one in found if "error" in one.parameters]
        return self.told(answer.words(*(f"server message: {one}" for one in errors[:1])), verb)

    def elsewhere(self, answer: Answer) -> RegistryError:
        """The error of an answer of another server, where the registry has sent the request to."""
        return RegistryError(
            f"{self.host} sends requests on to {answer.url.host}, which refuses "
            f"({self._open(answer.words())}). See whether the storage of the registry works"
        )

    def no_registry(self, answer: Answer) -> RegistryError:
        """The error of what does not answer as a registry's API does."""
        text = " ".join(answer.body[:200].decode(errors="replace").split())
        if answer.status == HTTPStatus.BAD_REQUEST and "HTTPS" in text:
            # Go's server and nginx, asked without TLS.
            return self.told(answer.words(text), "pull")
        if answer.status in {403, 429} or answer.status >= 500:
            return self.told(answer.words(), "pull")
        page = " with a web page" if answer.page else ""
        return RegistryError(
            f"{self.host} is no registry, or its API answers elsewhere ({shown(answer.url)} answers "
            f"{answer.status}{page}). Correct the address, or set api under [registry] in slipway.toml, such as "
            'api = "https://registry.example.com"'
        )

    def _open(self, text: str) -> str:
        """A text without what nobody may read."""
        for secret in self.tokens.secrets:
            text = text.replace(secret, "…")
        return text

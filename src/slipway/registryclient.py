"""Asks one registry with one login: finds its API, logs in, and says in words what is refused."""

import ssl
from contextlib import suppress
from http import HTTPStatus

import anyio
import httpx

from .registryfaults import RegistryError, Verb
from .registryhttp import Answer, Request, loopback, same_origin
from .registryrefusal import Refusals
from .registrytoken import Challenge, Login, TokenRefusedError, Tokens, challenges, known
from .registrywire import Wire, WireError

# Docker Hub's API has another name than its images, and one folder for those without any.
_HUB = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}
_ACTIONS: dict[Verb, str] = {"pull": "pull", "push": "pull,push"}


class Client:
    """The API of one registry."""

    def __init__(self, host: str, api: str | None, ca: str, login: Login) -> None:
        """Load what is trusted; nothing is asked yet.

        Args:
            host: The registry's host and port.
            api: The base of its API, where it is not that host over HTTPS.
            ca: PEM text of a further authority.
            login: Who logs in.

        Raises:
            RegistryError: That text is no certificate.
        """
        self._host = host
        self._login = login
        self._api = httpx.URL(api or f"https://{_HUB.get(host, host)}")
        # As engines do: what listens on this machine alone needs no TLS.
        self._maybe_plain = api is None and loopback(self._api.host)
        try:
            self._wire = Wire(self._api.host, ca)
        except ssl.SSLError:
            raise RegistryError(
                "the file that ca under [registry] in slipway.toml names holds no certificate in PEM format "
                "(-----BEGIN CERTIFICATE-----)"
            ) from None
        self._tokens = Tokens(self._wire, host, login)
        self._refusals = Refusals(host, self._tokens)
        self._challenge: Challenge | None = None
        self._lock = anyio.Lock()
        self._found = False
        self._fault = ""

    async def close(self) -> None:
        """Close all connections."""
        await self._wire.close()

    async def ask(
        self,
        method: str,
        repository: str,
        path: str,
        *,
        verb: Verb = "pull",
        headers: dict[str, str] | None = None,
        content: bytes = b"",
        limit: int = 1_000_000,
    ) -> Answer:
        """Ask about one repository, logged in if the registry wants it.

        Args:
            method: GET, HEAD, PUT or POST.
            repository: With the host.
            path: Below the repository, such as manifests/TAG.
            verb: What the login must be allowed to do there.
            headers: Further headers.
            content: The body.
            limit: How many bytes the answer may have.

        Returns:
            The answer, whatever its status.

        Raises:
            RegistryError: The registry does not answer, or refuses the login.
        """
        await self._find()
        name = self._name(repository)
        request = Request(method, self._url(f"{name}/{path}"), headers or {}, content, limit)
        try:
            answer = await self._logged_in(request, f"repository:{name}:{_ACTIONS[verb]}")
        except (WireError, TokenRefusedError) as error:
            raise self._refusals.told(str(error), verb) from None
        away = not same_origin(answer.url, self._api)
        if away and not answer.good and answer.status != HTTPStatus.NOT_FOUND:
            raise self._refusals.elsewhere(answer)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise self.refused(answer, verb)
        return answer

    async def finish(self, upload: Answer, repository: str, content: bytes, digest: str) -> Answer:
        """Send all of an upload that was begun.

        Args:
            upload: The answer to its beginning.
            repository: Its repository, with the host.
            content: What is uploaded.
            digest: Its digest.

        Returns:
            The answer, whatever its status.

        Raises:
            RegistryError: The registry does not answer, or names no place for it on itself.
        """
        url = self._place(upload)
        if url is None:
            raise RegistryError(
                f"{self._host} does not say where an upload goes: is it a registry?"
            )
        scope = f"repository:{self._name(repository)}:{_ACTIONS['push']}"
        headers = {"Content-Type": "application/octet-stream"}
        request = Request("PUT", url.copy_merge_params({"digest": digest}), headers, content)
        try:
            return await self._logged_in(request, scope)
        except (WireError, TokenRefusedError) as error:
            raise self._refusals.told(str(error), "push") from None

    async def cancel(self, upload: Answer, repository: str) -> None:
        """Cancel an upload that was begun; where that fails, the registry forgets it by itself.

        Args:
            upload: The answer to its beginning.
            repository: Its repository, with the host.
        """
        if url := self._place(upload):
            with suppress(WireError, TokenRefusedError, RegistryError):
                # A right of its own in many registries.
                scope = f"repository:{self._name(repository)}:delete"
                login = await self._authorization(self._challenge, scope)
                await self._wire.ask(Request("DELETE", url).authorized(login))

    def refused(self, answer: Answer, verb: Verb) -> RegistryError:
        """The error of an answer that is none of those expected.

        Args:
            answer: The answer.
            verb: What was being done.
        """
        return self._refusals.refused(answer, verb)

    def _place(self, upload: Answer) -> httpx.URL | None:
        """Where an upload goes on, if that is at the registry itself: its login goes nowhere else."""
        try:
            url = upload.url.join(upload.headers["Location"])
        except (KeyError, httpx.InvalidURL):
            return None
        return url if same_origin(url, self._api) else None

    def _name(self, repository: str) -> str:
        name = repository.removeprefix(f"{self._host}/")
        return f"library/{name}" if self._host in _HUB and "/" not in name else name

    def _url(self, path: str) -> httpx.URL:
        return httpx.URL(f"{str(self._api).rstrip('/')}/v2/{path}")

    async def _logged_in(self, request: Request, scope: str) -> Answer:
        """Send a request; if the login that it has is not enough, once more with another."""
        sent = await self._authorization(self._challenge, scope)
        answer = await self._wire.ask(request.authorized(sent))
        # Only the registry itself may ask for a login.
        if answer.status != HTTPStatus.UNAUTHORIZED or not same_origin(answer.url, self._api):
            return answer
        wanted = known(challenges(answer.headers.get_list("WWW-Authenticate")))
        if wanted is None:
            return answer
        self._challenge = wanted.without_scope
        other = await self._authorization(wanted, scope, old=sent)
        if other in {None, sent}:
            return answer
        return await self._wire.ask(request.authorized(other))

    async def _authorization(
        self, challenge: Challenge | None, scope: str, *, old: str | None = None
    ) -> str | None:
        """The header Authorization; with an old one that was refused, another where there can be one."""
        if challenge is None:
            return None
        if challenge.scheme == "basic":
            return self._login.basic
        ask = self._tokens.renewed if old else self._tokens.kept
        return f"Bearer {await ask(challenge, scope, self._api)}"

    async def _find(self) -> None:
        """See once that there is a registry, whether it speaks TLS, and how it wants to know who asks."""
        async with self._lock:
            if not self._found and not self._fault:
                try:
                    await self._look()
                except RegistryError as error:
                    self._fault = str(error)
        # Whoever waited for it would wait as long again.
        if self._fault:
            raise RegistryError(self._fault)

    async def _look(self) -> None:
        try:
            answer = await self._first()
        except WireError as error:
            raise self._refusals.told(str(error), "pull") from None
        found = challenges(answer.headers.get_list("WWW-Authenticate"))
        answers = answer.good or (answer.status == HTTPStatus.UNAUTHORIZED and found)
        if not answers or answer.page or not same_origin(answer.url, self._api):
            raise self._refusals.no_registry(answer)
        wanted = known(found)
        self._challenge = wanted.without_scope if wanted else None
        self._found = True

    async def _first(self) -> Answer:
        try:
            return await self._wire.ask(Request("GET", self._url("")))
        except WireError as error:
            if not (error.no_tls and self._maybe_plain):
                raise
        self._api = self._api.copy_with(scheme="http")
        return await self._wire.ask(Request("GET", self._url("")))

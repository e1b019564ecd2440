"""A server that answers what no real registry can be made to, and what a user then reads."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import pytest

from slipway import registrywire
from slipway.registryapi import Endpoint, RegistryApi
from slipway.registryfaults import RegistryError
from tests.slipway.heldimages import Image


@dataclass(frozen=True)
class Asked:
    """One request.

    Attributes:
        method: GET, PUT, …
        path: With its parameters.
        headers: By name in lower case.
    """

    method: str
    path: str
    headers: Mapping[str, str]

    def __str__(self) -> str:
        """For comparing."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Reply:
    """One answer.

    Attributes:
        status: The HTTP status.
        body: The body.
        headers: Further headers.
        missing: How many bytes of the body are promised and never sent.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    missing: int = 0


Answers = Callable[[Asked], Reply | None]
BREAKS_OFF = None
# Stands for what the server itself would answer.
OWN = Reply(0)


def error(status: int, code: str, message: str = "", **headers: str) -> Reply:
    """A registry's own words for a fault."""
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


MISSING = error(404, "MANIFEST_UNKNOWN", "manifest unknown")


class Stub:
    """A server at 127.0.0.1; what it answers can change at any time."""

    def __init__(self, answers: Answers) -> None:
        """Take a port."""
        self.answers = answers
        self.asked: list[Asked] = []
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                stub._reply(self)

            do_GET = do_PUT = do_POST = do_DELETE = do_CONNECT = handle_any  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.host = f"127.0.0.1:{self.port}"

    @property
    def log(self) -> list[str]:
        """What was asked for, but for the first look whether it is a registry."""
        return [str(asked) for asked in self.asked if asked.path != "/v2/"]

    def _reply(self, request: http.server.BaseHTTPRequestHandler) -> None:
        request.rfile.read(int(request.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.command, request.path, headers)
        self.asked.append(asked)
        reply = self.answers(asked)
        if reply is None:
            request.close_connection = True
            return
        request.send_response(reply.status)
        for name, value in reply.headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(reply.body) + reply.missing))
        request.end_headers()
        request.wfile.write(reply.body)
        if reply.missing:
            request.close_connection = True

    def serve(self) -> None:
        """Until it is told to stop."""
        self._server.serve_forever(0.02)

    def stop(self) -> None:
        """Stop, and give the port back."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def serving(answers: Answers) -> Iterator[Stub]:
    """A server for as long as the context lasts."""
    stub = Stub(answers)
    thread = threading.Thread(target=stub.serve, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        stub.stop()
        thread.join()


class Holding:
    """Answers of a registry that holds one image.

    Attributes:
        image: The image.
        tags: What stands for it.
        headers: Of its manifest.
        prefix: What every path begins with.
        instead: Comes first, where it is not `OWN`.
    """

    def __init__(self, image: Image, *tags: str) -> None:
        """Hold an image."""
        self.image = image
        self.tags = set(tags)
        self.headers = {"Content-Type": image.kind, "Docker-Content-Digest": image.digest}
        self.prefix = ""
        self.instead: Answers = lambda _: OWN

    def __call__(self, asked: Asked) -> Reply | None:
        """Answer."""
        other = self.instead(asked)
        return self._own(asked) if other is OWN else other

    def _own(self, asked: Asked) -> Reply:
        path = asked.path.removeprefix(self.prefix)
        last = path.rpartition("/")[2]
        if path == "/v2/":
            return Reply(200, b"{}")
        if asked.method != "GET":
            self.tags |= {last} if asked.method == "PUT" else set()
            return Reply(201, headers={"Location": f"{asked.path}upload"})
        if "/blobs/" in path:
            return Reply(200, self.image.config)
        if last in {*self.tags, self.image.digest}:
            return Reply(200, self.image.manifest, self.headers)
        return MISSING


def page(text: str = "<!DOCTYPE html><title>Sign in</title>") -> Reply:
    """A web page."""
    return Reply(200, text.encode(), {"Content-Type": "text/html"})


PASSWORD = "sentinel-password"
BASIC = "Basic " + base64.b64encode(f"ci:{PASSWORD}".encode()).decode()
WANTS_BASIC = error(401, "UNAUTHORIZED", WWW_Authenticate='Basic realm="it"')


@asynccontextmanager
async def asking(stub: Stub, **endpoint: str) -> AsyncIterator[RegistryApi]:
    """The API of a server, for the user `ci`."""
    async with RegistryApi(Endpoint(stub.host, **endpoint), "ci", PASSWORD) as api:
        yield api


async def refusal(stub: Stub, **endpoint: str) -> str:
    """What a user reads whose image cannot be read; never what was told in confidence."""
    async with asking(stub, **endpoint) as api:
        with pytest.raises(RegistryError) as caught:
            await api.held(f"{stub.host}/team/one", "v1")
    said = str(caught.value)
    assert PASSWORD not in said
    assert BASIC.removeprefix("Basic ") not in said
    return said


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits, and no proxy of this machine's."""
    monkeypatch.setattr(registrywire, "_WAITS", (0.01, 0.01))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

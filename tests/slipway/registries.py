"""A registry of a test's own that dies in the middle of a push."""

from __future__ import annotations

import http.client
import http.server
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slipway.pushing import ARRIVAL

_PARTS = ("content-type", "location", "docker-content-digest", "range", "docker-upload-uuid")


class Front:
    """A registry behind an address that stays when the registry is killed."""

    def __init__(self, folder: Path) -> None:
        """Keep the registry's files in a folder."""
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._backend = _free_port()
        self._pushing = threading.Lock()
        self.requests: list[str] = []
        self.dies_after_the_first_image = False
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                front._pass_on(self)

            do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Start the registry, with what it held when it was killed."""
        config = self._folder / "registry.json"
        images = {"rootdirectory": str(self._folder / "images")}
        log = {"level": "error", "accesslog": {"disabled": True}}
        config.write_text(
            json.dumps(
                {
                    "version": "0.1",
                    "log": log,
                    "storage": {"filesystem": images},
                    "http": {"addr": f"127.0.0.1:{self._backend}"},
                }
            )
        )
        program = shutil.which("docker-registry") or "docker-registry"
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", program, "serve", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _wait_for(self._backend)

    def kill(self) -> None:
        """Kill the registry; the address stays, and every connection to it breaks off."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def digest(self, repository: str, tag: str) -> str | None:
        """The digest that a tag stands for, or None if there is no such tag."""
        request = urllib.request.Request(
            f"http://{self.host}/v2/{repository}/manifests/{tag}",
            headers={"Accept": "application/vnd.oci.image.manifest.v1+json"},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return str(answer.headers["Docker-Content-Digest"])
        except urllib.error.HTTPError as error:
            error.close()
            return None

    @contextmanager
    def running(self) -> Iterator[Front]:
        """Serve while the context lasts."""
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            self.start()
            yield self
        finally:
            self.kill()
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _pass_on(self, request: http.server.BaseHTTPRequestHandler) -> None:
        self.requests.append(f"{request.command} {request.path}")
        kept = "/manifests/" in request.path and not request.path.endswith(ARRIVAL)
        image = request.command == "PUT" and kept
        if not image:
            return self._answer(request)
        # One at a time: the second image finds the registry dead.
        with self._pushing:
            self._answer(request)
            if self.dies_after_the_first_image:
                self.kill()
        return None

    def _answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        backend = http.client.HTTPConnection("127.0.0.1", self._backend)
        try:
            headers = {k: v for k, v in request.headers.items() if k.lower() != "connection"}
            backend.request(request.command, request.path, body, headers)
            answer = backend.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            # As a dead process does: no answer, and the connection ends.
            request.close_connection = True
            return
        finally:
            backend.close()
        request.send_response(answer.status)
        for name in _PARTS:
            if value := answer.headers.get(name):
                request.send_header(name, value)
        size = answer.headers.get("Content-Length") if request.command == "HEAD" else len(content)
        request.send_header("Content-Length", str(size or 0))
        request.end_headers()
        request.wfile.write(content)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"no registry at port {port}")

"""The streams from inside the server: what their program tells of each answer."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pytest

from ci.loadtest.inside import PROGRAM, samples
from ci.loadtest.progress import Progress
from ci.loadtest.summary import Sample

STATUSES = {"/fine": 200, "/broken": 503}


class Api(BaseHTTPRequestHandler):
    """Answers as the proxy does; `/silent` never."""

    protocol_version = "HTTP/1.1"
    ports: set[int]

    def do_GET(self) -> None:
        """Answer, with the release."""
        self.ports.add(self.client_address[1])
        if self.path == "/silent":
            time.sleep(3)
            return
        self.send_response(STATUSES[self.path])
        self.send_header("X-Slipway-Release", "shop--staging--api--1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def served() -> Iterator[tuple[str, set[int]]]:
    """Its address, and the ports that it was asked from."""
    ports = set[int]()
    handler = type("Handler", (Api,), {"ports": ports})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", ports
        server.shutdown()


def run(url: str, *, keep: bool = True, requests: int = 10, most: float = 20) -> list[Sample]:
    """The program, told to end when so many requests have been answered; 0: not told."""
    asked = {
        "streams": [{"name": "API, inside", "url": url, "keep": keep}],
        "rate": 20,
        "most": most,
        "deadline": 1,
        "header": "x-slipway-release",
    }
    command = ["node", "-", json.dumps(asked)]
    with (
        PROGRAM.open() as program,
        subprocess.Popen(command, stdin=program, stdout=subprocess.PIPE, text=True) as process,
    ):
        assert process.stdout
        text = "".join(process.stdout.readline() for _ in range(requests))
        if requests:
            process.send_signal(signal.SIGTERM)
        text += process.stdout.read()
    assert process.returncode == 0
    return samples(text)


@pytest.mark.parametrize("keep", [True, False])
def test_each_answer_is_told_with_its_release_and_connections_are_kept_or_not(keep: bool) -> None:
    """At its rate; a request that is under way at the end is answered."""
    with served() as (address, ports):
        sent = run(f"{address}/fine", keep=keep)
    assert len(sent) >= 10
    assert {(s.status, s.release, s.failed) for s in sent} == {
        (200, "shop--staging--api--1", False)
    }
    gaps = [later.at - earlier.at for earlier, later in pairwise(sent)]
    assert sum(gaps) / len(gaps) == pytest.approx(0.05, rel=0.2)
    assert len(ports) <= 3 if keep else len(ports) == len(sent)


@pytest.mark.parametrize(
    ("path", "error"), [("/broken", ""), ("/silent", "no answer in 1 s"), ("", "ECONNREFUSED")]
)
def test_what_is_no_answer_has_failed_and_says_why(path: str, error: str) -> None:
    """An error of the server, silence, and nobody there."""
    with served() as (address, _):
        sent = run(f"{address}{path}" if path else "http://127.0.0.1:1/")
    assert {(s.failed, s.error) for s in sent} == {(True, error)}


def test_it_ends_by_itself() -> None:
    """Whatever became of who started it."""
    with served() as (address, _):
        sent = run(f"{address}/fine", requests=0, most=0.2)
    assert sent
    assert sent[-1].at - sent[0].at < 0.5


def test_what_lasts_is_told_with_its_seconds() -> None:
    """What was told last, every few seconds; nothing more when it is over."""
    shown: list[str] = []
    progress = Progress(shown.append, every=0.05)
    with progress.running("two-hosts 1 of 2"):
        progress.tell("  pull api  ")
        time.sleep(0.2)
    told = len(shown)
    time.sleep(0.1)
    assert set(shown) == {"two-hosts 1 of 2, 0 s; last: pull api"}
    assert len(shown) == told

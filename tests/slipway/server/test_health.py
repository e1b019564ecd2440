"""The health check, run as Docker runs it, but for where it keeps its files."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from slipway.server import health
from slipway.server.target import AppRelease, Routing

# Each check starts Node.
pytestmark = pytest.mark.slow


class App(ThreadingHTTPServer):
    """An app that answers its health path with one status, and tells which paths it was asked for.

    Attributes:
        status: What it answers; a redirect leads to `/elsewhere`, where it answers 200.
        asked: The paths, in their order.
        answers: Whether it answers at all.
    """

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked: list[str] = []
        self.goes_on = threading.Event()
        self.goes_on.set()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class Answers(BaseHTTPRequestHandler):
    """What the app says."""

    server: App

    def do_GET(self) -> None:
        """Answer."""
        self.server.asked.append(self.path)
        self.server.goes_on.wait(20)
        status = 200 if self.path == "/elsewhere" else self.server.status
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the standard library
        """Say nothing."""


@pytest.fixture
def app() -> Iterator[App]:
    """An app that is healthy."""
    with App() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.goes_on.set()
        server.shutdown()
        thread.join()


class Container:
    """What a check finds in its container.

    Attributes:
        leaving: The file that takes the container out.
        count: The file that the check keeps.
    """

    def __init__(self, folder: Path, port: int, path: str = "/health", **changes: Any) -> None:
        """An app in a folder of its own."""
        self.leaving, self.count = folder / "leaving", folder / "count"
        release = AppRelease("api", "i", port, Routing("x.example"), path, 1, **changes)
        self.command = [self._placed(part) for part in health.check(release).test[1:]]

    def _placed(self, part: str) -> str:
        return part.replace(health.LEAVING, str(self.leaving)).replace(
            health._COUNT, str(self.count)
        )

    def checked(self, **env: str) -> tuple[int, str]:
        """Exit code, and what Docker keeps of a check."""
        done = subprocess.run(
            self.command,
            env=os.environ | env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.stderr == ""
        return done.returncode, done.stdout.strip()


@pytest.fixture
def container(tmp_path: Path, app: App) -> Container:
    """The container of the healthy app, which was asked for its health path."""
    return Container(tmp_path, app.port)


def closed_port() -> int:
    """One where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_its_files_are_named_in_the_program(tmp_path: Path) -> None:
    """Else the tests below would look into the wrong folder."""
    command = Container(tmp_path, 3000).command
    assert command[:5] == ["env", "-u", "NODE_OPTIONS", "node", "-e"]
    (program,) = command[5:]
    assert program.count(str(tmp_path / "leaving")) == 1
    assert program.count(str(tmp_path / "count")) == 2
    assert "/tmp/slipway" not in program
    assert "@" not in program


def test_an_app_that_answers_is_healthy(app: App, container: Container) -> None:
    """Asked by its path, once; the status is what Docker keeps."""
    assert container.checked() == (0, "GET /health: 200")
    assert app.asked == ["/health"]


def test_before_it_ever_served_one_failure_is_unhealthy(app: App, container: Container) -> None:
    """A release that does not work is never sent a request."""
    app.status = 503
    assert container.checked() == (1, "GET /health: 503")
    assert not container.count.exists()


def test_where_nobody_listens_the_reason_is_told(tmp_path: Path) -> None:
    """The code of the system."""
    there = Container(tmp_path, closed_port())
    assert there.checked() == (1, "GET /health: ECONNREFUSED")


def test_after_it_served_the_twelfth_failure_in_a_row_is_unhealthy(
    app: App, container: Container
) -> None:
    """A minute, five seconds apart; then it stays so."""
    assert container.checked()[0] == 0
    app.status = 500
    for number in range(1, 12):
        said = f"GET /health: 500, {number} in a row, unhealthy at 12"
        assert container.checked() == (0, said)
    assert container.checked() == (1, "GET /health: 500")
    assert container.checked() == (1, "GET /health: 500")


def test_an_answer_in_between_begins_the_count_anew(app: App, container: Container) -> None:
    """Only failures in a row count."""
    container.checked()
    for _ in range(2):
        app.status = 500
        assert container.checked() == (0, "GET /health: 500, 1 in a row, unhealthy at 12")
        assert container.checked() == (0, "GET /health: 500, 2 in a row, unhealthy at 12")
        app.status = 200
        assert container.checked() == (0, "GET /health: 200")


def test_an_app_that_was_started_again_has_to_serve_first(app: App, container: Container) -> None:
    """The file outlives a restart; the start of its process tells."""
    container.checked()
    born, _, count = container.count.read_text().partition(" ")
    assert (born.isdecimal(), count) == (True, "0")
    container.count.write_text(f"{int(born) + 1} 0")
    app.status = 500
    assert container.checked() == (1, "GET /health: 500")


@pytest.mark.parametrize("text", ["", "0 0", "\0\0\0"])
def test_a_count_that_cannot_be_read_is_none(app: App, container: Container, text: str) -> None:
    """Torn by a power cut."""
    container.count.write_text(text)
    app.status = 500
    assert container.checked() == (1, "GET /health: 500")
    app.status = 200
    assert container.checked() == (0, "GET /health: 200")


def test_where_nothing_can_be_written_it_is_strict(tmp_path: Path, app: App) -> None:
    """A root file system that is read-only: healthy it is all the same."""
    there = Container(tmp_path / "missing", app.port)
    assert there.checked() == (0, "GET /health: 200")
    app.status = 500
    assert there.checked() == (1, "GET /health: 500")


def test_a_container_that_is_taken_out_is_unhealthy_whatever_the_app_says(
    app: App, container: Container
) -> None:
    """The app is not even asked, and is told nothing."""
    container.checked()
    container.leaving.touch()
    assert container.checked() == (1, "GET /health: taken out")
    assert app.asked == ["/health"]


@pytest.mark.parametrize("options", ["--bad-flag", "--inspect=127.0.0.1:1", "--require /missing"])
def test_the_apps_own_node_options_do_not_matter(container: Container, options: str) -> None:
    """They are for the app: a debugger's port is taken, and a tracer not in every image."""
    assert container.checked(NODE_OPTIONS=options) == (0, "GET /health: 200")


@pytest.mark.parametrize(("status", "code"), [(204, 0), (302, 0), (404, 1), (500, 1)])
def test_with_a_health_path_only_success_is_healthy(
    app: App, container: Container, status: int, code: int
) -> None:
    """A redirect is followed."""
    app.status = status
    assert container.checked()[0] == code
    assert app.asked == ["/health", *(["/elsewhere"] if status == 302 else [])]


@pytest.mark.parametrize(("status", "code"), [(302, 0), (401, 0), (404, 0), (500, 1), (503, 1)])
def test_without_a_health_path_any_answer_below_500_is_healthy(
    tmp_path: Path, app: App, status: int, code: int
) -> None:
    """It listens; a redirect is an answer, and may lead out of the container."""
    app.status = status
    there = Container(tmp_path, app.port, "/", any_answer=True)
    assert there.checked() == (code, f"GET /: {status}")
    assert app.asked == ["/"]


def test_an_app_that_does_not_answer_in_time_fails(app: App, container: Container) -> None:
    """Sooner than Docker would end the check."""
    app.goes_on.clear()
    code, said = container.checked()
    assert code == 1
    assert "timeout" in said


@pytest.mark.parametrize("path", ["/", "/a/b.json", "/health@v1", "/$PATH", "/%20", "/a;b", "/ü"])
def test_a_health_path_is_asked_for_as_it_is_written(tmp_path: Path, app: App, path: str) -> None:
    """No shell and no template reads it."""
    assert Container(tmp_path, app.port, path).checked() == (0, f"GET {path}: 200")
    assert app.asked == [path.replace("ü", "%C3%BC")]

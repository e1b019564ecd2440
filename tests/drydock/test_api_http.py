"""Downloads, through the SDK's own client, from a server of the test's own."""

import hashlib
import http.server
import threading
import uuid
from collections.abc import Iterator

import dagger
import pytest

pytestmark = pytest.mark.engine
CONTENT = b"downloaded\n"


class Handler(http.server.BaseHTTPRequestHandler):
    """One file under any name, and a part that wants a header."""

    def do_GET(self) -> None:
        """Answer."""
        wanted = self.path.startswith("/private/")
        if self.path == "/missing" or (wanted and self.headers["Authorization"] != "Bearer s3"):
            self.send_error(401 if wanted else 404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


async def test_a_file_is_downloaded_by_its_name(dag: dagger.Client, server: str) -> None:
    """For its owner alone, unless told otherwise; another name and mode can be asked for."""
    file = dag.http(f"{server}/path/archive.tgz?x=1")
    assert (await file.name(), await file.contents()) == ("archive.tgz", CONTENT.decode())
    assert await file.stat().permissions() == 0o600
    other = dag.http(f"{server}/a", name="tool", permissions=0o755)
    assert await dag.directory().with_file("bin/", other).stat("bin/tool").permissions() == 0o755
    assert await dag.http(server).name() == "index"


async def test_a_checksum_is_kept_to(dag: dagger.Client, server: str) -> None:
    """Another content is refused; so is what is no checksum."""
    digest = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    assert await dag.http(f"{server}/f", checksum=digest).contents() == CONTENT.decode()
    with pytest.raises(dagger.QueryError, match="digest mismatch"):
        await dag.http(f"{server}/f", checksum="sha256:" + "0" * 64).contents()
    with pytest.raises(dagger.QueryError, match='invalid checksum "abc"'):
        await dag.http(f"{server}/f", checksum="abc").contents()


async def test_what_cannot_be_downloaded_is_told(dag: dagger.Client, server: str) -> None:
    """With the server's answer, or that there is no server."""
    with pytest.raises(dagger.QueryError, match="404"):
        await dag.http(f"{server}/missing").contents()
    with pytest.raises(dagger.QueryError, match='"ftp://x/y" is not an http or https URL'):
        await dag.http("ftp://x/y").contents()


async def test_a_header_can_be_secret(dag: dagger.Client, server: str) -> None:
    """It is sent; without it the server refuses."""
    header = dag.set_secret("header", "Bearer s3")
    file = dag.http(f"{server}/private/x", auth_header=header)
    assert await file.contents() == CONTENT.decode()
    with pytest.raises(dagger.QueryError, match="401"):
        await dag.http(f"{server}/private/y").contents()


async def test_files_of_one_name_are_not_mistaken_for_each_other(
    dag: dagger.Client, server: str
) -> None:
    """Whatever of that name the daemon has seen before: content and size are its own."""
    name = uuid.uuid4().hex
    for text in ("", "first", "the second"):
        made = dag.directory().with_new_file(name, text).with_timestamps(1).file(name)
        assert (await made.contents(), await made.size()) == (text, len(text))
    assert await dag.http(f"{server}/{name}").contents() == CONTENT.decode()
    assert await dag.directory().with_new_directory(name).directory(name).entries() == []

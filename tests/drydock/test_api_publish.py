"""Images on their way out: to a registry, to an archive."""

import base64
import json
import socket
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import dagger
import pytest

from drydock.session import Session

pytestmark = pytest.mark.engine

BASE = "debian:bookworm-slim"
USER, PASSWORD = "ci", "pass word$1"


@dataclass(frozen=True)
class Registry:
    """A registry that asks for a login."""

    host: str

    def get(self, path: str) -> bytes:
        """A path of its API."""
        request = urllib.request.Request(f"http://{self.host}/v2/{path}")
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
        request.add_header("Accept", "application/vnd.oci.image.manifest.v1+json")
        with urllib.request.urlopen(request) as answer:
            return bytes(answer.read())


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A real registry of the test's own, with a login, on loopback."""
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    (folder / "htpasswd").write_text(f"{USER}:{hashed}\n")
    config = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": host},
        "auth": {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}},
    }
    (folder / "config.yml").write_text(json.dumps(config))
    process = subprocess.Popen(
        ["docker-registry", "serve", str(folder / "config.yml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _wait(host, process)
    yield Registry(host)
    process.terminate()
    process.wait()


def _wait(host: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"http://{host}/v2/").close()
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            continue
    pytest.fail("the registry did not start")


async def test_publish_pushes_config_labels_and_layers(
    dag: dagger.Client, registry: Registry
) -> None:
    """The answer is the address with the digest, under which the registry has it."""
    made = (
        dag.container()
        .from_(BASE)
        .with_label("quoted", 'a "b", c')
        .with_env_variable("NAME", "va,lue")
        .with_entrypoint(["cat"])
        .with_default_args(["/hello"])
        .with_user("1000:1000")
        .with_workdir("/app")
        .with_exposed_port(3000)
        .with_new_file("/hello", "hi")
        .with_registry_auth(registry.host, USER, dag.set_secret("password", PASSWORD))
    )
    address = f"{registry.host}/team/app:1"
    pushed = await made.publish(address)
    assert pushed.startswith(f"{address}@sha256:")
    manifest = json.loads(registry.get(f"team/app/manifests/{pushed.split('@')[1]}"))
    image = json.loads(registry.get(f"team/app/blobs/{manifest['config']['digest']}"))
    config = image["config"]
    assert config["Labels"]["quoted"] == 'a "b", c'
    assert "NAME=va,lue" in config["Env"]
    assert (config["Entrypoint"], config["Cmd"]) == (["cat"], ["/hello"])
    assert (config["User"], config["WorkingDir"], config["ExposedPorts"]) == (
        "1000:1000",
        "/app",
        {"3000/tcp": {}},
    )
    assert len(image["rootfs"]["diff_ids"]) == len(manifest["layers"])
    again = dag.container().from_(pushed).with_exec(["cat", "/hello"])
    assert await again.stdout() == "hi"


async def test_equal_content_has_an_equal_digest(dag: dagger.Client, registry: Registry) -> None:
    """A release that changed nothing pushes nothing new."""
    made = dag.container().from_(BASE).with_new_file("/f", "x")
    made = made.with_registry_auth(registry.host, USER, dag.set_secret("password", PASSWORD))
    first = await made.publish(f"{registry.host}/same:1")
    assert (await made.publish(f"{registry.host}/same:2")).split("@")[1] == first.split("@")[1]


async def test_an_image_that_was_not_there_is_looked_for_again(
    dag: dagger.Client, registry_host: str, client_folder: Path
) -> None:
    """It may have been pushed since, also by this session."""
    address = f"{registry_host}/tests/pushed-since:{client_folder.parent.name}-{time.time_ns()}"
    with pytest.raises(dagger.QueryError, match=": not found"):
        await dag.container().from_(address).image_ref()
    pushed = await dag.container().with_new_file("/f", "x").publish(address)
    assert await dag.container().from_(address).image_ref() == pushed


async def test_a_wrong_login_is_told_and_nothing_is_pushed(
    dag: dagger.Client, registry: Registry
) -> None:
    """Without the password, in the message or anywhere else."""
    made = dag.container().from_(BASE)
    wrong = made.with_registry_auth(
        registry.host, USER, dag.set_secret("password", "wrong-sentinel")
    )
    with pytest.raises(dagger.QueryError, match="(?i)401|unauthorized|denied|authori") as caught:
        await wrong.publish(f"{registry.host}/refused:1")
    assert "wrong-sentinel" not in str(caught.value)
    assert json.loads(registry.get("_catalog"))["repositories"].count("refused") == 0


async def test_the_login_is_gone_with_the_session(
    session: Session, dag: dagger.Client, registry: Registry
) -> None:
    """Its file is readable by its owner alone, and removed."""
    made = dag.container().from_(BASE)
    await made.with_registry_auth(registry.host, USER, dag.set_secret("password", PASSWORD)).sync()
    folder = session.engine.logins.folder
    assert folder is not None
    assert (folder / "config.json").stat().st_mode & 0o777 == 0o600
    await session.engine.close()
    assert not folder.exists()


async def test_an_archive_is_an_oci_layout(dag: dagger.Client, client_folder: Path) -> None:
    """With one manifest that names blobs which are in it; asked for again, it is the same."""
    made = dag.container().from_(BASE).with_new_file("/f", "archive")
    await made.export("image.tar")
    with tarfile.open(client_folder / "image.tar") as archive:
        index = json.load(archive.extractfile("index.json"))  # type: ignore[arg-type]
        digest = index["manifests"][0]["digest"]
        manifest = json.load(archive.extractfile("blobs/" + digest.replace(":", "/")))  # type: ignore[arg-type]
        names = set(archive.getnames())
    for blob in [manifest["config"], *manifest["layers"]]:
        assert "blobs/" + blob["digest"].replace(":", "/") in names
    await made.as_tarball().export("again.tar")
    assert (client_folder / "again.tar").read_bytes() == (client_folder / "image.tar").read_bytes()

"""Images that come in and go out, through the SDK's own client."""

import asyncio
import io
import json
import subprocess
import tarfile
import uuid
from pathlib import Path
from typing import Any

import dagger
import httpx
import pytest

pytestmark = pytest.mark.engine
BASE = "debian:bookworm-slim"


def image(dag: dagger.Client) -> dagger.Container:
    return (
        dag.container()
        .from_(BASE)
        .with_new_file("/hello", "hi")
        .with_label("a", "b")
        .with_entrypoint(["cat"])
        .with_default_args(["/hello"])
        .with_env_variable("X", "y")
        .with_workdir("/srv")
    )


def read_json(archive: tarfile.TarFile, name: str) -> Any:
    content = archive.extractfile(name)
    assert content is not None
    return json.load(content)


def blob(descriptor: dict[str, Any]) -> str:
    return f"blobs/{descriptor['digest'].replace(':', '/')}"


@pytest.mark.parametrize("media", ["OCIMediaTypes", "DockerMediaTypes"])
async def test_an_archive_goes_out_and_comes_back(dag: dagger.Client, media: str) -> None:
    """With files and config; the container that takes it in loses its own."""
    archive = image(dag).as_tarball(media_types=dagger.ImageMediaTypes[media])
    back = dag.container().with_new_file("/own", "x").import_(archive)
    assert await back.file("/hello").contents() == "hi"
    assert not await back.exists("/own")
    assert await back.label("a") == "b"
    assert (await back.entrypoint(), await back.workdir()) == (["cat"], "/srv")
    assert await back.with_exec([], use_entrypoint=True).stdout() == "hi"


CREATED = "org.opencontainers.image.created"


@pytest.mark.parametrize(
    ("label", "created"),
    [
        ("", "1970-01-01T00:00:00Z"),
        ("2026-03-04T05:06:07+02:00", "2026-03-04T03:06:07Z"),
        ("yesterday", "1970-01-01T00:00:00Z"),
    ],
)
async def test_an_image_tells_no_time_but_that_of_its_label(
    dag: dagger.Client, client_folder: Path, label: str, created: str
) -> None:
    """The same files and the same config are the same image, whenever its layers were made."""
    made = image(dag).with_new_file("/new", uuid.uuid4().hex)
    made = made.with_label(CREATED, label) if label else made
    path = client_folder / "image.tar"
    await made.as_tarball().export(str(path))
    with tarfile.open(path) as archive:
        manifest = read_json(archive, blob(read_json(archive, "index.json")["manifests"][0]))
        config = read_json(archive, blob(manifest["config"]))
    assert config["created"] == created
    assert {entry["created"] for entry in config["history"]} == {created}
    assert len(config["history"]) == len(manifest["layers"])


async def test_archives_are_made_side_by_side(dag: dagger.Client) -> None:
    """Of images that share most of their blobs, and that nobody has made before."""
    contents = [uuid.uuid4().hex for _ in range(4)]

    async def again(content: str) -> str:
        archive = image(dag).with_new_file("/new", content).as_tarball()
        return await dag.container().import_(archive).file("/new").contents()

    assert await asyncio.gather(*map(again, contents)) == contents


async def test_what_older_docker_saved_comes_in(dag: dagger.Client, tmp_path: Path) -> None:
    """An archive with a list of images and layers by name, told apart by tag."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("f"), io.BytesIO())
    config = {"architecture": "amd64", "os": "linux", "config": {"Env": ["A=b"]}}
    digest = subprocess.run(
        ["sha256sum"], input=layer.getvalue(), capture_output=True, check=True
    ).stdout.decode()[:64]
    config["rootfs"] = {"type": "layers", "diff_ids": [f"sha256:{digest}"]}
    listed = [{"Config": "c.json", "RepoTags": ["my/app:1"], "Layers": ["l/layer.tar"]}]
    parts = {
        "c.json": json.dumps(config).encode(),
        "l/layer.tar": layer.getvalue(),
        "manifest.json": json.dumps(listed).encode(),
    }
    with tarfile.open(tmp_path / "saved.tar", "w") as tar:
        for name, data in parts.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    file = dag.host().file(str(tmp_path / "saved.tar"))
    loaded = dag.container().import_(file, tag="1")
    assert await loaded.env_variable("A") == "b"
    assert await loaded.rootfs().entries() == ["f"]
    with pytest.raises(dagger.QueryError, match='no tag "2" in the archive'):
        await dag.container().import_(file, tag="2").sync()


async def test_what_is_no_archive_is_refused(dag: dagger.Client) -> None:
    """With what is wrong with it."""
    with pytest.raises(dagger.QueryError, match="image archive import failed"):
        await dag.container().import_(dag.file("x", "no archive")).sync()


async def test_an_image_for_several_platforms(dag: dagger.Client, registry_host: str) -> None:
    """One index, with the config of each; without a command, another platform needs no emulation."""
    arm = dag.container(platform=dagger.Platform("linux/arm64")).with_rootfs(
        dag.directory().with_new_file("arch", "arm64")
    )
    amd = dag.container().with_rootfs(dag.directory().with_new_file("arch", "amd64"))
    address = f"{registry_host}/platforms-{uuid.uuid4().hex[:8]}:1"
    variants = [arm.with_label("for", "arm").with_annotation("note", "n")]
    pushed = await amd.with_label("for", "amd").publish(address, platform_variants=variants)
    name, digest = pushed.removeprefix(f"{registry_host}/").split("@")
    accept = {"Accept": "application/vnd.oci.image.index.v1+json"}
    url = f"http://{registry_host}/v2/{name.split(':')[0]}/manifests/{digest}"
    async with httpx.AsyncClient() as client:
        index = (await client.get(url, headers=accept)).json()
    platforms = {entry["platform"]["architecture"] for entry in index["manifests"]}
    assert platforms == {"amd64", "arm64"}
    again = dag.container(platform=dagger.Platform("linux/arm64")).from_(pushed)
    assert await again.file("arch").contents() == "arm64"
    assert (await again.label("for"), await again.platform()) == ("arm", "linux/arm64")


async def test_variants_that_do_not_go_together(dag: dagger.Client) -> None:
    """Twice the same platform, or nothing at all."""
    one = dag.container().with_rootfs(dag.directory().with_new_file("a", ""))
    with pytest.raises(dagger.QueryError, match='duplicate platform "linux/amd64"'):
        await one.as_tarball(platform_variants=[one]).sync()
    with pytest.raises(dagger.QueryError, match="no containers to export"):
        await dag.container().as_tarball().sync()


async def test_platforms(dag: dagger.Client) -> None:
    """By their usual names; a command for a foreign one is refused, and so is what is none."""
    made = dag.container(platform=dagger.Platform("linux/aarch64"))
    assert await made.platform() == "linux/arm64"
    with pytest.raises(dagger.QueryError, match=r"drydock runs commands for linux/amd64.*arm64"):
        await made.with_exec(["true"]).sync()
    with pytest.raises(dagger.QueryError, match='"plan9" is no platform'):
        await dag.container(platform=dagger.Platform("plan9")).platform()


async def test_a_health_check_is_kept(dag: dagger.Client) -> None:
    """With its durations; it goes out with the image, and can be taken away."""
    made = image(dag).with_docker_healthcheck(
        ["curl", "localhost"], interval="90s", timeout="1.5s", start_period="500ms", retries=3
    )
    back = dag.container().import_(made.as_tarball())
    check = back.docker_healthcheck()
    assert await check.args() == ["curl", "localhost"]
    times = [await check.interval(), await check.timeout(), await check.start_period()]
    assert times == ["1m30s", "1.5s", "500ms"]
    assert (await check.start_interval(), await check.retries()) == ("0s", 3)
    with pytest.raises(dagger.QueryError, match='time: invalid duration "soon"'):
        await image(dag).with_docker_healthcheck(["x"], interval="soon").sync()
    with pytest.raises(dagger.QueryError, match="must be a single element when shell mode is set"):
        await image(dag).with_docker_healthcheck(["a", "b"], shell=True).sync()  # noqa: S604


async def test_compression_and_media_types(dag: dagger.Client, client_folder: Path) -> None:
    """As they were asked for."""
    path = await image(dag).export(
        "out/image.tar", forced_compression=dagger.ImageLayerCompression.Zstd
    )
    assert path == str(client_folder / "out" / "image.tar")
    with tarfile.open(path) as archive:
        digest = read_json(archive, "index.json")["manifests"][0]["digest"]
        manifest = read_json(archive, f"blobs/{digest.replace(':', '/')}")
    assert {layer["mediaType"] for layer in manifest["layers"]} == {
        "application/vnd.oci.image.layer.v1.tar+zstd"
    }

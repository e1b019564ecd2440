"""What is told of images that are built: on a real engine, without their bytes."""

import io
import json
import tarfile
from pathlib import Path

import dagger
import pytest

from drydock.session import Session
from slipway.evaluation import built, evaluate
from slipway.inputs import Inputs
from slipway.labels import REVISION
from slipway.layout import SCRIPTS
from slipway.registryimage import digest
from slipway.runtime import Made
from slipway.tarballs import packed, told
from tests.slipway.checkouts import Checkout

pytestmark = pytest.mark.engine

NODE = "node:22-bookworm-slim"


def image(dag: dagger.Client, text: str, platform: str | None = None) -> dagger.Container:
    """An image whose only file has a text."""
    made = dag.container(platform=dagger.Platform(platform) if platform else None)
    return made.with_new_file("/text", text).with_label("text", text).with_user("1000:1000")


async def exported(tarball: dagger.File, folder: Path) -> tuple[str, dict[str, bytes]]:
    """What an exported tarball names first, and its files."""
    file = Path(await tarball.export(str(folder / "image.tar")))
    with tarfile.open(fileobj=io.BytesIO(file.read_bytes())) as tar:
        files = {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}  # type: ignore[union-attr]
    return json.loads(files["index.json"])["manifests"][0]["digest"], files


async def test_the_digest_is_that_of_the_tarball_that_is_given_out(
    dag: dagger.Client, tmp_path: Path
) -> None:
    """And the sizes are those of what lies in it."""
    container = image(dag, "told")
    [facts], _ = await evaluate([Made("api", container)], node=NODE)
    tarball = container.as_tarball()
    images, _ = await told({"api": tarball}, node=NODE)
    named, files = await exported(packed(tarball, images["api"], node=NODE), tmp_path)
    assert facts.digest == named == digest(images["api"].manifest)
    manifest = json.loads(files["blobs/" + named.replace(":", "/")])
    parts = [manifest["config"], *manifest["layers"]]
    for part in parts:
        assert digest(files["blobs/" + part["digest"].replace(":", "/")]) == part["digest"]
    assert facts.size == sum(part["size"] for part in parts)


async def test_the_digest_is_the_one_that_publishing_gives(
    checkout: Checkout, registry_host: str
) -> None:
    """Whatever the engine writes into an image beside that."""
    published = await checkout.publish(registry_host, project="told")
    labels = {REVISION: checkout.commit}
    again = [
        checkout._image(name, "1", Inputs({"text": f"{name} 1"}).labels | labels)
        for name in ("one", "two")
    ]
    facts, _ = await evaluate(again, node=NODE)
    assert facts == list(published.images)


async def test_an_image_from_a_dockerfile_is_told_too(dag: dagger.Client, tmp_path: Path) -> None:
    """Without names for its layers."""
    context = dag.directory().with_new_file("Dockerfile", "FROM scratch\nCOPY Dockerfile /file\n")
    container = context.docker_build()
    [facts], steps = await evaluate([Made("web", container)], node=NODE)
    images, _ = await told({"web": container.as_tarball()}, node=NODE)
    repacked = packed(container.as_tarball(), images["web"], node=NODE)
    assert facts.digest == (await exported(repacked, tmp_path))[0]
    assert (len(facts.layers), facts.names, steps) == (1, (), [])


async def test_of_an_index_the_first_image_is_told(dag: dagger.Client, tmp_path: Path) -> None:
    """An image for two platforms."""
    one, other = image(dag, "one", "linux/amd64"), image(dag, "other", "linux/arm64")
    tarball = one.as_tarball(platform_variants=[other])
    images, _ = await told({"api": tarball}, node=NODE)
    config = json.loads(images["api"].config)
    assert (config["architecture"], config["config"]["User"]) == ("amd64", "1000:1000")
    listed, files = await exported(tarball, tmp_path)
    index = json.loads(files["blobs/" + listed.replace(":", "/")])
    assert len(index["manifests"]) == 2


async def test_no_tarball_leaves_the_engine(
    session: Session, dag: dagger.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is exported comes to the module's process; nothing is."""
    asked: list[str] = []
    execute = session.execute

    async def listened(query: str, *rest: object) -> object:
        asked.append(query)
        return await execute(query, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(session, "execute", listened)
    container = image(dag, "stays")
    await evaluate([Made("api", container)], node=NODE)
    assert any("asTarball" in query for query in asked)
    assert not [query for query in asked if " export(" in query]
    await container.as_tarball().export(str(tmp_path / "it would be seen.tar"))
    assert [query for query in asked if " export(" in query]


async def test_steps_are_told_in_the_order_they_ran(dag: dagger.Client) -> None:
    """Each once, although several builds share it."""
    log, container = f"{SCRIPTS}/steps.tsv", dag.container()
    first = container.with_new_file(log, "1000\t2000\tpnpm\n")
    second = container.with_new_file(log, "1000\t2000\tpnpm\n2500\t3000\tapi: build\n")
    made = Made("api", image(dag, "steps"), (second, first))
    both = [step.name for step in await built([made], node=NODE)]
    assert both == ["pnpm", "api: build"]
    _, steps = await evaluate([made], node=NODE)
    assert [step.name for step in steps] == both


async def test_every_image_that_fails_is_told(dag: dagger.Client) -> None:
    """Not only the first."""

    def failing(code: int) -> dagger.Container:
        return dag.container().from_(NODE).with_exec(["node", "-e", f"process.exit({code})"])

    images = [Made("one", failing(3)), Made("two", image(dag, "good"), checks=(failing(4),))]
    for work in (evaluate, built):
        with pytest.raises(ExceptionGroup) as failed:
            await work(images, node=NODE)
        codes = {e.exit_code for e in failed.value.exceptions if isinstance(e, dagger.ExecError)}
        assert codes == {3, 4}


async def test_nothing_to_build_runs_nothing(dag: dagger.Client) -> None:
    """Everything was reused: no image is even looked up."""
    assert dag
    assert await built([], node="there.is.no/such:image") == []

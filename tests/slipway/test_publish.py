"""Publishing to real registries: what is reused, what is pushed in which order, what is left when it fails."""

import time
from collections.abc import Iterator

import pytest

from slipway.errors import ConfigError, SlipwayError
from slipway.inputs import PARTS, Inputs
from slipway.labels import REVISION
from slipway.registryfaults import RegistryError
from tests.slipway.checkouts import Checkout
from tests.slipway.registries import Front

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A registry of these tests' own."""
    with Front(tmp_path_factory.mktemp("registry")).running() as front:
        yield front


async def test_a_publish_tags_every_image_twice(checkout: Checkout, registry: Front) -> None:
    """The commit and the environment stand for one digest, the one that is told."""
    published = await checkout.publish(registry.host)
    for image in published.images:
        tags = published.plan.tags[image.name].all
        assert tags == (checkout.commit, "staging")
        assert {registry.digest(f"team/{image.name}", tag) for tag in tags} == {image.digest}


async def test_publishing_again_builds_and_writes_nothing(
    checkout: Checkout, registry: Front
) -> None:
    """What is there is found there, and that is told with its publisher."""
    first = await checkout.publish(registry.host, text="again", who="Jane")
    registry.requests.clear()
    second = await checkout.publish(registry.host, text="again", who="John")
    assert checkout.built == ["again"]
    assert second.images == first.images
    assert not [request for request in registry.requests if not request.startswith(("GET", "HEAD"))]
    shown = second.report((await checkout.survey()).project, since=0, now=time.time())
    assert shown.count("reused, published just now by Jane") == len(second.images)


async def test_the_same_commit_from_elsewhere_is_the_same_release(
    checkout: Checkout, registry: Front
) -> None:
    """Another build of it would have other bytes: it is not even begun."""
    first = await checkout.publish(registry.host, text="elsewhere")
    second = await checkout.publish(registry.host, text="elsewhere", bytes_="other bytes")
    assert second.images == first.images
    assert checkout.built == ["elsewhere"]


async def test_a_newer_base_image_leaves_a_release_as_it_is(
    checkout: Checkout, registry: Front
) -> None:
    """As when a job is retried a day later; the report says what a new commit would get."""
    first = await checkout.publish(registry.host, text="base", outside={"base": "node@sha256:a"})
    second = await checkout.publish(registry.host, text="base", outside={"base": "node@sha256:b"})
    assert second.images == first.images
    assert second.look.notes[0] == (
        "one stays as it was published; a new commit would get: base: node@sha256:a there, node@sha256:b here"
    )


async def test_two_builds_of_the_same_files_are_one_digest(
    checkout: Checkout, registry: Front
) -> None:
    """Built for two registries at two moments: nothing of an image tells when it was made."""
    first = await checkout.publish(registry.host, text="same", project="here")
    second = await checkout.publish(registry.host, text="same", project="there")
    assert checkout.built == ["same", "same"]
    assert second.images == first.images


async def test_production_runs_what_staging_ran(checkout: Checkout, registry: Front) -> None:
    """The Git tag is one more tag of the same digest; nothing is built or pushed for it."""
    staging = await checkout.publish(registry.host, text="promoted")
    checkout.git("tag", "v3.0.0")
    registry.requests.clear()
    production = await checkout.publish(registry.host, "prod", text="promoted")
    assert checkout.built == ["promoted"]
    assert production.images == staging.images
    assert not [
        request for request in registry.requests if "/blobs/" in request and "PUT" in request
    ]
    for image in production.images:
        tags = ("v3.0.0", checkout.commit, "prod")
        assert {registry.digest(f"team/{image.name}", tag) for tag in tags} == {image.digest}


async def test_a_registry_killed_half_way(checkout: Checkout, registry: Front) -> None:
    """One image was pushed and no moving tag has moved; once it runs again the same command succeeds."""
    before = await checkout.publish(registry.host, text="before")
    digests = {image.name: image.digest for image in before.images}
    checkout.git("commit", "--quiet", "--allow-empty", "--message", "next")
    registry.dies_after_the_first_image = True
    with pytest.raises(RegistryError) as caught:
        await checkout.publish(registry.host, text="after")
    registry.dies_after_the_first_image = False
    registry.start()

    assert 'The tag "staging" still stands for what it did before' in str(caught.value)
    assert "repeat the command" in str(caught.value)
    names = ("one", "two")
    pushed = [name for name in names if registry.digest(f"team/{name}", checkout.commit)]
    assert len(pushed) == 1
    assert "Pushed and read back were: none; not: one, two." in str(caught.value)
    assert {name: registry.digest(f"team/{name}", "staging") for name in names} == digests

    after = await checkout.publish(registry.host, text="after")
    assert list(after.look.reused) == pushed
    moved = {image.name: image.digest for image in after.images}
    assert {name: registry.digest(f"team/{name}", "staging") for name in names} == moved
    assert moved != digests


async def test_other_images_of_the_same_commit_are_refused(
    checkout: Checkout, registry: Front
) -> None:
    """What differs is named; nothing was built or pushed."""
    first = await checkout.publish(registry.host, text="first")
    registry.requests.clear()
    with pytest.raises(SlipwayError) as caught:
        await checkout.publish(registry.host, text="second")
    for image in first.images:
        name = image.name
        line = (
            f"{registry.host}/team/{name}:{checkout.commit} is {image.digest}, and it was made of"
        )
        differs = f"something else: text: {name} first there, {name} second here"
        assert f"{line} {differs}" in str(caught.value)
        assert registry.digest(f"team/{name}", "staging") == image.digest
    assert checkout.built == ["first"]
    assert not [request for request in registry.requests if request.startswith(("PUT", "POST"))]


async def test_labels_that_lie_are_refused(checkout: Checkout, registry: Front) -> None:
    """An image by the commit's tag that says it was made of the same, and lists something else."""
    inputs = Inputs({"text": "one lies"})
    liar = checkout.dag.container().with_new_file("/text", "anything")
    for name, value in {
        **inputs.labels,
        PARTS: '{"text":"other"}',
        REVISION: checkout.commit,
    }.items():
        liar = liar.with_label(name, value)
    await liar.publish(f"{registry.host}/team/one:{checkout.commit}")
    with pytest.raises(
        SlipwayError, match=r"what it says of itself is not true: its label slipway\.inputs is"
    ):
        await checkout.publish(registry.host, text="lies")
    assert checkout.built == []
    assert registry.digest("team/two", checkout.commit) is None


@pytest.mark.parametrize(
    ("version", "kind"), [("v1.0.0", ()), ("v2.0.0", ("--annotate", "--message", "release"))]
)
async def test_production_takes_a_tagged_commit(
    checkout: Checkout, registry: Front, version: str, kind: tuple[str, ...]
) -> None:
    """By the Git tag, annotated or not; tags of other commits do not count."""
    checkout.git("tag", f"{version}-rc1", *kind)
    checkout.git("commit", "--quiet", "--allow-empty", "--message", "next")
    checkout.git("tag", version, *kind)
    published = await checkout.publish(registry.host, "prod")
    assert published.plan.tags["one"].all == (version, checkout.commit, "prod")
    assert registry.digest("team/one", version) == registry.digest("team/one", "prod")


async def test_production_refuses_changes_and_an_untagged_commit(
    checkout: Checkout, registry: Front
) -> None:
    """Both at once; forced, they go by a tag of their own."""
    (checkout.folder / "new.ts").write_text("new")
    (checkout.folder / "package.json").write_text('{"name": "changed"}')
    with pytest.raises(ConfigError) as caught:
        await checkout.publish(registry.host, "prod")
    dirty, untagged = caught.value.problems
    assert "2 files are not committed (new.ts, package.json)" in dirty
    assert "has no Git tag" in untagged
    forced = await checkout.publish(registry.host, "prod", force=True)
    tags = forced.plan.tags["one"]
    assert tags.release is None
    assert tags.commit.startswith(f"{checkout.commit}-dirty-")


async def test_what_no_commit_would_take_does_not_count(
    checkout: Checkout, registry: Front
) -> None:
    """Ignored files, dependencies, and what jobs write to .slipway."""
    for name in ("a.log", "node_modules/a/index.js", ".slipway/report.txt"):
        (checkout.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout.folder / name).write_text("x")
    published = await checkout.publish(registry.host)
    assert published.plan.tags["one"].commit == checkout.commit
    assert published.plan.notes == ()


async def test_a_change_of_a_change_gets_a_tag_of_its_own(
    checkout: Checkout, registry: Front
) -> None:
    """Two states of one dirty tree are two images."""
    (checkout.folder / "a.ts").write_text("1")
    first = await checkout.publish(registry.host, text="1")
    (checkout.folder / "a.ts").write_text("2")
    second = await checkout.publish(registry.host, text="2")
    assert first.plan.tags["one"].commit != second.plan.tags["one"].commit


async def test_a_bill_of_materials_is_reused_with_its_image(
    checkout: Checkout, registry: Front
) -> None:
    """It lies beside the image; one that was published without gets one, and nothing is built for that."""
    await checkout.publish(registry.host, text="bill")
    made = await checkout.publish(registry.host, text="bill", bills=True)
    first = await made.sboms["one"].contents()
    registry.requests.clear()
    again = await checkout.publish(registry.host, text="bill", bills=True)
    assert await again.sboms["one"].contents() == first
    assert checkout.built == ["bill"]
    assert not [request for request in registry.requests if request.startswith(("PUT", "POST"))]


async def test_nothing_listens(checkout: Checkout) -> None:
    """It is told before anything is built."""
    with pytest.raises(RegistryError, match=r"nothing answers at 127\.0\.0\.1:1 ") as caught:
        await checkout.publish("127.0.0.1:1")
    assert str(caught.value).endswith("Nothing was built or pushed.")


async def test_an_empty_password_is_told_by_its_users_name(checkout: Checkout) -> None:
    """As when a protected variable of GitLab is not there for a branch."""
    empty = checkout.dag.set_secret("empty", "\n")
    with pytest.raises(RegistryError, match='the password of the registry\'s user "ci" is empty'):
        await checkout.publish("127.0.0.1:1", user="ci", password=empty)


async def test_a_password_that_is_nowhere_is_told(checkout: Checkout) -> None:
    """The variable is named."""
    nowhere = checkout.dag.secret("env://SLIPWAY_TEST_NOWHERE")
    with pytest.raises(RegistryError, match="cannot be read: secret env var not found"):
        await checkout.publish("127.0.0.1:1", user="ci", password=nowhere)

"""Publishing to real registries: what is pushed in which order, and what is left when it fails."""

from collections.abc import Iterator

import pytest

from slipway.errors import ConfigError, SlipwayError
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
        tagged = {registry.digest(f"team/{image.name}", tag) for tag in published.plan.tags}
        assert tagged == {image.digest}
    assert published.plan.tags == (checkout.commit, "staging")


async def test_publishing_again_changes_nothing(checkout: Checkout, registry: Front) -> None:
    """What is there is found there, and sent no more."""
    first = await checkout.publish(registry.host)
    registry.requests.clear()
    second = await checkout.publish(registry.host)
    assert second.images == first.images
    assert second.plan == first.plan
    assert not [request for request in registry.requests if request.startswith("PUT")]


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
    assert f"were pushed: {pushed[0]}; not: " in str(caught.value)
    assert {name: registry.digest(f"team/{name}", "staging") for name in names} == digests

    after = await checkout.publish(registry.host, text="after")
    moved = {image.name: image.digest for image in after.images}
    assert {name: registry.digest(f"team/{name}", "staging") for name in names} == moved
    assert moved != digests


async def test_other_images_of_the_same_commit_are_refused(
    checkout: Checkout, registry: Front
) -> None:
    """Both digests are shown, and nothing was pushed."""
    first = await checkout.publish(registry.host, text="first")
    registry.requests.clear()
    with pytest.raises(SlipwayError) as caught:
        await checkout.publish(registry.host, text="second")
    for image in first.images:
        line = f"{registry.host}/team/{image.name}:{checkout.commit} is {image.digest}, and what"
        assert line in str(caught.value)
        assert registry.digest(f"team/{image.name}", "staging") == image.digest
    assert not [request for request in registry.requests if request.startswith(("PUT", "POST"))]


@pytest.mark.parametrize("kind", [(), ("--annotate", "--message", "release")])
async def test_production_takes_a_tagged_commit(
    checkout: Checkout, registry: Front, kind: tuple[str, ...]
) -> None:
    """By the Git tag, annotated or not; tags of other commits do not count."""
    checkout.git("tag", "v0.9.0", *kind)
    checkout.git("commit", "--quiet", "--allow-empty", "--message", "next")
    checkout.git("tag", "v1.0.0", *kind)
    published = await checkout.publish(registry.host, "prod")
    assert published.plan.tags == ("v1.0.0", "prod")
    assert registry.digest("team/one", "v1.0.0") == registry.digest("team/one", "prod")


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
    assert forced.plan.immutable.startswith(f"{checkout.commit}-prod-dirty-")


async def test_what_no_commit_would_take_does_not_count(
    checkout: Checkout, registry: Front
) -> None:
    """Ignored files, dependencies, and what jobs write to .slipway."""
    for name in ("a.log", "node_modules/a/index.js", ".slipway/report.txt"):
        (checkout.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout.folder / name).write_text("x")
    published = await checkout.publish(registry.host)
    assert published.plan.immutable == checkout.commit
    assert published.plan.notes == ()


async def test_a_change_of_a_change_gets_a_tag_of_its_own(
    checkout: Checkout, registry: Front
) -> None:
    """Two states of one dirty tree are two images."""
    (checkout.folder / "a.ts").write_text("1")
    first = await checkout.publish(registry.host, text="1")
    (checkout.folder / "a.ts").write_text("2")
    second = await checkout.publish(registry.host, text="2")
    assert first.plan.immutable != second.plan.immutable


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

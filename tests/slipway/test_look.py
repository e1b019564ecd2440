"""What the registry has of a release already: reused, built, or refused."""

import pytest

from slipway.inputs import DIGEST, Inputs
from slipway.labels import REVISION, TITLE
from slipway.look import Choice, Look, choose, refused
from tests.slipway.releases import COMMIT, REGISTRY, Planned

STAGING = Planned()
PRODUCTION = Planned("prod", "v1.0.0")


def choice(planned: Planned, **held: object) -> Choice:
    """What becomes of the API where a registry has these tags (`commit`, `release`)."""
    tags = {COMMIT: held.get("commit"), "v1.0.0": held.get("release")}
    return choose("api", planned.plan, planned.inputs, tags)  # type: ignore[arg-type]


def test_a_commit_that_is_not_there_is_built() -> None:
    """Nothing to reuse, nothing to say."""
    assert choice(STAGING) == Choice()


def test_the_same_inputs_are_reused() -> None:
    """Whoever built it, and whatever its digest."""
    assert choice(STAGING, commit=STAGING.held()).image == STAGING.held()


def test_production_reuses_what_staging_published() -> None:
    """The commit is there, the release's tag is not yet."""
    assert choice(PRODUCTION, commit=STAGING.held()).image == STAGING.held()


def test_a_release_that_is_there_comes_before_its_commit() -> None:
    """What production runs is what its tag stands for."""
    release = PRODUCTION.held(digest="b")
    assert choice(PRODUCTION, commit=STAGING.held(), release=release).image == release


def test_other_inputs_are_refused_by_name() -> None:
    """The very input that differs, and both values."""
    other = Inputs({**STAGING.inputs.parts, "files in apps/api": "2"})
    held = STAGING.held(labels={**other.labels, REVISION: COMMIT})
    (problem,) = choice(STAGING, commit=held).problems
    assert problem == (
        f"{REGISTRY}/api:{COMMIT} is {held.digest}, and it was made of something else: "
        "files in apps/api: 2 there, 1 here"
    )


def test_a_base_image_that_moved_is_no_other_release() -> None:
    """A job that is retried a day later deploys what was published; a new commit gets the newer base."""
    older = Inputs({**STAGING.inputs.parts, "base": "older"})
    held = STAGING.held(labels={**older.labels, REVISION: COMMIT})
    made = choice(STAGING, commit=held)
    assert made.image == held
    assert made.notes == (
        "api stays as it was published; a new commit would get: base: older there, a here",
    )


def test_an_image_of_an_older_slipway_is_the_commits_image() -> None:
    """Nobody wrote down what it was made of; the report says so."""
    held = STAGING.held(labels={REVISION: COMMIT, TITLE: "app-api"})
    made = choice(STAGING, commit=held)
    assert made.image == held
    assert made.notes[0].startswith("api was published from this commit by slipway before 0.3")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({REVISION: COMMIT}, "does not say what it was made of: slipway did not make it"),
        ({REVISION: "f" * 40, TITLE: "app-api"}, "made from the commit ffffffffffff"),
        (STAGING.inputs.labels, "made from the commit unknown, not from 0123456789ab"),
        (
            {**STAGING.inputs.labels, REVISION: "f" * 40},
            "made from the commit ffffffffffff, not from 0123456789ab",
        ),
        (
            {**STAGING.inputs.labels, DIGEST: "sha256:0", REVISION: COMMIT},
            "what it says of itself is not true",
        ),
    ],
)
def test_an_image_whose_labels_do_not_fit_is_refused(labels: dict[str, str], words: str) -> None:
    """A Git tag that was moved, a label that lies, an image of something else."""
    (problem,) = choice(STAGING, commit=STAGING.held(labels=labels)).problems
    assert words in problem
    look = Look(STAGING.plan, {"api": STAGING.inputs})
    assert refused(look, "api", COMMIT, STAGING.held(labels=labels)) == problem


def test_a_look_tells_what_is_left_to_write() -> None:
    """An image that is not there, a tag that is not there, an environment's tag that stands for another."""
    api, other = STAGING.held(), STAGING.held(digest="b")
    look = Look(
        PRODUCTION.plan,
        {},
        {"api": api},
        {"api": {COMMIT: api.digest, "prod": other.digest}, "web": {}},
    )
    assert look.missing == ("web",)
    assert look.absent("api") == ("v1.0.0",)
    assert look.unwritten == ("web", "api")
    done = {COMMIT: api.digest, "v1.0.0": api.digest, "prod": api.digest}
    assert Look(PRODUCTION.plan, {}, {"api": api}, {"api": done}).unwritten == ("web",)


def test_a_commits_tag_that_stands_for_another_image_is_left_alone() -> None:
    """It is not named among the tags of the release."""
    api, other = PRODUCTION.held(), PRODUCTION.held(digest="b")
    tags = {"v1.0.0": api.digest, COMMIT: other.digest, "prod": api.digest}
    look = Look(PRODUCTION.plan, {}, {"api": api}, {"api": tags})
    assert look.tags("api") == ("v1.0.0", "prod")
    assert look.absent("api") == ()

"""What an image was made of, as its labels tell it."""

import tomllib
from pathlib import Path

import pytest

from slipway.inputs import DIGEST, PARTS, Inputs, argument, differing, short
from slipway.version import VERSION

BASE = f"node:22@sha256:{'a' * 64}"


def test_labels_give_the_inputs_back() -> None:
    """One digest for people, and the parts for the next publish."""
    made = Inputs({"files in apps/api": "1", "base": BASE})
    assert Inputs.of(made.labels) == made
    assert made.labels[DIGEST] == made.digest


def test_the_order_of_the_parts_is_nothing() -> None:
    """The same parts are the same digest."""
    assert Inputs({"a": "1", "b": "2"}).digest == Inputs({"b": "2", "a": "1"}).digest


def test_an_image_of_somebody_else_says_nothing() -> None:
    """No label of slipway's."""
    assert Inputs.of({"maintainer": "somebody"}) is None


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({DIGEST: f"sha256:{'0' * 64}", PARTS: '{"a":"1"}'}, "and what slipway.inputs.parts lists"),
        ({DIGEST: "sha256:x"}, "is not what slipway writes"),
        ({PARTS: '{"a":"1"}'}, "slipway.inputs is missing"),
        ({DIGEST: "x", PARTS: '["a"]'}, "is not what slipway writes"),
        ({DIGEST: "x", PARTS: '{"a":1}'}, "is not what slipway writes"),
    ],
)
def test_labels_that_lie_are_told(labels: dict[str, str], words: str) -> None:
    """One that was changed by hand fits its digest no more."""
    with pytest.raises(ValueError, match=words):
        Inputs.of(labels)


def test_what_the_caller_changed_is_told_apart_from_what_came_from_outside() -> None:
    """Long digests by the digits that people compare."""
    newer = f"node:22@sha256:{'b' * 64}"
    url = "argument NEXT_PUBLIC_API_URL"
    held = Inputs({url: "https://a.test", "base": BASE, "pnpm": "10"})
    wanted = Inputs({url: "https://b.test", "base": newer, "settings": "x"})
    inside, outside = differing(held, wanted)
    assert inside == [
        "argument NEXT_PUBLIC_API_URL: https://a.test there, https://b.test here",
        "pnpm: 10 there, none here",
        "settings: none there, x here",
    ]
    assert outside == ["base: node:22@sha256:aaaaaaaaaaaa there, node:22@sha256:bbbbbbbbbbbb here"]


def test_what_another_slipway_concludes_from_the_commit_is_no_other_commit() -> None:
    """It may tell settings otherwise and look at more files; what the caller gives, and files that changed, count."""
    held = Inputs({"slipway": "0.3", "settings": "x", "files in a": "1", "files in b": "1"})
    wanted = Inputs({"slipway": "0.4", "settings": "y", "files in a": "1", "files of c": "2"})
    assert differing(held, wanted)[0] == []
    assert len(differing(held, wanted)[1]) == 4
    edited = Inputs({**wanted.parts, "files in a": "2", "argument X": "1"})
    assert differing(held, edited)[0] == [
        "argument X: none there, 1 here",
        "files in a: 1 there, 2 here",
    ]


def test_an_image_for_another_kind_of_machine_is_another_image() -> None:
    """A laptop's may not start on the server."""
    held, wanted = Inputs({"platform": "linux/arm64"}), Inputs({"platform": "linux/x64"})
    assert differing(held, wanted) == (["platform: linux/arm64 there, linux/x64 here"], [])


def test_only_public_arguments_are_shown() -> None:
    """What may be meant for the build alone is told by a digest."""
    assert argument("NEXT_PUBLIC_API_URL", "https://a.test") == "https://a.test"
    assert argument("SENTRY_PROJECT", "shop") == short("shop")
    assert "shop" not in argument("SENTRY_PROJECT", "shop")


def test_the_version_is_that_of_the_package() -> None:
    """It is one of an image's inputs; where the module runs, nothing else tells it."""
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert tomllib.loads(text)["project"]["version"] == VERSION

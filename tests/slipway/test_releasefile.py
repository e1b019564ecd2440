"""release.json and the report of a publish: what later steps and people read."""

import json

import pytest
from pydantic import ValidationError

from slipway.project import Project
from slipway.publication import Plan
from slipway.publish import Published, text
from slipway.releasefile import ReleaseFile
from slipway.report import ImageFacts

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PROJECT = Project("app", "node:22", "node:22", "10", ())
PLAN = Plan(
    environment="staging",
    registry="registry.test/app",
    user=None,
    repositories={"web": "registry.test/app/web", "api": "registry.test/app/api"},
    immutable=COMMIT,
    moving="staging",
    revision=COMMIT,
    notes=("A note",),
)
FACTS = (ImageFacts("web", "sha256:b", 2_000_000), ImageFacts("api", "sha256:a", 1_000))
PUBLISHED = Published(PLAN, FACTS, (), frozenset({"api"}))


def written() -> ReleaseFile:
    """release.json of that publish."""
    return PUBLISHED.file(PROJECT, version="1.0.0", source="https://git.test/app")


def test_the_file_says_what_was_pushed_and_no_more() -> None:
    """Images by name; what is not known is not there, so the same release is the same file."""
    assert json.loads(written().json_text()) == {
        "name": "app",
        "environment": "staging",
        "version": "1.0.0",
        "revision": COMMIT,
        "source": "https://git.test/app",
        "images": {
            "api": {
                "repository": "registry.test/app/api",
                "digest": "sha256:a",
                "tags": [COMMIT, "staging"],
                "size": 1000,
            },
            "web": {
                "repository": "registry.test/app/web",
                "digest": "sha256:b",
                "tags": [COMMIT, "staging"],
                "size": 2_000_000,
            },
        },
    }


def test_the_file_can_be_read_again() -> None:
    """By whatever deploys it; one with a key that nobody knows is refused."""
    assert ReleaseFile.model_validate_json(written().json_text()) == written()
    with pytest.raises(ValidationError, match="Extra inputs"):
        ReleaseFile.model_validate({**json.loads(written().json_text()), "imagse": {}})


def test_the_report_tells_digests_tags_and_what_was_there() -> None:
    """With the notes above, and the file's own text below."""
    shown = text(PUBLISHED, written(), PROJECT, since=0)
    title, note, _, head, web, api, *_ = shown.splitlines()
    assert title == "app, staging, commit 0123456789ab, published below registry.test/app"
    assert note == "A note"
    assert head.split() == ["IMAGE", "DIGEST", "SIZE", "TAGS"]
    assert web.split() == ["web", "sha256:b", "2.0", "MB", "0123456789ab,", "staging", "pushed"]
    assert api.endswith("was there")
    assert shown.endswith(f"release.json:\n{written().json_text()}")

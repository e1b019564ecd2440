"""release.json and the report of a publish: what later steps and people read."""

import json
import re

import pytest
from pydantic import ValidationError

from slipway.look import Look
from slipway.project import Project
from slipway.provenance import Provenance
from slipway.published import Published, text
from slipway.releasefile import ReleaseFile
from slipway.report import ImageFacts
from tests.slipway.releases import COMMIT, Planned

PROJECT = Project("app", "node:22", "node:22", "10", ())
FACTS = (ImageFacts("web", "sha256:b", 2_000_000), ImageFacts("api", "sha256:a", 1_000))
RELEASE = Planned()
API = RELEASE.held()
LOOK = Look(
    RELEASE.plan,
    {},
    {"api": API},
    {"api": {COMMIT: API.digest}},
    {"api": Provenance(API.digest, "1970-01-01T00:00:00+00:00", "Jane")},
    ("api stays as it was published",),
)
PUBLISHED = Published(LOOK, FACTS)


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


def test_the_report_tells_digests_tags_and_what_was_reused() -> None:
    """With the notes above, and the file's own text below."""
    shown = text(PUBLISHED, written(), PROJECT, since=0)
    title, note, drift, _, head, web, api, *_ = shown.splitlines()
    assert title == "app, staging, commit 0123456789ab, published below registry.test/app"
    assert (note, drift) == ("A note", "api stays as it was published")
    assert head.split() == ["IMAGE", "DIGEST", "SIZE", "TAGS"]
    assert web.split() == ["web", "sha256:b", "2.0", "MB", "0123456789ab,", "staging", "pushed"]
    assert re.search(r"staging  reused, published \d+ days ago by Jane$", api)
    assert shown.endswith(f"release.json:\n{written().json_text()}")

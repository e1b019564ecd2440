"""Whether a deploy has nothing to do, as far as a server's containers and files tell."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from slipway.server import rollout
from slipway.server.inventory import Database
from slipway.server.serves import judged, other_files
from slipway.server.situation import Container, Kept, Situation
from slipway.server.targetfile import TargetFile
from tests.slipway.server.test_rollout import API, SITE, WEB, target

TARGET = target()
KEPT = Kept(3, "v2", migrated=True, target=TargetFile.of(TARGET, 3))
RUNNING = tuple(Container(app.name, 3, "v2", app.image) for app in (API, WEB))
DATABASE = Database(
    "app--prod--database-db-1",
    "postgres:17",
    SITE.database,
    SITE.database,
    frozenset({SITE.network}),
    aliases=("db",),
)
FOUND = Situation(RUNNING, (KEPT,), database=DATABASE)


def differs(target: Any = TARGET, **changes: Any) -> str:
    """Why a deploy has something to do."""
    return judged(target, replace(FOUND, **changes)).differs


def test_the_very_release_serves() -> None:
    """Everything is as it would be."""
    assert differs() == ""


def test_one_that_was_rolled_back_to_is_the_same_release() -> None:
    """It has another number, and the first one's files."""
    back = Kept(5, "v2", target=TargetFile.of(TARGET, 3))
    containers = tuple(replace(one, sequence=5) for one in RUNNING)
    assert differs(containers=containers, releases=(KEPT, back)) == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"containers": ()}, "nothing serves"),
        ({"releases": (replace(KEPT, identifier="v1"),)}, "v1 serves"),
        ({"releases": (KEPT, Kept(4, "v3", completed=False))}, "did not come to its end"),
        ({"releases": (replace(KEPT, target=None),)}, "images or settings would be others"),
        ({"containers": RUNNING[:1]}, "frontend is not healthy"),
        (
            {"containers": (RUNNING[0], replace(RUNNING[1], health="unhealthy"))},
            "frontend is not healthy",
        ),
        (
            {"containers": (RUNNING[0], replace(RUNNING[1], image="other@sha256:x"))},
            "frontend runs another image",
        ),
        (
            {"containers": (*RUNNING, Container("api", 2, "v1", "old@sha256:x"))},
            "containers of another release are still there",
        ),
        ({"database": None}, "the database does not run"),
        ({"database": replace(DATABASE, networks=frozenset())}, "the database does not run"),
        ({"former": True}, "did not come to its end"),
    ],
)
def test_whatever_is_otherwise_is_a_reason_to_deploy(changes: dict[str, Any], words: str) -> None:
    """One is enough."""
    assert words in differs(**changes)


def test_other_images_and_settings_are_reasons_to_deploy() -> None:
    """As slipway.toml has them now."""
    image = replace(TARGET, apps=(replace(API, image="api@sha256:new"), WEB))
    assert differs(image) == "its images or settings would be others"
    drain = replace(TARGET, apps=(replace(API, drain=99.0), WEB))
    assert differs(drain) == "its images or settings would be others"


def test_a_secret_that_changed_is_a_reason_to_deploy() -> None:
    """By the digests of the files on the server, which nobody reads."""
    there = rollout.files_of(TARGET, FOUND, KEPT)
    assert sorted(there) == ["api.env", "api.yaml", "frontend.yaml", "migrator.env"]
    sums = "".join(
        f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in there.items()
    )
    assert other_files(there, sums) == []
    rotated = replace(API, env={"DATABASE_URL": "postgresql://app:new@db:5432/app"})
    wanted = rollout.files_of(replace(TARGET, apps=(rotated, WEB)), FOUND, KEPT)
    assert other_files(wanted, sums) == ["api.env"]
    assert other_files(there, sums.replace("frontend.yaml", "gone.yaml")) == ["frontend.yaml"]

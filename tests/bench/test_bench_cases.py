"""Every edit of the benchmark changes what both sides build, and no two rounds build the same."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import pathspec
import pytest

from ci.benchmark.cases import API, CASES, FRONT_END, NOTHING, SHARED, Case, Edit, order
from ci.benchmark.settings import EXAMPLE, BenchError
from ci.benchmark.sides import DOCKERFILE_IMAGES

EDITED = [API, FRONT_END, SHARED]
ROUNDS = range(1, 9)


def edit_of(case: Case) -> Edit:
    assert case.edit
    return case.edit


def committed(case: Case) -> str:
    return (EXAMPLE / edit_of(case).file).read_text()


@pytest.mark.parametrize("case", EDITED, ids=lambda case: case.name)
def test_an_edit_changes_one_line_of_code_anew_each_round(case: Case) -> None:
    """Against the committed file, and against every other round's."""
    text = committed(case)
    texts = [edit_of(case).apply(text, number) for number in ROUNDS]
    assert len({text, *texts}) == len(ROUNDS) + 1
    for edited in texts:
        changed = list(difflib.ndiff(text.splitlines(), edited.splitlines()))
        removed, added = (
            [line[2:].strip() for line in changed if line.startswith(sign)] for sign in ("- ", "+ ")
        )
        assert len(removed) == len(added) == 1
        assert not added[0].startswith(("//", "/*", "*"))


@pytest.mark.parametrize("case", EDITED, ids=lambda case: case.name)
def test_the_dockerfiles_take_in_what_is_edited(case: Case) -> None:
    """Not ignored, and copied as a source by each app that has to change, and by no other."""
    file = edit_of(case).file
    ignored = (EXAMPLE / ".dockerignore").read_text().splitlines()
    assert not pathspec.PathSpec.from_lines("gitignore", ignored).match_file(file)
    assert not re.search(r"\.(spec|test|e2e-spec)\.", file)
    copying = set()
    for image in ("frontend", "api"):
        dockerfile = (EXAMPLE / DOCKERFILE_IMAGES[image]["filename"]).read_text()
        sources = re.findall(r"^COPY (?!--)(\S+) \S+$", dockerfile, re.MULTILINE)
        if any(Path(file).is_relative_to(source) for source in sources):
            copying.add(image)
    assert copying == case.changes


def test_an_edit_of_a_line_that_is_gone_is_refused() -> None:
    """A build of an unchanged tree must not pass for an edit's."""
    with pytest.raises(BenchError, match=r"main\.ts has no longer 'old', once"):
        Edit("main.ts", "old", "{number}").apply("old, old", 1)


def test_an_edit_is_written_to_the_copy_alone(tmp_path: Path) -> None:
    """The next round starts from the committed file, not from the round before."""
    file = tmp_path / edit_of(API).file
    file.parent.mkdir(parents=True)
    before = committed(API)
    for number in (1, 2):
        API.prepare(tmp_path, EXAMPLE, number)
        assert file.read_text() == edit_of(API).apply(before, number)
    assert committed(API) == before


@pytest.mark.parametrize(
    ("case", "after"),
    [
        pytest.param(API, {"api": "1", "frontend": "1"}, id="edit not taken in"),
        pytest.param(API, {"api": "2", "frontend": "2"}, id="other app built too"),
        pytest.param(NOTHING, {"api": "1", "frontend": "2"}, id="changed by itself"),
    ],
)
def test_a_build_that_did_something_else_gives_no_figure(case: Case, after: dict[str, str]) -> None:
    """Told by the digests of the images."""
    with pytest.raises(BenchError, match=case.name):
        case.check({"api": "1", "frontend": "1"}, after)


def test_a_build_that_took_the_edit_in_counts() -> None:
    """The migrator may come out otherwise or not: it holds Prisma's files."""
    before = {"api": "1", "frontend": "1", "migrator": "1"}
    API.check(before, before | {"api": "2"})
    SHARED.check(before, {"api": "2", "frontend": "2", "migrator": "2"})
    NOTHING.check(before, dict(before))


def test_the_sides_take_turns_in_going_first() -> None:
    """The second one finds files in memory that the first one read."""
    first = [order(API.sides, number)[0] for number in ROUNDS]
    assert first.count("slipway") == first.count("Dockerfiles") == len(ROUNDS) / 2


def test_every_target_of_the_project_has_a_case() -> None:
    """As the results print them."""
    targets = {case.name: str(case.target) for case in CASES if case.target}
    assert targets == {
        "cold": "≤ 1.0x",
        "nothing changed": "≤ 2 s",
        "API edit": "≤ 0.6x",
        "front end edit": "≤ 1.0x",
        "trivial call": "≤ 1 s",
    }

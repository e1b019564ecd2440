"""What an image's build reads of the tree is what its inputs are told from: nothing enters it beside them."""

import shutil
import subprocess
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import dagger
import pytest

from slipway.builder import Builder
from slipway.install import Installation
from slipway.measuring import Measuring
from slipway.monorepo import Workshop
from slipway.survey import take
from tests.e2e.example import ROOT

pytestmark = pytest.mark.engine
CONSUMERS = ROOT / "tests" / "consumers"
REPOSITORIES = {
    "the example": ROOT / "examples" / "mindfulspace",
    **{file.parent.name: file.parent for file in sorted(CONSUMERS.glob("*/pnpm-lock.yaml"))},
}


@dataclass(frozen=True)
class Asked(Installation):
    """An installation that remembers which files of the tree it was asked for."""

    asked: set[tuple[str, tuple[str, ...], tuple[str, ...]]] = field(default_factory=set)

    def sources(
        self, path: str = ".", *, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> dagger.Directory:
        """Files of the tree, which are remembered."""
        self.asked.add((path, include, exclude))
        return super().sources(path, include=include, exclude=exclude)


@pytest.fixture(params=list(REPOSITORIES.values()), ids=list(REPOSITORIES))
def tree(client_folder: Path, request: pytest.FixtureRequest) -> Path:
    """A repository; made before the session looks for its workspace."""
    shutil.copytree(request.param, client_folder, dirs_exist_ok=True)
    subprocess.run(["git", "init", "--quiet"], cwd=client_folder, check=True)
    return client_folder


@pytest.mark.usefixtures("tree")
async def test_every_file_that_a_build_reads_is_among_the_inputs(dag: dagger.Client) -> None:
    """By folder and patterns: what is asked for to make the images was asked for to tell their inputs."""
    ws = dag.current_workspace()
    survey = await take(ws, "slipway.toml")
    measured, made = Asked(ws, survey), Asked(ws, survey)
    inputs = await Measuring(Workshop(measured)).inputs()
    images = await Builder(Workshop(made), {}).images(inputs)
    assert {image.name for image in images} == set(inputs) == set(survey.project.images)
    assert made.asked
    assert not [wanted for wanted in made.asked if not covered(wanted, measured.asked)]


def covered(
    wanted: tuple[str, tuple[str, ...], tuple[str, ...]],
    told: set[tuple[str, tuple[str, ...], tuple[str, ...]]],
) -> bool:
    """Whether files are among those of one of the inputs: as they are, or by wider patterns."""
    path, include, exclude = wanted
    return any(
        path == other
        and (not included or (include and all(_within(one, included) for one in include)))
        and set(excluded) <= {*exclude, *_NEVER}
        for other, included, excluded in told
    )


# What no build reads of a tree, whether it asks for it or not.
_NEVER = ("**/node_modules", "**/.git")


def _within(pattern: str, patterns: tuple[str, ...]) -> bool:
    return any(pattern == other or fnmatch(pattern, other) for other in patterns)

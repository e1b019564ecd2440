"""The client, and a user's project that includes the component."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.example import copy_example
from tests.gitlab.pipelines import SLIPWAY, Project, installed_client, slipway_repository


@pytest.fixture(scope="session")
def client() -> list[str]:
    """The command of `gitlab-ci-local`."""
    return installed_client()


@pytest.fixture(scope="session")
def slipway(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository as a user's GitLab has it."""
    return slipway_repository(tmp_path_factory.mktemp("platform"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, client: list[str], slipway: Path) -> Project:
    """The example as a project of its own."""
    monorepo = copy_example(tmp_path_factory.mktemp("team") / "mindfulspace")
    return Project(monorepo.path, client, {SLIPWAY: slipway})

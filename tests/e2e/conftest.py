"""The example and its release, built once for all tests."""

from __future__ import annotations

import pytest

from tests.e2e.example import Monorepo, Pushed, copy_example, publish


@pytest.fixture(scope="session")
def monorepo(tmp_path_factory: pytest.TempPathFactory) -> Monorepo:
    """The example as it is."""
    return copy_example(tmp_path_factory.mktemp("user") / "mindfulspace")


@pytest.fixture(scope="session")
def released(monorepo: Monorepo, registry_host: str) -> Pushed:
    """The example's release."""
    return publish(monorepo, registry_host, "first")

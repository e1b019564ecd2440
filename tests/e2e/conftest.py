"""The example and its release, built once for all tests."""

from __future__ import annotations

import pytest

from tests.e2e.example import Monorepo, Pushed, copy_example, publish

ROWS: pytest.StashKey[list[tuple[str, ...]]] = pytest.StashKey()


@pytest.fixture(scope="session")
def monorepo(tmp_path_factory: pytest.TempPathFactory) -> Monorepo:
    """The example as it is."""
    return copy_example(tmp_path_factory.mktemp("user") / "mindfulspace")


@pytest.fixture(scope="session")
def released(request: pytest.FixtureRequest, monorepo: Monorepo, registry_host: str) -> Pushed:
    """The example's release."""
    pushed = publish(monorepo, registry_host, "first")
    request.config.stash[ROWS] = pushed.rows
    return pushed


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """End with what was built: a line for each image."""
    if rows := config.stash.get(ROWS, []):
        terminalreporter.section("images of the example")
        for row in [("IMAGE", "DIGEST", "COMPRESSED", "SECONDS", "CACHED"), *rows]:
            name, digest, size, seconds, cached = row
            terminalreporter.write_line(f"{name:9} {digest:71} {size:>10} {seconds:>8}  {cached}")

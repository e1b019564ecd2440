"""What tests of slipway can ask for."""

from pathlib import Path

import dagger
import pytest

from tests.slipway.checkouts import Checkout, write


@pytest.fixture
def repo(client_folder: Path) -> Path:
    """A repo; made before the session looks for its workspace."""
    write(client_folder)
    return client_folder


@pytest.fixture
def checkout(repo: Path, dag: dagger.Client) -> Checkout:
    """The repo with everything committed, and a session that stands in it."""
    made = Checkout(repo, dag)
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", "test")
    return made

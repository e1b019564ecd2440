"""What tests of slipway can ask for."""

from collections.abc import Iterator
from pathlib import Path

import dagger
import pytest

from tests.slipway.checkouts import Checkout, write
from tests.slipway.heldimages import IMAGE
from tests.slipway.registrystub import Holding, Stub, serving


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


@pytest.fixture
def holding() -> Holding:
    """What a registry answers that holds one image."""
    return Holding(IMAGE, "v1")


@pytest.fixture
def stub(holding: Holding) -> Iterator[Stub]:
    """A server that answers it."""
    with serving(holding) as running:
        yield running

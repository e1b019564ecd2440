"""What every test can ask for."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import dagger
import pytest

from drydock import daemon
from drydock.buildkit import BuildKit
from drydock.engine import Engine
from drydock.progress import Progress
from drydock.session import Session
from drydock.workspace import find_workspace

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def daemon_address() -> str:
    """A running BuildKit daemon: started where none runs, a failure where none can be."""
    return daemon.ensure().address


@pytest.fixture
def client_folder(tmp_path: Path) -> Path:
    """The folder that the client of the session stands in."""
    folder = tmp_path / "client"
    folder.mkdir()
    return folder


@pytest.fixture
async def session(daemon_address: str, client_folder: Path) -> AsyncIterator[Session]:
    """A session of the API for a client in `client_folder`."""
    engine = Engine(BuildKit(Progress(), lambda: daemon_address), client_folder)
    session = Session(engine, find_workspace(client_folder))
    async with session.serve():
        yield session
    await engine.close()


@pytest.fixture
async def dag(session: Session, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dagger.Client]:
    """The SDK's own client, connected to the session."""
    for name, value in session.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    async with dagger.connection():
        yield dagger.dag


@pytest.fixture(scope="session")
def registry_host() -> str:
    """A registry that takes pushes without a login: the lab's, or the one that SLIPWAY_TEST_REGISTRY names."""
    port = os.environ.get("SLIPWAY_LAB_PORT", "5055")
    return os.environ.get("SLIPWAY_TEST_REGISTRY", f"127.0.0.1:{port}")

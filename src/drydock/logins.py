"""Registry logins of a session, where buildctl looks for them: a Docker config of its own, readable by nobody else."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drydock import temporary
from drydock.errors import ApiError

GIVEN = "DOCKER_AUTH_CONFIG"
"""The variable in which programs that know Docker's config look for logins first (docker/cli v28)."""
DOCKER_HUB = "https://index.docker.io/v1/"


class Logins:
    """The user's own logins, and those that a client adds for its session."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._own = (
            Path(environment.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
        )
        self._given = environment.get(GIVEN, "")
        self._added: dict[str, str] = {}
        self.folder: Path | None = None
        """None while the user's own config does."""

    def add(self, address: str, username: str, password: str) -> None:
        """Log in to the registry of an address.

        Raises:
            ApiError: If the user's own logins cannot be read.
        """
        self._added[registry(address)] = base64.b64encode(
            f"{username}:{password}".encode()
        ).decode()
        self._write()

    def remove(self, address: str) -> None:
        """Forget a login that was added."""
        if self._added.pop(registry(address), None):
            self._write()

    def forget(self) -> None:
        """Remove every trace of the logins."""
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def _write(self) -> None:
        config = _parsed(self._own.read_text(), self._own) if self._own.exists() else {}
        given = _parsed(self._given, GIVEN) if self._given else {}
        added = {host: {"auth": auth} for host, auth in self._added.items()}
        auths = {**config.get("auths", {}), **given.get("auths", {}), **added}
        # No helper, and no store of the desktop's, is asked for these.
        helpers = {**config.get("credHelpers", {}), **dict.fromkeys(added, "")}
        if self.folder is None:
            self.folder = temporary.make("drydock-login-")
        partial = self.folder / "partial"
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({**config, "auths": auths, "credHelpers": helpers}, file)
        partial.rename(self.folder / "config.json")


def _parsed(text: str, origin: Path | str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except ValueError as error:
        raise ApiError(f"{origin}: no registry logins can be read from it: {error}") from None
    if not isinstance(config, dict):
        raise ApiError(f"{origin}: no registry logins can be read from it: it is no JSON object")
    return config


def registry(address: str) -> str:
    """The key in Docker's config for the registry of an address: `registry.test/app:1` → `registry.test`."""
    host = address.removeprefix("https://").removeprefix("http://").split("/")[0]
    if "." not in host and ":" not in host and host != "localhost":
        return DOCKER_HUB
    return DOCKER_HUB if host in ("docker.io", "index.docker.io", "registry-1.docker.io") else host

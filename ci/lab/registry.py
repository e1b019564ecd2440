"""The registry: Debian's docker-registry on loopback, and what it holds."""

from __future__ import annotations

import json
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

from .background import Background
from .oci import MANIFEST, Layout
from .run import logged, require
from .settings import LOOPBACK, LabError, Settings


class Registry:
    """A registry in the lab's folder.

    Args:
        settings: the folder and the port.
        host: the address it listens at; several of them serve the same images.
    """

    def __init__(self, settings: Settings, host: str = LOOPBACK) -> None:
        """Touch nothing yet."""
        self.settings = settings
        self.address = f"{host}:{settings.port}"
        name = "registry" if host == LOOPBACK else f"registry-{host}"
        self.config = settings.home / f"{name}.json"
        self.process = Background(
            command=("docker-registry", "serve", str(self.config)),
            mark=self.config,
            pid_file=settings.home / f"{name}.pid",
            log=settings.logs / f"{name}.log",
        )

    def answers(self) -> bool:
        """Whether a registry serves the API at the address."""
        try:
            self._get("")
        except _NO_ANSWER:
            return False
        return True

    def start(self) -> None:
        """Start it in the background unless it runs.

        Raises:
            LabError: no docker-registry here, the port is taken, or it ended at once.
        """
        if self.pid() and self.answers():
            return
        require("docker-registry")
        if self.answers():
            raise LabError(
                f"another registry answers at {self.address}. Stop it, or set "
                "SLIPWAY_LAB_PORT to a free port."
            )
        self.stop()
        self._write_config()
        self.process.start(self.answers)

    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self.process.pid()

    def stop(self) -> bool:
        """Stop it.

        Returns:
            Whether it was running.
        """
        return self.process.stop()

    def label(self, repository: str, name: str) -> str | None:
        """A label of an image.

        Args:
            repository: the image as the registry names it, ``library/node:22``.
            name: the label's name.

        Returns:
            Its value, or None where there is no such image or label.
        """
        path, tag = repository.rsplit(":", 1)
        try:
            manifest = self._get(f"{path}/manifests/{tag}")
            config = self._get(f"{path}/blobs/{manifest['config']['digest']}")
        except _NO_ANSWER:
            return None
        value = config["config"].get("Labels", {}).get(name)
        return None if value is None else str(value)

    def push(self, layout: Layout, repository: str, log: Path) -> None:
        """Copy a layout's image into the registry.

        Raises:
            LabError: skopeo failed.
        """
        target = f"docker://{self.address}/{repository}"
        logged([*_COPY, "--dest-tls-verify=false", f"oci:{layout.folder}", target], log)

    def pull(self, repository: str, layout: Layout, log: Path) -> None:
        """Copy an image of the registry into a layout.

        Raises:
            LabError: skopeo failed.
        """
        source = f"docker://{self.address}/{repository}"
        logged([*_COPY, "--src-tls-verify=false", source, f"oci:{layout.folder}"], log)

    def _write_config(self) -> None:
        """The registry's own config; it reads JSON as the YAML that it is."""
        storage = {"rootdirectory": str(self.settings.home / "registry")}
        config = {
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": storage, "delete": {"enabled": True}},
            "http": {"addr": self.address},
        }
        self.config.write_text(json.dumps(config, indent=2))

    def _get(self, path: str) -> Any:
        """A document of the registry's API."""
        request = urllib.request.Request(
            f"http://{self.address}/v2/{path}", headers={"Accept": MANIFEST}
        )
        with _DIRECT.open(request, timeout=5) as answer:
            return json.load(answer)


# No connection, an HTTP error, or something at the address that is no registry.
_NO_ANSWER = (OSError, HTTPException, ValueError)
# A proxy of the machine has no business between it and its own loopback.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# The policy file says whose signatures to ask for; what was made here a moment ago has none.
_COPY = ("skopeo", "--insecure-policy", "copy", "--quiet")

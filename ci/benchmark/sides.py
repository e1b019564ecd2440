"""The two sides: the commands that a person would type, and the images they make."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .cases import DOCKERFILES, SLIPWAY
from .processes import Ran, run
from .settings import EXAMPLE, GREETER, ROOT, BenchError, Place

API_URL = "https://api.staging.mindfulspace.example"
"""As slipway.toml has it for staging, which `build` builds for unless told otherwise."""
_DIGEST = re.compile(r"^(\w+)\s+(sha256:[0-9a-f]{64})\s", re.MULTILINE)

# Image → options of the Dockerfile frontend; what the example's README builds.
DOCKERFILE_IMAGES = {
    "frontend": {
        "filename": "apps/frontend-next/Dockerfile",
        "build-arg:NEXT_PUBLIC_API_URL": API_URL,
    },
    "api": {"filename": "apps/api-nest/Dockerfile"},
    "migrator": {"filename": "apps/api-nest/Dockerfile", "target": "migrator"},
}


@dataclass(frozen=True)
class Built:
    """What one measured command took and made.

    Attributes:
        seconds: Of the whole process, or processes.
        digests: Image → digest of its manifest.
    """

    seconds: float
    digests: dict[str, str]


@dataclass(frozen=True)
class Sides:
    """Builds on one daemon.

    Attributes:
        place: The copy of the example and the daemon's variables.
        address: Gives the daemon's address, as `buildctl --addr` has it.
    """

    place: Place
    address: Callable[[], str]

    def build(self, side: str) -> Built:
        """Build all three images, as one side does it.

        Raises:
            BenchError: If it fails, or tells no digest for one of them.
        """
        built = {SLIPWAY: self._slipway, DOCKERFILES: self._dockerfiles}[side]()
        if missing := sorted(DOCKERFILE_IMAGES.keys() - built.digests.keys()):
            raise BenchError(f"{side} told no digest of {', '.join(missing)}")
        return built

    def call(self) -> float:
        """Seconds of a function that does nothing but return a text.

        Raises:
            BenchError: If it fails, or returns another.
        """
        ran = self._run(["drydock", "-q", "-m", str(GREETER), "call", "hello", "--name", "bench"])
        if ran.outputs[0].strip() != "Hello, bench.":
            raise BenchError(f"the greeter said {ran.outputs[0]!r}")
        return ran.seconds

    def _slipway(self) -> Built:
        ran = self._run(["drydock", "-q", "-m", str(ROOT), "call", "build"])
        return Built(ran.seconds, dict(_DIGEST.findall(ran.outputs[0])))

    def _dockerfiles(self) -> Built:
        """The three at once, as `docker buildx bake` has them: they share stages and cores."""
        ran = self._run(*(self._dockerfile(image) for image in DOCKERFILE_IMAGES))
        digests = {}
        for image in DOCKERFILE_IMAGES:
            made = json.loads(self._metadata(image).read_text())
            digests[image] = str(made["containerimage.digest"])
        return Built(ran.seconds, digests)

    def _dockerfile(self, image: str) -> list[str]:
        command = ["buildctl", "--addr", self.address(), "build", "--frontend", "dockerfile.v0"]
        command += ["--local", f"context={self.place.repo}"]
        command += ["--local", f"dockerfile={self.place.repo}"]
        for name, value in DOCKERFILE_IMAGES[image].items():
            command += ["--opt", f"{name}={value}"]
        command += ["--output", f"type=image,name={EXAMPLE.name}/{image},push=false"]
        return [*command, "--metadata-file", str(self._metadata(image)), "--progress", "plain"]

    def _metadata(self, image: str) -> Path:
        return self.place.folder / f"{image}.json"

    def _run(self, *commands: list[str]) -> Ran:
        return run(
            commands,
            cwd=self.place.repo,
            environment=self.place.environment(),
            log=self.place.log,
        )

"""A release of two images as values: what was planned, and what a registry has of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from slipway.inputs import Inputs
from slipway.labels import REVISION
from slipway.publication import Plan, Tags
from slipway.registryapi import HeldImage

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REGISTRY = "registry.test/app"


@dataclass(frozen=True)
class Planned:
    """A release of `api` and `web`.

    Attributes:
        environment: The environment, which is also its moving tag.
        release: The Git tag.
    """

    environment: str = "staging"
    release: str | None = None
    inputs: Inputs = field(default_factory=lambda: Inputs({"files in apps/api": "1", "base": "a"}))

    @property
    def plan(self) -> Plan:
        """What is pushed where."""
        tags = Tags(COMMIT, self.release, self.environment)
        return Plan(
            environment=self.environment,
            registry=REGISTRY,
            user=None,
            repositories={"web": f"{REGISTRY}/web", "api": f"{REGISTRY}/api"},
            tags={"web": tags, "api": tags},
            revision=COMMIT,
            notes=("A note",),
        )

    def held(
        self, name: str = "api", labels: Mapping[str, str] | None = None, digest: str = "a"
    ) -> HeldImage:
        """An image as the registry holds it."""
        said = {**self.inputs.labels, REVISION: COMMIT} if labels is None else labels
        full = f"sha256:{digest * 64}"
        kind = "application/vnd.oci.image.manifest.v1+json"
        return HeldImage(f"{REGISTRY}/{name}", full, kind, b"{}", 1000, (900,), said)

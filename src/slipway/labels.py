"""The labels that every image carries, and what a report says of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from . import git
from .survey import Survey

REVISION = "org.opencontainers.image.revision"
VERSION = "org.opencontainers.image.version"
SOURCE = "org.opencontainers.image.source"


@dataclass(frozen=True)
class Labels:
    """What a caller says of a release; None for what the checkout tells.

    Attributes:
        revision: The git commit.
        version: The version.
        source: The repository's address.
    """

    revision: str | None = None
    version: str | None = None
    source: str | None = None

    def of(self, survey: Survey) -> dict[str, str]:
        """The labels of the images of one checkout."""
        origin, root = survey.origin, survey.repo.root
        return {
            REVISION: self.revision or origin.revision,
            VERSION: self.version or origin.tag or root.version or origin.revision[:12],
            SOURCE: self.source or origin.source,
        }


def notes(survey: Survey, build_args: Mapping[str, str]) -> list[str]:
    """What a reader of a build's report should know of what went into it.

    Args:
        survey: The checkout.
        build_args: The variables of the front ends' builds.
    """
    made = []
    if any(app.kind == "next" for app in survey.project.apps):
        url = build_args.get("NEXT_PUBLIC_API_URL")
        made.append(
            f"NEXT_PUBLIC_API_URL is {url}"
            if url
            else "NEXT_PUBLIC_API_URL is not set: neither an api_url nor --api-url is given"
        )
    if survey.origin.revision == git.UNKNOWN:
        made.append("The git revision could not be read; pass --revision to label the images")
    return made

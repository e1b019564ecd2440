"""The labels that every image carries, and what a report says of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from . import git
from .survey import Survey

TITLE = "org.opencontainers.image.title"
REVISION = "org.opencontainers.image.revision"
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
        """The labels of the images of one checkout.

        The version is none of them: production runs the very image that staging ran, before there was a Git tag.
        """
        origin = survey.origin
        return {
            REVISION: self.revision or origin.revision,
            SOURCE: self.source or origin.source,
        }

    def version_of(self, survey: Survey) -> str:
        """The version of the release, for its report and release.json."""
        origin = survey.origin
        return self.version or origin.tag or survey.repo.root.version or origin.revision[:12]


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

"""What a publish did: for release.json, and for the reader. Pure."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import dagger

from . import report, sbom
from .look import Look
from .project import Project
from .publication import Plan, words
from .registryimage import HeldImage
from .releasefile import ReleasedImage, ReleaseFile
from .report import ImageFacts, Step


@dataclass(frozen=True)
class Published:
    """What a publish did.

    Attributes:
        look: What was to be pushed where, and what the registry had of it.
        images: The images' facts, as the registry tells them.
        steps: The steps that went into those that were built.
        sboms: Image → its bill of materials, where they were asked for.
    """

    look: Look
    images: Sequence[ImageFacts]
    steps: Sequence[Step] = ()
    sboms: Mapping[str, dagger.File] = field(default_factory=dict)

    @property
    def plan(self) -> Plan:
        """What was pushed where."""
        return self.look.plan

    def file(self, project: Project, *, version: str, source: str) -> ReleaseFile:
        """release.json.

        Args:
            project: The project.
            version: The release's version.
            source: The repository's address, as in the images' labels.
        """
        return ReleaseFile(
            name=project.name,
            environment=self.plan.environment,
            version=version,
            revision=self.plan.revision,
            source=source,
            images={image.name: self._image(image, project) for image in self._sorted()},
        )

    def _sorted(self) -> list[ImageFacts]:
        return sorted(self.images, key=lambda image: image.name)

    def _image(self, image: ImageFacts, project: Project) -> ReleasedImage:
        return ReleasedImage(
            repository=self.plan.repositories[image.name],
            digest=image.digest,
            tags=self.look.tags(image.name),
            size=image.size,
            sbom=sbom.name(image.name, project.sbom) if image.name in self.sboms else None,
        )

    def report(self, project: Project, *, since: float, now: float) -> str:
        """Text made for reading.

        Args:
            project: The project.
            since: When this call began, in seconds since the epoch.
            now: When it ended.
        """
        made = self.plan
        title = (
            f"{project.name}, {made.environment}, commit {made.revision[:12]}, "
            f"published below {made.registry}"
        )
        heads = ("IMAGE", "DIGEST", "SIZE", "TAGS", "")
        rows = [heads, *(self._row(image, now) for image in self.images)]
        blocks = [[title, *made.notes, *self.look.notes], report.table(rows, indent="")]
        if self.steps:
            steps = [(step.name, step.outcome(since)) for step in self.steps]
            blocks.append(["Steps:", *report.table(steps)])
        blocks.append([f"Done in {report.seconds(now - since)}"])
        return "\n\n".join("\n".join(block) for block in blocks)

    def _row(self, image: ImageFacts, now: float) -> tuple[str, ...]:
        done = "pushed"
        if image.name in self.look.reused:
            known = self.look.provenance.get(image.name)
            done = f"reused, {known.told(now)}" if known else "reused"
        tags = words(self.look.tags(image.name))
        return image.name, image.digest, report.size(image.size), tags, done


def text(published: Published, file: ReleaseFile, project: Project, since: float) -> str:
    """The report, with release.json below it."""
    shown = published.report(project, since=since, now=time.time())
    return f"{shown}\n\nrelease.json:\n{file.json_text()}"


def facts(name: str, image: HeldImage) -> ImageFacts:
    """An image's facts, as the registry tells them.

    Args:
        name: Its name.
        image: What the registry holds.
    """
    return ImageFacts(name, image.digest, image.size, image.layers)

"""Publishing: look at the registry, build, push every image, and only then move the environment's tag."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import dagger

from . import checkout, report, sbom
from .errors import SlipwayError
from .evaluation import evaluate, side_by_side
from .failures import leaves
from .project import Project
from .publication import Plan, Request, differing, listed, refused, words
from .publishplan import plan
from .registry import Registry
from .registryfaults import RegistryError
from .releasefile import ReleasedImage, ReleaseFile
from .report import ImageFacts, Step
from .runtime import Made
from .survey import Survey


@dataclass(frozen=True)
class Published:
    """What a publish did.

    Attributes:
        plan: What was pushed where.
        images: The images' facts.
        steps: The steps that went into them.
        there: Images that the registry had under their immutable tag before.
        sboms: Image → its bill of materials, where they were asked for.
    """

    plan: Plan
    images: Sequence[ImageFacts]
    steps: Sequence[Step]
    there: frozenset[str]
    sboms: Mapping[str, dagger.File] = field(default_factory=dict)

    def file(self, project: Project, *, version: str, source: str) -> ReleaseFile:
        """release.json.

        Args:
            project: The project.
            version: The version, as in the images' labels.
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
            tags=self.plan.tags,
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
        rows = [heads, *(self._row(image) for image in self.images)]
        blocks = [[title, *made.notes], report.table(rows, indent="")]
        if self.steps:
            steps = [(step.name, step.outcome(since)) for step in self.steps]
            blocks.append(["Steps:", *report.table(steps)])
        blocks.append([f"Done in {report.seconds(now - since)}"])
        return "\n\n".join("\n".join(block) for block in blocks)

    def _row(self, image: ImageFacts) -> tuple[str, ...]:
        done = "was there" if image.name in self.there else "pushed"
        return image.name, image.digest, report.size(image.size), words(self.plan.tags), done


@dataclass(frozen=True)
class Publisher:
    """Publishes from one checkout to one registry.

    Attributes:
        survey: What was found in the checkout.
        ws: The caller's workspace.
        request: What is to be published.
        password: The password of the registry's user.
    """

    survey: Survey
    ws: dagger.Workspace
    request: Request
    password: dagger.Secret | None = None

    async def publish(self, images: Sequence[Made], *, bills: bool = False) -> Published:
        """Push images by their immutable tag, all of them, and then move the environment's tag.

        Args:
            images: The images; those that are not built yet are built.
            bills: Make a bill of materials of each, before anything is pushed.

        Returns:
            What was done.

        Raises:
            SlipwayError: Something is missing, forbidden or refused, or the registry fails.
            ExceptionGroup: What failed in the builds.
        """
        project, origin = self.survey.project, self.survey.origin
        made = plan(project, self.request, origin, await checkout.tree(self.ws, origin))
        registry = await Registry.reached(made.host, made.user, self.password)
        held = await self._held(registry, made)
        sboms = {i.name: self._sbom(i) for i in images} if bills else {}
        facts, steps = await evaluate(images, [file.sync for file in sboms.values()])
        built = {image.name: image.digest for image in facts}
        if problems := refused(made, held, built):
            raise SlipwayError(_REFUSED.format("\n".join(f"  - {one}" for one in problems)))
        there = frozenset(name for name, digest in held.items() if digest)
        await _Push(registry, made, built, {i.name: i.container for i in images}).all(there)
        return Published(made, facts, steps, there, sboms)

    async def planned(self, images: Sequence[Made]) -> Published:
        """What `publish` would do, with the digests that it would push; nothing is pushed.

        Args:
            images: The images; those that are not built yet are built.

        Raises:
            SlipwayError: Something is missing or forbidden.
            ExceptionGroup: What failed in the builds.
        """
        origin = self.survey.origin
        made = plan(self.survey.project, self.request, origin, await checkout.tree(self.ws, origin))
        facts, steps = await evaluate(images)
        return Published(made, facts, steps, frozenset())

    async def _held(self, registry: Registry, made: Plan) -> dict[str, str | None]:
        """What the immutable tags stand for; a wrong login is found here, before anything is built."""
        names = list(made.repositories)
        addresses = [f"{made.repositories[name]}:{made.immutable}" for name in names]
        try:
            return dict(zip(names, await side_by_side(registry.held, addresses), strict=True))
        except ExceptionGroup as group:
            raise _registry_error(group, "Nothing was built or pushed.") from None

    def _sbom(self, image: Made) -> dagger.File:
        project = self.survey.project
        return sbom.made(image.container, f"{project.name}-{image.name}", project.sbom)


_REFUSED = (
    "these tags are in the registry already and stand for other images; nothing was pushed:\n{}\n"
    "A tag of a commit or of a release never moves. Publish a new commit (for production: a new Git tag), or, if "
    "nothing uses what is there, delete these tags in the registry and repeat the command"
)


@dataclass(frozen=True)
class _Push:
    """Pushes the images of one plan.

    Attributes:
        registry: Where to.
        plan: What is pushed where.
        built: Image → digest.
        images: Image → what was built.
    """

    registry: Registry
    plan: Plan
    built: Mapping[str, str]
    images: Mapping[str, dagger.Container]

    async def all(self, there: frozenset[str]) -> None:
        """Push every image that is not there by its immutable tag, then all by the moving one."""
        missing = [name for name in self.images if name not in there]
        unmoved = f'The tag "{self.plan.moving}" still stands for what it did before'
        await self._side_by_side(missing, self.plan.immutable, f"{unmoved}, for every image.")
        await self._side_by_side(list(self.images), self.plan.moving, "")

    async def _side_by_side(self, names: list[str], tag: str, state: str) -> None:
        """Push images by one tag at once.

        Args:
            names: The images.
            tag: The tag.
            state: What a reader of an error should know of the other tags.
        """
        done: dict[str, str] = {}

        async def one(name: str) -> None:
            address = f"{self.plan.repositories[name]}:{tag}"
            done[name] = await self.registry.push(self.images[name], address)

        try:
            await side_by_side(one, names)
        except ExceptionGroup as group:
            told = f'By the tag "{tag}" were pushed: {listed(n for n in names if n in done)}; not: '
            left = listed(n for n in names if n not in done)
            raise _registry_error(group, f"{told}{left}. {state}".strip()) from None
        if problems := differing(self.built, done):
            raise SlipwayError(
                "the registry keeps other images than were built; is somebody else pushing them now?\n"
                + "\n".join(f"  - {one}" for one in problems)
            )


def _registry_error(group: ExceptionGroup, state: str) -> Exception:
    """One error for what several requests met; any other error among them as it is."""
    errors = list(leaves(group))
    if not all(isinstance(error, RegistryError) for error in errors):
        return group
    texts = dict.fromkeys(str(error) for error in errors)
    return RegistryError("\n".join([*texts, state]))


def text(published: Published, file: ReleaseFile, project: Project, since: float) -> str:
    """The report, with release.json below it."""
    shown = published.report(project, since=since, now=time.time())
    return f"{shown}\n\nrelease.json:\n{file.json_text()}"

"""Brings a release to the registry: what it lacks is pushed and read back, who did it written down, tags moved last."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import dagger
from dagger import dag

from . import sbom
from .evaluation import Job, built, side_by_side
from .failures import leaves
from .look import Look, refused
from .project import Project
from .provenance import LABEL, Provenance
from .publication import Request, listed
from .published import Published, facts
from .registry import Registry
from .registryapi import HeldImage, RegistryApi
from .registryfaults import RegistryError
from .report import Step
from .runtime import Made

Build = Callable[[], Awaitable[Sequence[Made]]]
# Where an engine pushes to: engines push by tags alone, and what they push tells when it was built.
ARRIVAL = "slipway-arrival"


@dataclass
class Pushing:
    """One release on its way.

    Attributes:
        project: The project.
        request: What is to be published.
        look: What the registry had before.
        registry: Where to.
        api: The registry's API.
        held: Image → what the registry has of it now.
        sboms: Image → its bill of materials.
    """

    project: Project
    request: Request
    look: Look
    registry: Registry
    api: RegistryApi
    held: dict[str, HeldImage] = field(default_factory=dict)
    sboms: dict[str, dagger.File] = field(default_factory=dict)

    async def done(self, build: Build, *, bills: bool) -> Published:
        """Everything, in its order."""
        made, look = self.look.plan, self.look
        await self._each(self._may_push, look.unwritten, "Nothing was built or pushed.")
        self.held |= look.reused
        images = await lacking(look, build)
        if bills:
            self._list(images)
        syncs: list[Job] = [bill.sync for bill in self.sboms.values()]
        steps = await built(images, syncs, node=self.project.build_image)
        await self._push(images)
        await self._each(self._record, list(made.repositories), "The images are there.")
        await self._each(self._tag_to_stay, list(made.repositories), self._unmoved)
        moved = f'The tag "{made.moving}" has moved for: {{done}}; not for: {{left}}. Repeat the command.'
        await self._each(self._move, list(made.repositories), moved)
        return self._published(steps)

    def _published(self, steps: Sequence[Step]) -> Published:
        known = [facts(name, self.held[name]) for name in self.look.plan.repositories]
        return Published(self.look, known, steps, self.sboms)

    async def _may_push(self, name: str) -> None:
        await self.api.require_push(self.look.plan.repositories[name])

    def _list(self, images: Sequence[Made]) -> None:
        """Bills of materials: those that lie beside the images, and new ones."""
        project = self.project
        containers = {image.name: image.container for image in images}
        for name in self.look.plan.repositories:
            file = sbom.name(name, project.sbom)
            known = self.look.provenance.get(name)
            if known and known.sbom == file:
                beside = f"{self.held[name].repository}:{known.tag}"
                self.sboms[name] = self.registry.image(beside).file(f"/{file}")
                continue
            image = containers.get(name) or self.registry.image(self.held[name].address)
            self.sboms[name] = sbom.made(image, f"{project.name}-{name}", project.sbom)

    async def _push(self, images: Sequence[Made]) -> None:
        """Push to where engines push to; what is deployed is what the registry then says that it has."""
        made, by_name = self.look.plan, {image.name: image for image in images}

        async def one(name: str) -> None:
            address = f"{made.repositories[name]}:{ARRIVAL}"
            pushed = await self.registry.push(by_name[name].container, address)
            self.held[name] = await self._kept(name, pushed)

        state = "Pushed and read back were: {done}; not: {left}. "
        await self._each(one, list(by_name), state + self._unmoved)

    @property
    def _unmoved(self) -> str:
        moving = self.look.plan.moving
        return f'The tag "{moving}" still stands for what it did before, for every image.'

    async def _kept(self, name: str, pushed: str) -> HeldImage:
        """Have the commit's tag stand for what was pushed, less the times of the build."""
        plan = self.look.plan
        repository, commit = plan.repositories[name], plan.tags[name].commit
        arrived = await self.api.held(repository, pushed)
        if not arrived:
            raise RegistryError(f"{repository}@{pushed} was pushed, and is not there")
        if there := await self.api.held(repository, commit):
            # Somebody else published the commit meanwhile: theirs is as good, or nobody's.
            if wrong := refused(self.look, name, commit, there):
                raise RegistryError(f"somebody else is publishing now: {wrong}")
            self.look = replace(self.look, reused={**self.look.reused, name: there})
            return there
        return await self.api.keep_plain(arrived, commit)

    async def _record(self, name: str) -> None:
        """Write down who published an image; what is written down already stays, but for a new bill."""
        known, image = self.look.provenance.get(name), self.held[name]
        bill = self.sboms.get(name)
        file = sbom.name(name, self.project.sbom) if bill else ""
        if name in self.look.reused and (not known or not bill or known.sbom == file):
            return
        request = self.request
        record = known or Provenance(
            image.digest,
            datetime.now(UTC).isoformat(timespec="seconds"),
            request.who,
            request.job,
            request.environment,
        )
        record = replace(record, sbom=file)
        container = dag.container().with_new_file("/published.json", record.label + "\n")
        if bill:
            container = container.with_file(f"/{file}", bill, permissions=0o644)
        container = container.with_label(LABEL, record.label)
        await self.registry.push(container, f"{image.repository}:{record.tag}")

    async def _tag_to_stay(self, name: str) -> None:
        for each in self.look.absent(name):
            await self.api.tag(self.held[name], each, stays=True)

    async def _move(self, name: str) -> None:
        await self.api.tag(self.held[name], self.look.plan.moving)

    async def _each(
        self, work: Callable[[str], Awaitable[None]], names: Sequence[str], state: str
    ) -> None:
        """One job for each image at once; what failed is one error that says how things stand.

        Args:
            work: The job.
            names: The images.
            state: How things stand, with {done} and {left} for the images.
        """
        done: set[str] = set()

        async def one(name: str) -> None:
            await work(name)
            done.add(name)

        try:
            await side_by_side(one, names)
        except ExceptionGroup as group:
            left = listed(name for name in names if name not in done)
            told = state.format(done=listed(name for name in names if name in done), left=left)
            raise registry_error(group, told) from None


async def lacking(look: Look, build: Build) -> list[Made]:
    """The images that the registry lacks.

    Args:
        look: What the registry has.
        build: Makes the images; it is not called where the registry has them all.
    """
    return [image for image in await build() if image.name in look.missing] if look.missing else []


def registry_error(group: ExceptionGroup, state: str) -> Exception:
    """One error for what several requests met; any other error among them as it is.

    Args:
        group: What they met.
        state: How things stand now.
    """
    errors = list(leaves(group))
    if not all(isinstance(error, RegistryError) for error in errors):
        return group
    texts = dict.fromkeys(str(error) for error in errors)
    return RegistryError("\n".join([*texts, state]))

"""Publishing: what the registry has of a commit is reused, what it lacks is built and pushed; tags move last."""

import posixpath
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

import dagger
from dagger import dag

from . import checkout, sbom
from .errors import SlipwayError
from .evaluation import Job, evaluate, side_by_side
from .failures import leaves
from .inputs import Inputs
from .look import Choice, Look, choose, refused
from .provenance import LABEL, Provenance, tag
from .publication import Plan, Request, listed
from .published import Published
from .publishplan import plan
from .registry import Registry
from .registryapi import Endpoint, HeldImage, RegistryApi
from .registryfaults import RegistryError
from .report import ImageFacts, Step
from .runtime import Made
from .survey import Survey, text_of

Build = Callable[[], Awaitable[Sequence[Made]]]
# Where an engine pushes to: engines push by tags alone, and what they push tells when it was built.
ARRIVAL = "slipway-arrival"


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

    async def look(self, inputs: Mapping[str, Inputs]) -> Look:
        """Ask the registry what it has; nothing is built or pushed.

        Args:
            inputs: Image → what it is made of.

        Raises:
            SlipwayError: Something is missing or forbidden; the registry has other images by these tags, or fails.
        """
        project, origin = self.survey.project, self.survey.origin
        made = plan(project, self.request, origin, await checkout.tree(self.ws, origin))
        registry = await self._registry(made)
        async with registry.api() as api:
            names = list(made.repositories)
            try:
                held = await side_by_side(partial(_held, api, made), names)
                return await _looked(api, made, inputs, dict(zip(names, held, strict=True)))
            except ExceptionGroup as group:
                raise _registry_error(group, "Nothing was built or pushed.") from None

    async def planned(self, look: Look, build: Build) -> Published:
        """What `publish` would do, with the digests that builds have now; nothing is pushed.

        Args:
            look: What the registry has.
            build: Makes the images; it is not called where the registry has them all.

        Raises:
            ExceptionGroup: What failed in the builds.
        """
        images = [i for i in await build() if i.name in look.missing] if look.missing else []
        made, steps = await evaluate(images) if images else ([], [])
        known = {name: _facts(name, image) for name, image in look.reused.items()}
        known |= {image.name: image for image in made}
        return Published(look, [known[name] for name in look.plan.repositories], steps)

    async def publish(self, look: Look, build: Build, *, bills: bool = False) -> Published:
        """Build and push what the registry lacks, all of it, and then move the environment's tag.

        Args:
            look: What the registry has.
            build: Makes the images; it is not called where the registry has them all.
            bills: Have a bill of materials of each, before anything is pushed.

        Returns:
            What was done.

        Raises:
            SlipwayError: The registry refuses or fails.
            ExceptionGroup: What failed in the builds.
        """
        registry = await self._registry(look.plan)
        async with registry.api() as api:
            return await _Publication(self, look, registry, api).done(build, bills=bills)

    async def _registry(self, made: Plan) -> Registry:
        settings = self.survey.project.registry
        file = posixpath.join(self.survey.root, settings.ca) if settings.ca else ""
        authority = await text_of(self.ws, file) if file else ""
        endpoint = Endpoint(made.host, settings.api, authority)
        return await Registry.reached(endpoint, made.user, self.password)


def standing(look: Look) -> Published:
    """A release that the registry has, all of it.

    Args:
        look: What the registry has.
    """
    return Published(look, [_facts(name, look.reused[name]) for name in look.plan.repositories])


async def _held(api: RegistryApi, made: Plan, name: str) -> dict[str, HeldImage | None]:
    """What the tags of an image stand for; a wrong login is found here, before anything is built."""
    repository = made.repositories[name]
    return {each: await api.held(repository, each) for each in made.tags[name].all}


async def _looked(
    api: RegistryApi,
    made: Plan,
    inputs: Mapping[str, Inputs],
    held: Mapping[str, Mapping[str, HeldImage | None]],
) -> Look:
    choices = {name: choose(name, made, inputs[name], held[name]) for name in held}
    if problems := [problem for choice in choices.values() for problem in choice.problems]:
        raise SlipwayError(_REFUSED.format("\n".join(f"  - {one}" for one in problems)))
    reused = {name: choice.image for name, choice in choices.items() if choice.image}
    found = await side_by_side(partial(_provenance, api), list(reused.values()))
    return Look(
        made,
        inputs,
        reused,
        {
            name: {each: one.digest for each, one in tags.items() if one}
            for name, tags in held.items()
        },
        {name: one for name, one in zip(reused, found, strict=True) if one},
        _notes(choices),
    )


def _notes(choices: Mapping[str, Choice]) -> tuple[str, ...]:
    return tuple(note for choice in choices.values() for note in choice.notes)


async def _provenance(api: RegistryApi, image: HeldImage) -> Provenance | None:
    record = await api.held(image.repository, tag(image.digest))
    return Provenance.read(record.labels.get(LABEL) if record else None, image.digest)


_REFUSED = (
    "these tags are in the registry already and stand for other images; nothing was built or pushed:\n{}\n"
    "A tag of a commit or of a release never moves. Publish a new commit (for production: a new Git tag), or, if "
    "nothing uses what is there, delete these tags in the registry and repeat the command"
)


@dataclass
class _Publication:
    """One publish on its way.

    Attributes:
        publisher: Who publishes.
        look: What the registry had before.
        registry: Where to.
        api: The registry's API.
        held: Image → what the registry has of it now.
        sboms: Image → its bill of materials.
    """

    publisher: Publisher
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
        images = [i for i in await build() if i.name in look.missing] if look.missing else []
        if bills:
            self._list(images)
        syncs: list[Job] = [bill.sync for bill in self.sboms.values()]
        _, steps = await evaluate(images, syncs)
        await self._push(images)
        await self._each(self._record, list(made.repositories), "The images are there.")
        await self._each(self._tag_to_stay, list(made.repositories), self._unmoved)
        moved = f'The tag "{made.moving}" has moved for: {{done}}; not for: {{left}}. Repeat the command.'
        await self._each(self._move, list(made.repositories), moved)
        return self._published(steps)

    def _published(self, steps: Sequence[Step]) -> Published:
        known = [_facts(name, self.held[name]) for name in self.look.plan.repositories]
        return Published(self.look, known, steps, self.sboms)

    async def _may_push(self, name: str) -> None:
        await self.api.require_push(self.look.plan.repositories[name])

    def _list(self, images: Sequence[Made]) -> None:
        """Bills of materials: those that lie beside the images, and new ones."""
        project = self.publisher.survey.project
        containers = {image.name: image.container for image in images}
        for name in self.look.plan.repositories:
            file = sbom.name(name, project.sbom)
            known = self.look.provenance.get(name)
            if known and known.sbom == file:
                beside = f"{self.held[name].repository}:{known.tag}"
                self.sboms[name] = self.registry.image(beside).file(f"/{file}")
                continue
            image = containers.get(name) or self.registry.image(_address(self.held[name]))
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
            return there
        return await self.api.keep_plain(arrived, commit)

    async def _record(self, name: str) -> None:
        """Write down who published an image; what is written down already stays, but for a new bill."""
        known, image = self.look.provenance.get(name), self.held[name]
        bill = self.sboms.get(name)
        file = sbom.name(name, self.publisher.survey.project.sbom) if bill else ""
        if name in self.look.reused and (not known or not bill or known.sbom == file):
            return
        request = self.publisher.request
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
            await self.api.tag(self.held[name], each)

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
            raise _registry_error(group, told) from None


def _address(image: HeldImage) -> str:
    return f"{image.repository}@{image.digest}"


def _facts(name: str, image: HeldImage) -> ImageFacts:
    return ImageFacts(name, image.digest, image.size, image.layers)


def _registry_error(group: ExceptionGroup, state: str) -> Exception:
    """One error for what several requests met; any other error among them as it is."""
    errors = list(leaves(group))
    if not all(isinstance(error, RegistryError) for error in errors):
        return group
    texts = dict.fromkeys(str(error) for error in errors)
    return RegistryError("\n".join([*texts, state]))

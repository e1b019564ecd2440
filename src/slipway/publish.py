"""Publishing: what the registry has of a commit is reused, what it lacks is built and pushed; tags move last."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import dagger

from . import checkout
from .errors import SlipwayError
from .evaluation import evaluate, side_by_side
from .inputs import Inputs
from .look import Choice, Look, choose
from .provenance import LABEL, Provenance, tag
from .publication import Plan, Request
from .published import Published, facts
from .publishplan import plan
from .pushing import Build, Pushing, lacking, registry_error
from .registry import Registry
from .registryapi import Endpoint, HeldImage, RegistryApi
from .registryfaults import RegistryError
from .survey import Survey, text_of


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
            try:
                return await _looked(api, made, inputs, await _held_by_tags(api, made))
            except ExceptionGroup as group:
                raise registry_error(group, "Nothing was built or pushed.") from None

    async def planned(self, look: Look, build: Build) -> Published:
        """What `publish` would do, with the digests that builds have now; nothing is pushed.

        Args:
            look: What the registry has.
            build: Makes the images; it is not called where the registry has them all.

        Raises:
            ExceptionGroup: What failed in the builds.
        """
        images = await lacking(look, build)
        node = self.survey.project.build_image
        made, steps = await evaluate(images, node=node) if images else ([], [])
        known = {name: facts(name, image) for name, image in look.reused.items()}
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
            return await Pushing(self.survey.project, self.request, look, registry, api).done(
                build, bills=bills
            )

    async def existing(self) -> dict[str, tuple[HeldImage, dagger.Container]]:
        """The release of this commit that the registry has, whatever it was made of.

        Returns:
            Image → what the registry holds, and the image itself; nothing of it is fetched yet.

        Raises:
            SlipwayError: The tree differs from its commit, the registry has no such release, or it fails.
        """
        project, origin = self.survey.project, self.survey.origin
        tree = await checkout.tree(self.ws, origin)
        if tree.dirty:
            raise SlipwayError(
                f"{tree.told()}: only a commit as it is can be made again. Stash them, or check it out"
            )
        made = plan(project, replace(self.request, force=True), origin, tree)
        registry = await self._registry(made)
        async with registry.api() as api:
            try:
                held = await _held_by_tags(api, made)
            except ExceptionGroup as group:
                raise registry_error(group, "Nothing was built.") from None
        found = {
            name: next((image for tag in made.tags[name].staying if (image := tags[tag])), None)
            for name, tags in held.items()
        }
        if missing := [name for name, image in found.items() if not image]:
            tags = ", ".join(
                f"{made.repositories[name]}:{made.tags[name].staying[0]}" for name in missing
            )
            raise SlipwayError(
                f"the registry has no release of commit {made.revision[:12]} for {made.environment}: {tags} "
                f"{'is' if len(missing) == 1 else 'are'} not there. Check out a commit that was published, or name "
                "its environment by --env"
            )
        return {
            name: (image, registry.image(image.address)) for name, image in found.items() if image
        }

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
    return Published(look, [facts(name, look.reused[name]) for name in look.plan.repositories])


async def _held_by_tags(api: RegistryApi, made: Plan) -> dict[str, dict[str, HeldImage | None]]:
    """Image → tag → what it stands for; a wrong login is found here, before anything is built."""

    async def one(name: str) -> dict[str, HeldImage | None]:
        repository = made.repositories[name]
        return {each: await api.held(repository, each) for each in made.tags[name].all}

    names = list(made.repositories)
    return dict(zip(names, await side_by_side(one, names), strict=True))


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
    try:
        record = await api.held(image.repository, tag(image.digest))
    except RegistryError:
        return None  # it is broken, and the image is not
    return Provenance.read(record.labels.get(LABEL) if record else None, image.digest)


_REFUSED = (
    "these tags are in the registry already and stand for other images; nothing was built or pushed:\n{}\n"
    "A tag of a commit or of a release never moves. Publish a new commit (for production: a new Git tag), or, if "
    "nothing uses what is there, delete these tags in the registry and repeat the command"
)

"""`reproduce`: whether a published release can be made again from its commit."""

import secrets
from dataclasses import replace
from functools import partial

from slipway.checkout import surveyed
from slipway.errors import SlipwayError
from slipway.evaluation import side_by_side
from slipway.given import Given
from slipway.inputs import BASE, BUILD_IMAGE, Inputs
from slipway.progress import progress, show
from slipway.registryapi import HeldImage
from slipway.reproduction import Comparison, compared
from slipway.survey import Survey

from .making import builder_of, publisher_of


async def reproduce(given: Given, env: str) -> str:
    """Build a published release once more, with no step and no cache of an earlier build, and compare.

    Args:
        given: What the caller gives.
        env: The environment.

    Returns:
        What is the same, image by image.

    Raises:
        SlipwayError: There is no such release, or an image of it came out otherwise; what differs.
    """
    with progress(show, given.job) as say:
        survey = await surveyed(given.ws, given.config, given.version)
        say("look at the registry")
        published = await publisher_of(given, survey, env, force=True).existing()
        held = {name: image for name, (image, _) in published.items()}
        say("build every image again, from nothing")
        builder = builder_of(given, _as_then(survey, held), env, fresh=secrets.token_hex(8))
        rebuilt = {i.name: i.container for i in await builder.images(await builder.inputs())}
        node = builder.workshop.survey.project.build_image
        jobs = [partial(compared, n, one, rebuilt[n], node) for n, (_, one) in published.items()]
        found = await side_by_side(lambda job: job(), jobs)
    return _told(found, held)


def _as_then(survey: Survey, held: dict[str, HeldImage]) -> Survey:
    """The project with the very base images that the release began with."""
    for image in held.values():
        try:
            inputs = Inputs.of(image.labels)
        except ValueError as error:
            raise SlipwayError(f"{image.repository}@{image.digest}: {error}") from None
        if inputs and BASE in inputs.parts:
            base = inputs.parts[BASE]
            build = inputs.parts.get(BUILD_IMAGE, base)
            return replace(survey, project=replace(survey.project, image=base, build_image=build))
    return survey


def _told(found: list[Comparison], held: dict[str, HeldImage]) -> str:
    text = "\n".join(f"{one.text()}\n  published as {held[one.name].digest}" for one in found)
    if all(one.same for one in found):
        return text
    raise SlipwayError(f"not every image came out the same:\n{text}")

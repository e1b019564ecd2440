"""`reproduce`: whether a published release can be made again from its commit."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from slipway.builder import Builder
from slipway.checkout import surveyed
from slipway.errors import SlipwayError
from slipway.evaluation import side_by_side
from slipway.given import Given
from slipway.inputs import BASE, BUILD_IMAGE, Inputs, differing
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
        measured = await builder.inputs()
        then = {name: _inputs(image) or measured[name] for name, image in held.items()}
        rebuilt = {i.name: i.container for i in await _like(builder, held).images(then)}
        node = builder.workshop.survey.project.build_image
        jobs = [partial(compared, n, one, rebuilt[n], node) for n, (_, one) in published.items()]
        found = await side_by_side(lambda job: job(), jobs)
    made = {name: differing(then[name], measured[name]) for name in held}
    return _told(survey, found, held, made)


def _inputs(image: HeldImage) -> Inputs | None:
    """What a published image says that it was made of.

    Raises:
        SlipwayError: That is not true.
    """
    try:
        return Inputs.of(image.labels)
    except ValueError as error:
        raise SlipwayError(f"{image.address}: {error}") from None


def _like(builder: Builder, held: Mapping[str, HeldImage]) -> Builder:
    """The builder, with the labels that the release has: a fork's address is no other image."""
    labels = next(iter(held.values())).labels
    return replace(
        builder, labels={name: labels.get(name, v) for name, v in builder.labels.items()}
    )


def _as_then(survey: Survey, held: Mapping[str, HeldImage]) -> Survey:
    """The project with the very base images that the release began with."""
    for image in held.values():
        inputs = _inputs(image)
        if inputs and BASE in inputs.parts:
            base = inputs.parts[BASE]
            build = inputs.parts.get(BUILD_IMAGE, base)
            return replace(survey, project=replace(survey.project, image=base, build_image=build))
    return survey


def _told(
    survey: Survey,
    found: Sequence[Comparison],
    held: Mapping[str, HeldImage],
    made: Mapping[str, tuple[list[str], list[str]]],
) -> str:
    """The comparisons, and what else is to be known of each image.

    Raises:
        SlipwayError: An image came out otherwise, or is made of something else now; the same text.
    """
    dockerfiles = {app.name for app in survey.project.apps if app.dockerfile}
    lines = []
    for one in found:
        inside, outside = made[one.name]
        lines += [one.text(), f"  published as {held[one.name].digest}"]
        lines += [f"  made of something else now: {line}" for line in inside]
        lines += [f"  made with something else now: {line}" for line in outside]
        if one.name in dockerfiles:
            lines.append("  not proved: steps of its Dockerfile may come from the engine's cache")
    text = "\n".join(lines)
    if all(one.same for one in found) and not any(inside for inside, _ in made.values()):
        return text
    raise SlipwayError(f"not every image came out the same:\n{text}")

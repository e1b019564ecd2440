"""`publish`: every image in the registry, built and pushed where it lacks it."""

import json
import time

import dagger
from dagger import dag

from slipway.checkout import surveyed
from slipway.given import Given
from slipway.inputs import Inputs
from slipway.labels import SOURCE
from slipway.publication import requested
from slipway.publish import Publisher
from slipway.published import text
from slipway.release import Release
from slipway.runtime import Made

from .making import builder_of, labels_of, publisher_of


async def publish(given: Given, env: str, *, force: bool) -> str:
    """Push what the registry lacks by a tag that stays, then move the environment's tag.

    Args:
        given: What the caller gives.
        env: The environment.
        force: To production, whatever the checkout's state.

    Returns:
        The report.
    """
    since = time.time()
    survey = await surveyed(given.ws, given.config, given.version)
    labels, builder = labels_of(given), builder_of(given, survey, env)
    publisher = publisher_of(given, survey, env, force=force)
    inputs = await builder.inputs()
    published = await publisher.publish(
        await publisher.look(inputs), lambda: builder.images(inputs)
    )
    version, source = labels.version_of(survey), labels.of(survey)[SOURCE]
    file = published.file(survey.project, version=version, source=source)
    return text(published, file, survey.project, since)


async def publish_release(release: Release, *, force: bool) -> dagger.Directory:
    """Publish the images of a release that was put together before.

    Args:
        release: The release.
        force: To production, whatever the checkout's state.

    Returns:
        release.json, the report and the bills of materials.
    """
    since = time.time()
    request = requested(release.request, force=force)
    survey = await surveyed(release.ws, release.config, request.version)
    publisher = Publisher(survey, release.ws, request, release.registry_password)
    look = await publisher.look({i.name: Inputs(json.loads(i.inputs)) for i in release.images})

    async def images() -> list[Made]:
        return [Made(i.name, i.container, checks=tuple(i.checks)) for i in release.images]

    published = await publisher.publish(look, images, bills=True)
    file = published.file(survey.project, version=release.version, source=release.source)
    shown = published.report(survey.project, since=since, now=time.time())
    files = dag.directory().with_new_file("release.json", file.json_text())
    files = files.with_new_file("report.txt", shown + "\n")
    for name, bill in published.sboms.items():
        files = files.with_file(file.images[name].sbom or name, bill, permissions=0o644)
    return files

"""`publish`: every image built and pushed."""

import time

from slipway.checkout import surveyed
from slipway.given import Given
from slipway.labels import SOURCE, VERSION
from slipway.publish import text

from .making import labels_of, publisher_of


async def publish(given: Given, env: str, *, force: bool) -> str:
    """Push every image by an immutable tag, then move the environment's tag.

    Args:
        given: What the caller gives.
        env: The environment.
        force: To production, whatever the checkout's state.

    Returns:
        The report.
    """
    since = time.time()
    survey = await surveyed(given.ws, given.config, given.version)
    labels = labels_of(given, survey)
    images, publisher = await publisher_of(given, survey, env, force=force)
    published = await publisher.publish(images)
    file = published.file(survey.project, version=labels[VERSION], source=labels[SOURCE])
    return text(published, file, survey.project, since)

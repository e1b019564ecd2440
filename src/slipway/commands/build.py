"""`build`: every image, and a report of it."""

import time

from slipway import report
from slipway.evaluation import evaluate
from slipway.given import Given
from slipway.labels import REVISION, notes
from slipway.survey import take

from .making import builder_of, labels_of


async def build(given: Given, env: str, api_url: str | None) -> str:
    """Build every image.

    Args:
        given: What the caller gives.
        env: The environment.
        api_url: NEXT_PUBLIC_API_URL, instead of the environment's.

    Returns:
        The report.
    """
    since = time.time()
    survey = await take(given.ws, given.config)
    labels, builder = labels_of(given), builder_of(given, survey, env, api_url)
    images = await builder.images(await builder.inputs())
    facts, steps = await evaluate(images, node=survey.project.build_image)
    return report.render(
        title=f"{survey.project.name}, {env}, version {labels.version_of(survey)}, "
        f"revision {builder.labels[REVISION][:12]}",
        notes=notes(survey, builder.workshop.build_args),
        findings=() if survey.config else survey.project.findings,
        images=facts,
        steps=steps,
        since=since,
        now=time.time(),
    )

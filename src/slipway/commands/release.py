"""`release`: the images as an object to chain."""

import json

from slipway.checkout import surveyed
from slipway.given import Given
from slipway.inputs import Inputs
from slipway.labels import REVISION, SOURCE
from slipway.release import Image, Release
from slipway.runtime import Made
from slipway.survey import Survey

from .making import builder_of, labels_of, request_of


async def release(given: Given, env: str, api_url: str | None) -> Release:
    """Put the images of a checkout together.

    Args:
        given: What the caller gives.
        env: The environment.
        api_url: NEXT_PUBLIC_API_URL, instead of the environment's.

    Returns:
        The release; nothing is built yet.
    """
    survey = await surveyed(given.ws, given.config, given.version)
    builder = builder_of(given, survey, env, api_url)
    inputs = await builder.inputs()
    images = await builder.images(inputs)
    return Release(  # type: ignore[call-arg]
        project=survey.project.name,
        environment=env,
        version=labels_of(given).version_of(survey),
        revision=builder.labels[REVISION],
        source=builder.labels[SOURCE],
        images=[_image(made, inputs[made.name]) for made in images],
        ws=given.ws,
        config=given.config,
        request=request_of(given, survey, env, api_url=api_url).json_text(),
        node=survey.project.build_image,
        registry_password=given.registry_password,
        frontend_name=_only(survey, "frontend"),
        api_name=_only(survey, "api"),
    )


def _image(made: Made, inputs: Inputs) -> Image:
    return Image(  # type: ignore[call-arg]
        name=made.name,
        container=made.container,
        checks=list(made.checks),
        inputs=json.dumps(inputs.parts),
    )


def _only(survey: Survey, usual: str) -> str | None:
    """The app of the usual name, or the only one of its kind."""
    apps = survey.project.apps
    fitting = [app.name for app in apps if (app.kind == "next") == (usual == "frontend")]
    if usual in {app.name for app in apps}:
        return usual
    return fitting[0] if len(fitting) == 1 else None

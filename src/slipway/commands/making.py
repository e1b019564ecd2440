"""What the commands that build images share."""

from slipway.given import Given
from slipway.images import Images
from slipway.install import Installation
from slipway.labels import Labels
from slipway.monorepo import Workshop
from slipway.publication import Request
from slipway.publish import Publisher
from slipway.runtime import Made, Runtime
from slipway.survey import Survey


def labels_of(given: Given, survey: Survey) -> dict[str, str]:
    """The labels of the images of a checkout."""
    return Labels(given.revision, given.version, given.source).of(survey)


def workshop_of(given: Given, survey: Survey, env: str, api_url: str | None = None) -> Workshop:
    """The build containers for one environment.

    Args:
        given: What the caller gives.
        survey: The checkout.
        env: The environment's name.
        api_url: NEXT_PUBLIC_API_URL, instead of the environment's.
    """
    environment = survey.project.environment(env)
    values = dict(environment.build_args)
    if url := api_url or environment.api_url:
        values["NEXT_PUBLIC_API_URL"] = url
    return Workshop(Installation(given.ws, survey, given.npmrc), values)


async def images_of(given: Given, survey: Survey, workshop: Workshop) -> list[Made]:
    """Every image of a checkout; nothing is built yet."""
    return await Images(await Runtime.prepared(workshop, labels_of(given, survey))).all()


def request_of(given: Given, env: str, images: list[Made], *, force: bool = False) -> Request:
    """What is asked of a publish."""
    return Request(
        environment=env,
        images=tuple(made.name for made in images),
        registry=given.registry,
        user=given.registry_user,
        password=given.registry_password is not None,
        revision=given.revision,
        version=given.version,
        force=force,
    )


async def publisher_of(
    given: Given, survey: Survey, env: str, *, force: bool
) -> tuple[list[Made], Publisher]:
    """The images of a checkout, and what pushes them."""
    images = await images_of(given, survey, workshop_of(given, survey, env))
    request = request_of(given, env, images, force=force)
    return images, Publisher(survey, given.ws, request, given.registry_password)

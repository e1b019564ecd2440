"""What the commands that build images share."""

from slipway.builder import Builder
from slipway.given import Given
from slipway.install import Installation
from slipway.labels import Labels
from slipway.monorepo import Workshop
from slipway.publication import Request
from slipway.publish import Publisher
from slipway.survey import Survey


def labels_of(given: Given) -> Labels:
    """What the caller says of a release."""
    return Labels(given.revision, given.version, given.source)


def builder_of(
    given: Given, survey: Survey, env: str, api_url: str | None = None, *, fresh: str = ""
) -> Builder:
    """What describes the images for one environment.

    Args:
        given: What the caller gives.
        survey: The checkout.
        env: The environment's name.
        api_url: NEXT_PUBLIC_API_URL, instead of the environment's.
        fresh: Names a run that is to use nothing of an earlier one; empty for a build as usual.
    """
    environment = survey.project.environment(env)
    values = dict(environment.build_args)
    if url := api_url or environment.api_url:
        values["NEXT_PUBLIC_API_URL"] = url
    workshop = Workshop(Installation(given.ws, survey, given.npmrc, fresh), values, given.next_key)
    return Builder(workshop, labels_of(given).of(survey))


def request_of(
    given: Given, survey: Survey, env: str, *, force: bool = False, api_url: str | None = None
) -> Request:
    """What is asked of a publish."""
    return Request(
        environment=env,
        images=survey.project.images,
        registry=given.registry,
        user=given.registry_user,
        password=given.registry_password is not None,
        revision=given.revision,
        version=given.version,
        force=force,
        who=given.actor or "",
        job=given.job or "",
        api_url=api_url,
    )


def publisher_of(given: Given, survey: Survey, env: str, *, force: bool) -> Publisher:
    """What publishes a checkout's images."""
    request = request_of(given, survey, env, force=force)
    return Publisher(survey, given.ws, request, given.registry_password)

"""`deploy` and `plan`: a release on its server, or what that would do."""

from slipway.given import Given
from slipway.progress import progress, show
from slipway.verify import verify

from .making import publisher_of
from .serving import delivery_to


async def deploy(given: Given, env: str, *, force: bool) -> str:
    """Verify, build, publish, migrate and cut over.

    Args:
        given: What the caller gives.
        env: The environment.
        force: To production, whatever the checkout's state.

    Returns:
        The report.
    """
    with progress(show, given.job) as say:
        delivery = await delivery_to(given, env)
        say("verify")
        (await verify(given.ws, given.config, given.npmrc)).raise_failures()
        say("build and publish")
        images, publisher = await publisher_of(given, delivery.survey, env, force=force)
        deployment = await delivery.of(await publisher.publish(images))
        return await deployment.deploy(say)


async def plan(given: Given, env: str, *, force: bool) -> str:
    """What `deploy` would do on the server.

    Args:
        given: What the caller gives.
        env: The environment.
        force: To production, whatever the checkout's state.

    Returns:
        The steps.
    """
    delivery = await delivery_to(given, env)
    images, publisher = await publisher_of(given, delivery.survey, env, force=force)
    deployment = await delivery.of(await publisher.planned(images))
    return await deployment.plan()

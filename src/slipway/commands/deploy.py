"""`deploy` and `plan`: a release on its server, or what that would do."""

from collections.abc import Awaitable, Sequence

from slipway.given import Given
from slipway.progress import progress, show
from slipway.publish import standing
from slipway.runtime import Made
from slipway.verify import verify

from .making import builder_of, publisher_of
from .serving import delivery_to


async def deploy(given: Given, env: str, *, force: bool) -> str:
    """Verify, build, publish, migrate and cut over.

    Args:
        given: What the caller gives.
        env: The environment.
        force: To production, whatever the checkout's state; and although the release serves already.

    Returns:
        The report.
    """
    with progress(show, given.job) as say:
        delivery = await delivery_to(given, env)
        survey = delivery.survey
        builder = builder_of(given, survey, env)
        publisher = publisher_of(given, survey, env, force=force)
        say("look at the registry")
        inputs = await builder.inputs()
        look = await publisher.look(inputs)

        def images() -> Awaitable[Sequence[Made]]:
            return builder.images(inputs)

        if not look.missing and not force:
            say("look at the server")
            if told := await (await delivery.of(standing(look))).already(say):
                await publisher.publish(look, images)
                return told
        say("verify")
        (await verify(given.ws, given.config, given.npmrc)).raise_failures()
        say("build and publish" if look.missing else "publish")
        if not look.missing:
            say("  the registry has every image: nothing is built")
        deployment = await delivery.of(await publisher.publish(look, images))
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
    builder = builder_of(given, delivery.survey, env)
    publisher = publisher_of(given, delivery.survey, env, force=force)
    inputs = await builder.inputs()
    planned = await publisher.planned(await publisher.look(inputs), lambda: builder.images(inputs))
    deployment = await delivery.of(planned)
    return await deployment.plan()

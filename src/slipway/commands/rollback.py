"""`rollback`: a release that was on the server before."""

from slipway.given import Given
from slipway.progress import progress, show
from slipway.server.rollback import Rollback
from slipway.survey import take

from .serving import delivery_at


async def rollback(given: Given, env: str, to: str | None, *, force: bool) -> str:
    """Bring back an older release.

    Args:
        given: What the caller gives.
        env: The environment.
        to: The release's name or number; None for the one before.
        force: Although the database had migrations that it does not know.

    Returns:
        The report.
    """
    with progress(show, given.job) as say:
        survey = await take(given.ws, given.config)
        delivery, keep = delivery_at(given, survey), survey.project.environment(env).keep
        operator, login = await delivery.operator(env), await delivery.login()
        masked = await delivery.mask()
        return await Rollback(operator, to, force, login, keep, masked).run(say)

"""`setup`: a bare server prepared."""

from slipway.given import Given
from slipway.progress import progress, show
from slipway.setup.inputs import Inputs, wanted
from slipway.setup.setup import Setup
from slipway.survey import take

from .serving import delivery_at


async def setup(given: Given, env: str, inputs: Inputs, *, dry_run: bool) -> str:
    """Prepare an environment's server.

    Args:
        given: What the caller gives.
        env: The environment.
        inputs: What only a setup is given.
        dry_run: Only tell what would be changed.

    Returns:
        The report.
    """
    with progress(show, given.job) as say:
        survey = await take(given.ws, given.config)
        operator = await delivery_at(given, survey).operator(env)
        made = await wanted(operator, survey.project.environment(env), inputs)
        return await Setup(made, dry_run).run(say)

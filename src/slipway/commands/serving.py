"""What the commands that talk to a server share."""

from slipway.checkout import surveyed
from slipway.delivery import Access, Delivery
from slipway.given import Given
from slipway.server.operator import Operator
from slipway.survey import Survey, take


def delivery_at(given: Given, survey: Survey) -> Delivery:
    """A delivery of a checkout."""
    access = Access(
        ssh_key=given.ssh_key,
        api_env=given.api_env,
        db_env=given.db_env,
        registry=given.registry,
        registry_user=given.registry_user,
        registry_password=given.registry_password,
        pull_user=given.pull_user,
        pull_password=given.pull_password,
        source=given.source,
        who=given.actor,
        job=given.job,
    )
    return Delivery(survey, given.ws, access)


async def delivery_to(given: Given, env: str) -> Delivery:
    """A delivery that has all it needs, told before anything is built."""
    delivery = delivery_at(given, await surveyed(given.ws, given.config, given.version))
    delivery.require(env)
    return delivery


async def operator_of(given: Given, env: str) -> Operator:
    """Who works on an environment's server."""
    return await delivery_at(given, await take(given.ws, given.config)).operator(env)

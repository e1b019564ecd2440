"""`status`, `doctor`, `logs` and `unlock`: looks at a server that change no release."""

from slipway.given import Given
from slipway.progress import show
from slipway.server import status as serving
from slipway.server import unlock as locked
from slipway.server.logs import Wanted
from slipway.server.logs import logs as printed
from slipway.server.overview import overview
from slipway.survey import take

from .serving import delivery_at, operator_of


async def status(given: Given, env: str) -> str:
    """What serves in an environment."""
    return serving.render(await overview(await operator_of(given, env)))


async def doctor(given: Given, env: str) -> str:
    """What a deploy to an environment would fail at before it begins."""
    return await delivery_at(given, await take(given.ws, given.config)).doctor(env)


async def logs(given: Given, env: str, wanted: Wanted) -> str:
    """What an app of an environment printed."""
    delivery = delivery_at(given, await take(given.ws, given.config))
    masked = await delivery.mask()
    return await printed(await delivery.operator(env), wanted, show, masked)


async def unlock(given: Given, env: str) -> str:
    """Free the lock of an environment."""
    return await locked.unlock(await operator_of(given, env))

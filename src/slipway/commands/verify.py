"""`verify` and the checks that are parts of it: lint, types and tests."""

from slipway.given import Given
from slipway.verify import verify as verified


async def verify(given: Given) -> str:
    """Verify everything.

    Args:
        given: What the caller gives.

    Returns:
        The report.
    """
    found = await verified(given.ws, given.config, given.npmrc)
    found.raise_failures()
    return found.text()


async def verify_frontends(given: Given) -> None:
    """Verify the front ends, and the shared packages that they use."""
    found = await verified(
        given.ws, given.config, given.npmrc, wanted=lambda app: app.kind == "next"
    )
    found.raise_failures()


async def verify_others(given: Given) -> None:
    """Verify the other apps, and the shared packages that they use."""
    found = await verified(
        given.ws, given.config, given.npmrc, wanted=lambda app: app.kind != "next"
    )
    found.raise_failures()

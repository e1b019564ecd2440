"""The files of the checkout that a step gets."""

import pytest

from slipway.checkout import surveyed
from slipway.install import Installation
from tests.slipway.checkouts import Checkout

pytestmark = pytest.mark.engine


async def installation(checkout: Checkout) -> Installation:
    """The installation of a small repo with a source in an app, and another that Git ignores."""
    for name in ("src/main.ts", "prisma/schema.prisma", "debug.log"):
        file = checkout.folder / "apps/one" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    ws = checkout.dag.current_workspace()
    return Installation(ws, await surveyed(ws, "slipway.toml", None))


@pytest.mark.parametrize(
    ("include", "found"),
    [
        (("package.json", "prisma/**"), ["package.json", "prisma/schema.prisma"]),
        (("**/*.ts",), ["src/main.ts"]),
        (("*.log",), []),
        (("no-such-file",), []),
    ],
)
async def test_nothing_is_read_but_what_is_to_be_included(
    checkout: Checkout, include: tuple[str, ...], found: list[str]
) -> None:
    """An edit of a source is none of Prisma's files; what Git ignores is not there at all."""
    files = (await installation(checkout)).sources("apps/one", include=include)
    assert [name for name in await files.glob("**") if not name.endswith("/")] == found


async def test_without_patterns_everything_is_read(checkout: Checkout) -> None:
    """Less what is excluded, and what Git ignores."""
    files = (await installation(checkout)).sources("apps/one", exclude=("src",))
    found = [name for name in await files.glob("**") if not name.endswith("/")]
    assert found == ["Dockerfile", "package.json", "prisma/schema.prisma"]

"""A site alone: other folder names, scoped packages, versions in a catalog, no API, no Prisma, no slipway.toml."""

from pathlib import Path

import dagger
import pytest

from tests.consumers.repos import built, clone, detected, exported, get, verified
from tests.e2e.example import Monorepo

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def lumen(tmp_path_factory: pytest.TempPathFactory) -> Monorepo:
    """The repository."""
    return clone("lumen", tmp_path_factory.mktemp("lumen"))


def test_what_was_found_is_said(lumen: Monorepo) -> None:
    """From a folder far below the root too; one image, no migrator."""
    report = Monorepo(lumen.path / "libs/prose").call("build").stdout
    assert report.startswith("monorepo, staging, version ")
    assert detected(report) == [
        ["name", "monorepo", "package.json"],
        ["node", "22", '.nvmrc "v22.12.0"'],
        ["pnpm", "10.34.9", "packageManager"],
        ["frontend", "sites/handbook", "depends on next"],
    ]
    assert built(report) == ["frontend"]


async def test_the_site_answers(dag: dagger.Client, lumen: Monorepo, tmp_path: Path) -> None:
    """Pages with the shared package's sources compiled in, and routes."""
    with exported(lumen, dag, tmp_path / "out") as images:
        image = images["frontend"]
        assert await image.user() == "1000:1000"
        site = image.with_exposed_port(3000).as_service()
        address = await site.endpoint(scheme="http")
        assert "Reading time: 3 min" in get(address)
        assert get(f"{address}/api/health") == '{"status":"ok"}'
        await site.stop()


def test_everything_is_verified_by_the_scripts_that_are_there(lumen: Monorepo) -> None:
    """`check-types`, a `vitest` that would watch on a terminal; what there is none of is told."""
    report = lumen.call("verify").stdout
    assert detected(report)[-1] == ["frontend", "sites/handbook", "depends on next"]
    assert "frontend has no unit" in report
    assert verified(report) == [
        ["@lumen/prose", "lint", "passed"],
        ["@lumen/prose", "types", "passed"],
        ["@lumen/prose", "unit", "passed"],
        ["frontend", "lint", "passed"],
        ["frontend", "types", "passed"],
    ]

"""Two front ends that share React components, an API in services/, a Dockerfile that was there before."""

import json
from pathlib import Path

import dagger
import pytest

from tests.consumers.repos import built, clone, detected, exported, get, post, verified
from tests.e2e.example import Monorepo

pytestmark = pytest.mark.engine

URL = "postgresql://postgres:pass@db:5432/postgres"


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Monorepo:
    """The repository with a slipway.toml, which names the app that its own Dockerfile builds."""
    return clone("harbour", tmp_path_factory.mktemp("harbour"))


def test_without_a_config_all_that_can_be_told_is(tmp_path: Path) -> None:
    """Every app by its folder's name, and a Dockerfile that is left alone."""
    report = clone("harbour", tmp_path, config=False).call("build").stdout
    assert report.startswith("harbour, staging, version 2.4.0, ")
    assert detected(report) == [
        ["name", "harbour", "package.json"],
        ["node", "22", 'package.json engines.node ">=22"'],
        ["pnpm", "10.34.9", "packageManager"],
        ["backoffice", "apps/backoffice", "depends on next; its Dockerfile is not used"],
        ["storefront", "apps/storefront", "depends on next"],
        ["api", "services/api", "depends on @nestjs/core"],
        ["migrator", "services/api", "Prisma's prisma/schema.prisma"],
    ]
    assert built(report) == ["backoffice", "storefront", "api", "migrator"]


async def test_every_image_does_its_work(
    dag: dagger.Client, harbour: Monorepo, tmp_path: Path
) -> None:
    """The migrator migrates, the API stores, both front ends show what they share."""
    with exported(harbour, dag, tmp_path / "out") as made:
        assert sorted(made) == ["api", "backoffice", "migrator", "storefront"]
        database = (
            dag.container()
            .from_("postgres:17")
            .with_env_variable("POSTGRES_PASSWORD", "pass")
            .with_exposed_port(5432)
            .as_service()
        )
        url = dag.set_secret("postgres-url", URL)

        def with_database(name: str) -> dagger.Container:
            bound = made[name].with_service_binding("db", database)
            return bound.with_secret_variable("POSTGRES_URL", url)

        await with_database("migrator").with_exec([], use_entrypoint=True).sync()
        services = {
            "api": with_database("api").with_exposed_port(4000).as_service(),
            "storefront": made["storefront"].with_exposed_port(3000).as_service(),
            "backoffice": made["backoffice"].with_exposed_port(3100).as_service(),
        }
        at = {name: await service.endpoint(scheme="http") for name, service in services.items()}
        order = post(f"{at['api']}/api/orders", {"berth": "7"})
        assert json.loads(get(f"{at['api']}/api/orders")) == [order]
        shop = get(at["storefront"])
        assert "https://orders.staging.harbour.example" in shop
        for page in (shop, get(at["backoffice"])):
            assert 'aria-expanded="false"' in page
        for service in (*services.values(), database):
            await service.stop()


def test_an_image_goes_by_its_name_where_none_is_the_front_end(harbour: Monorepo) -> None:
    """Never a silent nothing: an export of it would write no file, and count as done."""
    assert harbour.call("release", "image", "--name", "storefront", "user").stdout == "1000:1000"
    done = harbour.call("-q", "release", "frontend", "export", "--path", "x.tar", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no front end, or more than one" in done.stderr
    assert "api, backoffice, storefront, migrator" in done.stderr
    assert not (harbour.path / "x.tar").exists()


def test_everything_is_verified(harbour: Monorepo) -> None:
    """Settings in packages of their own, vitest and jest, e2e tests on a database under another name."""
    assert verified(harbour.call("verify").stdout) == [
        *[["@harbour/ui", step, "passed"] for step in ("lint", "types", "unit")],
        *[["api", step, "passed"] for step in ("lint", "types", "unit", "e2e")],
        *[["backoffice", step, "passed"] for step in ("lint", "types")],
        *[["storefront", step, "passed"] for step in ("lint", "types")],
    ]

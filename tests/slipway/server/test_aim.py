"""A target from project, release and secrets: what fits together, and everything that does not."""

from typing import Any

import pytest

from slipway.config import EnvironmentConfig, ServerConfig
from slipway.errors import ConfigError
from slipway.prisma import PrismaProject
from slipway.project import App, Migrator, Project
from slipway.server import aim, files
from slipway.server.aim import Secrets
from slipway.server.target import Target

WEB = App("frontend", "apps/web", "next", 3000)
API = App("api", "apps/api", "nest", 3001, health="/health")
IMAGES = {name: f"registry.example/{name}@sha256:1" for name in ("frontend", "api", "migrator")}
URL = "postgresql://app:p%40ss%24@db:5432/shop"
STAGING = EnvironmentConfig(url="https://example.org", api_url="https://api.example.org")


def make(
    settings: EnvironmentConfig = STAGING,
    api_env: str | None = f"DATABASE_URL={URL}",
    **changes: Any,
) -> Target:
    """The target of a small project."""
    name = changes.get("environment", "staging")
    project = Project(
        "shop",
        "node",
        "node",
        "10",
        changes.get("apps", (WEB, API)),
        migrator=Migrator(
            PrismaProject(
                "apps/api", "prisma/schema.prisma", addresses=changes.get("addresses", ())
            )
        ),
        environments={name: settings},
    )
    secrets = Secrets(api_env, changes.get("db_env"))
    images = changes.get("images", IMAGES)
    return aim.target(project, name, images, secrets, identifier="v1")


def problems(*arguments: Any, **changes: Any) -> tuple[str, ...]:
    """What is wrong."""
    with pytest.raises(ConfigError) as caught:
        make(*arguments, **changes)
    return caught.value.problems


def test_the_api_goes_first_and_each_app_has_its_address() -> None:
    """Both are on the site's network; only the API gets the secrets."""
    api, web = make().apps
    assert (api.name, api.routing.rule, api.health) == ("api", "Host(`api.example.org`)", "/health")
    assert (web.name, web.routing.rule) == ("frontend", "Host(`example.org`)")
    assert api.internal
    assert web.internal
    assert api.env == {"DATABASE_URL": URL}
    assert not web.env


def test_the_database_is_the_one_at_the_address_that_prisma_reads() -> None:
    """Whatever its variable is called; further addresses of Prisma's own are not it."""
    addresses = ("DIRECT_URL", "POSTGRES_URL")
    database = make(api_env=f"POSTGRES_URL={URL}", addresses=addresses).database
    assert database
    assert database.env["POSTGRES_PASSWORD"] == "p@ss$"
    assert problems(addresses=addresses) == (
        "api_env: no POSTGRES_URL; expected postgresql://USER:PASSWORD@db:5432/NAME",
    )


def test_on_one_host_the_longer_path_goes_above() -> None:
    """Whatever the numbers of their releases."""
    shared = EnvironmentConfig(url="https://example.org", api_url="https://example.org/api")
    api, web = make(shared).apps
    assert api.routing.rule == "Host(`example.org`) && (Path(`/api`) || PathPrefix(`/api/`))"
    assert api.band > web.band


@pytest.mark.parametrize(("resolver", "said"), [("acme", ["acme"]), (None, [])])
def test_a_router_names_the_resolver_of_its_certificate(
    resolver: str | None, said: list[str]
) -> None:
    """The entry point's own is not for routers that have a TLS section."""
    server = ServerConfig(host="192.0.2.1", cert_resolver=resolver)
    made = make(STAGING.model_copy(update={"server": server}))
    (service,) = files.app(made, made.apps[0], 7).services.values()
    labels = dict(label.split("=", 1) for label in service.labels)
    assert [value for key, value in labels.items() if key.endswith(".tls.certresolver")] == said
    assert labels["traefik.http.routers.shop--staging--api--7.tls"] == "true"


def test_the_databases_password_is_the_urls_decoded() -> None:
    """Kept encoded in the URL."""
    database = make().database
    assert database
    assert database.host == "db"
    assert database.env["POSTGRES_PASSWORD"] == "p@ss$"
    assert (database.user, database.name) == ("app", "shop")


def test_a_database_elsewhere_is_left_alone() -> None:
    """A name with a dot is no container of ours."""
    made = make(api_env="DATABASE_URL=postgresql://a:b@db.provider.example/shop")
    assert made.database is None
    assert made.migration


def test_everything_that_is_missing_is_told_at_once() -> None:
    """Addresses, images, the database's address."""
    assert problems(EnvironmentConfig(), api_env="", images={}) == (
        "api_env: no DATABASE_URL; expected postgresql://USER:PASSWORD@db:5432/NAME",
        "the release has no image api",
        "environments.staging.api_url: missing; the public address of api",
        "the release has no image frontend",
        "environments.staging.url: missing; the public address of frontend",
        "the release has no image migrator",
    )


def test_db_env_has_to_fit_the_url() -> None:
    """And no value of either is shown."""
    found = problems(db_env="POSTGRES_PASSWORD=other\nPOSTGRES_DB=shop")
    assert found == ("db_env: POSTGRES_PASSWORD is not the password in api_env's DATABASE_URL",)


def test_a_password_that_no_process_can_have_is_refused() -> None:
    """A NUL in the URL, percent-encoded."""
    (found,) = problems(api_env="DATABASE_URL=postgresql://app:secret%00@db:5432/shop")
    assert found == "api_env: DATABASE_URL: POSTGRES_PASSWORD: holds a NUL character"


def test_the_containers_own_loopback_is_no_database() -> None:
    """A URL from a developer's machine."""
    (found,) = problems(api_env="DATABASE_URL=postgresql://a:b@localhost:5432/shop")
    assert "localhost" in found


@pytest.mark.parametrize(
    ("name", "said"),
    [("prod", None), ("prod", False), ("production", False), ("live", True), ("staging", True)],
)
def test_production_is_never_seeded(name: str, said: bool | None) -> None:
    """Whatever the config says; with the key to remove."""
    settings = STAGING.model_copy(update={"seed": True, "production": said})
    assert problems(settings, environment=name) == (
        f"environments.{name}.seed: true — production is never seeded; remove it",
    )


@pytest.mark.parametrize("name", ["prod-eu", "shop_production", "pre-prod", "eu.prod"])
def test_what_is_called_like_production_is_seeded_only_where_it_says_that_it_is_none(
    name: str,
) -> None:
    """A forgotten `production = true` would cost the data."""
    settings = STAGING.model_copy(update={"seed": True})
    (found,) = problems(settings, environment=name)
    assert found == (
        f"environments.{name}.seed: true — the name says production, which is never seeded; "
        "remove it, or set production = false"
    )
    assert make(settings.model_copy(update={"production": False}), environment=name).migration


@pytest.mark.parametrize("name", ["staging", "product", "reproduction-1"])
def test_any_other_environment_is_seeded_where_the_config_says_so(name: str) -> None:
    """And not otherwise."""
    seeded = make(STAGING.model_copy(update={"seed": True}), environment=name)
    assert seeded.migration
    assert seeded.migration.seed
    plain = make(environment=name)
    assert plain.migration
    assert not plain.migration.seed


@pytest.mark.parametrize(("name", "said", "dumps"), [("prod", False, 7), ("staging", None, 0)])
def test_production_is_dumped_before_it_is_migrated(
    name: str, said: bool | None, dumps: int
) -> None:
    """By what it is called, as for the seed."""
    database = make(STAGING.model_copy(update={"production": said}), environment=name).database
    assert database
    assert database.keep_dumps == dumps


def test_two_front_ends_need_addresses_by_name() -> None:
    """One key cannot serve both."""
    admin = App("admin", "apps/admin", "next", 3000)
    images = {**IMAGES, "admin": "registry.example/admin@sha256:1"}
    found = problems(apps=(WEB, admin, API), images=images)
    assert found == (
        "environments.staging.urls.frontend: missing; the public address of frontend",
        "environments.staging.urls.admin: missing; the public address of admin",
    )

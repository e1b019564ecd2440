"""Plans: a situation on the server in, the exact steps out. One file in `cases` for each situation."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway.errors import ConfigError
from slipway.server import files, inventory, rollout, situation, steps
from slipway.server.names import Site
from slipway.server.rollback import choose
from slipway.server.target import AppRelease, Database, Migration, Routing, Target
from slipway.server.targetfile import TargetFile

CASES = sorted((Path(__file__).parent / "cases").glob("*.toml"))
REGISTRY = "registry.example/team/app"
API = AppRelease(
    "api",
    f"{REGISTRY}/api@sha256:a2",
    3001,
    Routing("api.example.org"),
    "/health",
    2,
    env={"DATABASE_URL": "postgresql://app:p$w@db:5432/app"},
    internal=True,
)
WEB = AppRelease(
    "frontend",
    f"{REGISTRY}/frontend@sha256:f2",
    3000,
    Routing("example.org"),
    "/healthz",
    1,
    internal=True,
)
SITE = Site("app", "prod")
DATABASE = Database("postgres:17", "db", {"POSTGRES_PASSWORD": "p$w", "POSTGRES_DB": "app"})


def target(**changes: Any) -> Target:
    """The second release of the example for an environment."""
    environment = changes.get("environment", "prod")
    migration = Migration(
        f"{REGISTRY}/migrator@sha256:c2", API.env, seed=changes.get("seed", False)
    )
    # Whether there is a database on the server; else where it is, if there is one.
    database = changes.get("database", True)
    managed = database if isinstance(database, str) else ""
    dumped = replace(DATABASE, keep_dumps=changes.get("keep_dumps", 0))
    return Target(
        Site("app", environment),
        "v2",
        tuple(replace(app, internal=not managed) for app in (API, WEB)),
        database=dumped if database and not managed else None,
        migration=migration if database else None,
        keep=changes.get("keep", 5),
        managed=managed,
    )


def kept(
    sequence: int,
    identifier: str,
    *,
    completed: bool = True,
    migrations: list[str] | None = None,
    origin: int = 0,
    migrated: bool = True,
) -> situation.Kept:
    """A release on the server; with `migrations` it tells what it is made of, and has migrated."""
    file = None
    if migrations is not None:
        image = f"{REGISTRY}/api@sha256:{identifier}"
        made = replace(
            target(),
            identifier=identifier,
            apps=(replace(API, image=image),),
            migrations=tuple(migrations),
        )
        file = TargetFile.of(made, origin or sequence)
    return situation.Kept(sequence, identifier, completed, migrated and file is not None, file)


def planned(case: dict[str, Any]) -> str:
    """The plan of a case, or why there is none."""
    situated, wanted = found(case), case.get("rollback")
    if wanted is None:
        return steps.written(rollout.deploy(target(**case.get("target", {})), situated))
    try:
        chosen = choose(situated, wanted.get("to"), force=wanted.get("force", False))
    except ConfigError as error:
        return f"refused: {error.problems[0]}"
    assert chosen.target
    return steps.written(rollout.rollback(chosen.target.target(SITE), situated, chosen))


def found(case: dict[str, Any]) -> situation.Situation:
    """The situation of a case; a database is that of `app--prod` where the case says no more of it."""
    database = None
    if told := case.get("database"):
        usual = {"name": "app--prod--database-db-1", "image": "postgres:17", "aliases": ["db"]}
        values = usual | {"project": SITE.database} | told
        groups = {"networks": frozenset(values["networks"]), "aliases": tuple(values["aliases"])}
        database = inventory.Database(**{**values, **groups})
    proxy = case.get("proxy", {"name": "proxy-traefik-1", "internal": True})
    return situation.Situation(
        tuple(situation.Container(**one) for one in case.get("containers", [])),
        tuple(kept(**one) for one in case.get("releases", [])),
        frozenset(case.get("images", [])),
        frozenset(case.get("volumes", [])),
        frozenset(case.get("networks", ["web"])),
        database=database,
        proxy=inventory.Proxy(**proxy),
        former=case.get("former", False),
    )


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_a_situation_gives_these_steps(file: Path) -> None:
    """No more, no less, in this order."""
    case = tomllib.loads(file.read_text())
    assert planned(case) == case["expected"].strip()


def test_the_compose_file_says_all_that_the_proxy_needs() -> None:
    """A router of the release's own, its priority above older releases, and the header that proves it."""
    plan = rollout.deploy(target(), situation.Situation(releases=(situation.Kept(6, "v1"),)))
    written = {
        step.title: step.text
        for stage in plan
        for step in stage.steps
        if isinstance(step, steps.Write)
    }
    file = yaml.safe_load(written["api.yaml"])
    assert file["name"] == "app--prod--api--7"
    service = file["services"]["app--prod--api--7"]
    labels = dict(label.split("=", 1) for label in service["labels"])
    assert labels["traefik.http.routers.app--prod--api--7.rule"] == "Host(`api.example.org`)"
    assert labels["traefik.http.routers.app--prod--api--7.priority"] == "2000007"
    header = (
        "traefik.http.middlewares.app--prod--api--7.headers.customresponseheaders.X-Slipway-Release"
    )
    assert labels[header] == "app--prod--api--7"
    assert service["healthcheck"]["test"][:5] == ["CMD", "env", "-u", "NODE_OPTIONS", "node"]
    assert service["networks"] == {"web": {}, "app--prod--internal": {}}


@pytest.mark.parametrize("proxy", [None, inventory.Proxy("edge", internal=False)])
def test_without_an_internal_entry_point_apps_get_no_address_of_each_other(
    proxy: inventory.Proxy | None,
) -> None:
    """No variable, no name that leads to the proxy, and no second router."""
    (service,) = files.app(target(), WEB, 7, proxy).services.values()
    assert service.environment == {"PORT": "3000", "HOSTNAME": "0.0.0.0"}  # noqa: S104 - a word
    assert service.external_links == ()
    assert not [label for label in service.labels if "internal" in label.partition("=")[0]]


def test_with_an_internal_entry_point_each_app_has_the_address_of_all() -> None:
    """By the proxy, also its own; for this container alone."""
    (service,) = files.app(
        target(), WEB, 7, inventory.Proxy("edge", internal=True)
    ).services.values()
    addresses = {key: one for key, one in service.environment.items() if key.startswith("SLIPWAY_")}
    assert addresses == {
        "SLIPWAY_API_URL": "http://api.app--prod.internal:8000",
        "SLIPWAY_FRONTEND_URL": "http://frontend.app--prod.internal:8000",
    }
    assert service.external_links == (
        "edge:api.app--prod.internal",
        "edge:frontend.app--prod.internal",
    )
    labels = dict(label.split("=", 1) for label in service.labels)
    router = "traefik.http.routers.app--prod--frontend--7--internal"
    assert labels[f"{router}.rule"] == "Host(`frontend.app--prod.internal`)"
    assert labels[f"{router}.entrypoints"] == "internal"
    assert f"{router}.tls" not in labels


def test_with_a_database_elsewhere_everything_is_on_the_proxys_network_alone() -> None:
    """The site's own leads nowhere: the migrator would not get out."""
    plan = rollout.deploy(target(database="db.provider.example"), situation.Situation())
    networks = [
        yaml.safe_load(step.text)["networks"]
        for stage in plan
        for step in stage.steps
        if isinstance(step, steps.Write) and step.path.endswith(".yaml")
    ]
    assert networks == [{"web": {"name": "web", "external": True}}] * 3


def test_the_database_that_slipway_0_1_started_keeps_its_project_and_its_volume() -> None:
    """Another project would start a second Postgres, another volume an empty one."""
    there = inventory.Database(
        "app-prod-database-db-1",
        "postgres:16",
        SITE.former_database,
        SITE.former_volume,
        frozenset({"internal"}),
    )
    volumes = frozenset({SITE.former_volume})
    plan = rollout.deploy(
        target(), situation.Situation(database=there, former=True, volumes=volumes)
    )
    (text,) = (
        step.text
        for stage in plan
        for step in stage.steps
        if isinstance(step, steps.Write) and step.title == "database.yaml"
    )
    file = yaml.safe_load(text)
    assert file["name"] == "app-prod-database"
    assert file["volumes"] == {"data": {"name": "db_data_prod", "external": True}}
    assert not [step for stage in plan for step in stage.steps if "volume create" in str(step)]


def test_a_secret_is_in_no_plan_and_in_no_compose_file() -> None:
    """Only in the env files, with a mode that nobody else can read from the first byte on."""
    plan = rollout.deploy(target(), situation.Situation())
    assert "p$w" not in steps.written(plan)
    writes = [step for stage in plan for step in stage.steps if isinstance(step, steps.Write)]
    assert {step.path.rpartition(".")[2] for step in writes if "p\\$w" in step.text} == {"env"}
    assert {step.mode for step in writes} == {0o600}


@pytest.mark.parametrize(
    ("any_answer", "condition"), [(False, "answer.ok"), (True, "answer.status < 500")]
)
def test_without_a_health_path_any_answer_of_the_app_will_do(
    any_answer: bool, condition: str
) -> None:
    """An API that has no route there answers 404: it listens."""
    api = replace(API, any_answer=any_answer)
    check = files.app(target(), api, 1).services["app--prod--api--1"].healthcheck
    assert check
    assert condition in check.test[-1]

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
    database = changes.get("database", True)
    return Target(
        Site("app", environment),
        "v2",
        (API, WEB),
        database=DATABASE if database else None,
        migration=migration if database else None,
        keep=changes.get("keep", 5),
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

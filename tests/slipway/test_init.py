"""What `init` writes for a repo: true, complete, and nothing over what is there."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ci.reference.schema import schema
from slipway import survey
from slipway.config import Config, StepsConfig
from slipway.configfile import load
from slipway.detect import attempt, project
from slipway.initfiles import Found, additions, environment, hides_env
from slipway.project import Project
from slipway.workspace import Monorepo
from tests.slipway.monorepos import NEST, NEXT, PRISMA, ROOT, SCHEMA, workspace

REPOSITORY = Path(__file__).parent.parent.parent
FOLDERS = [
    lockfile.parent
    for place in ("examples", "tests/consumers")
    for lockfile in sorted((REPOSITORY / place).glob("*/pnpm-lock.yaml"))
]
CONVENTIONAL = workspace(
    {".": ROOT, "apps/web.site": NEXT, "apps/api": PRISMA},
    files={"apps/api/prisma/schema.prisma": SCHEMA},
)
DOTTED = workspace({".": ROOT, "apps/web.site": NEXT, "apps/admin.ui": NEXT})
REFERENCES = {
    "SLIPWAY_REGISTRY": "${CI_REGISTRY_IMAGE:-}",
    "SLIPWAY_REGISTRYUSER": "${CI_REGISTRY_USER:-}",
    "SLIPWAY_REGISTRYPASSWORD": "env://CI_REGISTRY_PASSWORD",
    "SLIPWAY_REVISION": "${CI_COMMIT_SHA:-}",
    "SLIPWAY_VERSION": "${CI_COMMIT_TAG:-}",
    "SLIPWAY_SSHKEY": "env://SSH_PRIVATE_KEY",
    "SLIPWAY_APIENV": "env://API_ENV",
    "SLIPWAY_ACTOR": "${GITLAB_USER_LOGIN:-}",
    "SLIPWAY_JOB": "${CI_JOB_URL:-}",
}


def written(repo: Monorepo, *, hidden: bool = False, pipeline: str | None = None) -> dict[str, str]:
    """The files that `init` writes for a repo without a slipway.toml."""
    texts = {} if pipeline is None else {".gitlab-ci.yml": pipeline}
    found = Found(*attempt(repo, Config()), texts, hidden)
    return additions(found, slipway="tools/slipway", ref="v1.2.3")


def on_disk(folder: Path) -> Monorepo:
    """A workspace of this repository, as a survey sees it without a config."""
    names = frozenset(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "node_modules" not in path.parts
    )
    kinds = (".json", ".yaml", ".prisma", ".ts", ".nvmrc")
    texts = {name: (folder / name).read_text() for name in names if name.endswith(kinds)}
    return survey.monorepo(names, texts)


def plain(made: Project) -> Project:
    """A project without what only the user knows, how it came about, and in which order."""
    apps = tuple(sorted(made.apps, key=lambda app: app.name))
    steps = {path: said for path, said in made.steps.items() if said != StepsConfig()}
    return replace(made, findings=(), environments={}, apps=apps, steps=steps)


def uncommented(text: str) -> str:
    """The file with every detected value and every placeholder taken as it stands."""
    return re.sub(r"^# (?=\[|[a-z_]+ = )", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize(
    "repo",
    [CONVENTIONAL, DOTTED, *map(on_disk, FOLDERS)],
    ids=["conventional", "dotted", *(folder.name for folder in FOLDERS)],
)
def test_what_is_written_means_what_was_detected(repo: Monorepo) -> None:
    """As it stands, and with every comment taken as a value; staging and prod are there."""
    detected = project(repo, Config())
    text = written(repo)["slipway.toml"]
    for chosen in (text, uncommented(text)):
        config = load(chosen, packages=repo.packages, files=repo.files)
        assert plain(project(repo, config)) == plain(detected)
        assert list(config.environments) == ["staging", "prod"]
        jsonschema.validate(tomllib.loads(chosen), schema())
    assert 'name = "' in uncommented(text)


def test_what_is_detected_comes_with_its_reason() -> None:
    """And what only the user knows as a placeholder."""
    text = written(CONVENTIONAL)["slipway.toml"]
    for line in (
        '# name = "acme" # package.json',
        '# version = "22" # package.json engines.node ">=22.12 <23"',
        '# path = "apps/web.site" # depends on next',
        '# path = "apps/api" # Prisma\'s prisma/schema.prisma',
        '# api_url = "https://api.staging.example.com" # fill in: NEXT_PUBLIC_API_URL of frontend, fixed in its files',
    ):
        assert line in text.splitlines()


def test_what_cannot_be_told_is_asked_for() -> None:
    """The file loads all the same, and shows how to name an app."""
    repo = workspace({".": ROOT, "tools/cli": {"name": "cli"}})
    text = written(repo)["slipway.toml"]
    assert load(text).apps == {}
    assert "# - no app found: no workspace package depends on next" in text
    assert load(uncommented(text), packages=("apps/web",)).apps["web"].path == "apps/web"


def test_a_repo_without_a_front_end_is_asked_for_no_address() -> None:
    """Nothing would read it."""
    text = written(workspace({".": ROOT, "apps/api": NEST}))["slipway.toml"]
    assert "api_url" not in text
    assert list(load(text).environments) == ["staging", "prod"]


def test_an_env_file_holds_references_alone() -> None:
    """No value, whatever machine reads it."""
    lines = written(CONVENTIONAL)[".env"].splitlines()
    assert dict(line.split("=", 1) for line in lines if not line.startswith("#")) == REFERENCES


def test_an_env_file_keeps_its_lines_and_gets_those_it_lacks() -> None:
    """Also where its last line has no end; a second time there is nothing to add."""
    before = "A=1\nslipway_registry=registry.test/mine\n\nexport SLIPWAY_VERSION=2"
    after = environment(before)
    assert after.startswith(before + "\n")
    added = [
        line.partition("=")[0] for line in after.removeprefix(before).splitlines() if "=" in line
    ]
    there = {"SLIPWAY_REGISTRY", "SLIPWAY_VERSION"}
    assert added == [name for name in REFERENCES if name not in there]
    assert environment(after) == ""


@pytest.mark.parametrize(
    ("lines", "hidden"),
    [
        ("node_modules/", False),
        (".env", True),
        ("/.env", True),
        ("**/.env", True),
        (".env*", True),
        ("*.env", True),
        (".env.*", False),
        (".env/", False),
        ("# .env", False),
        (".env\n!.env.example", True),
        (".env*\n!/.env", False),
        ("!.env\n.env", True),
        ("  .env  ", True),
    ],
)
def test_whether_git_ignores_the_env_file(lines: str, *, hidden: bool) -> None:
    """The last pattern that fits it counts."""
    assert hides_env(lines.splitlines()) is hidden


def test_an_ignored_env_file_is_left_alone_and_the_job_has_the_references() -> None:
    """It may hold secrets, and GitLab would never see it."""
    files = written(CONVENTIONAL, hidden=True)
    assert sorted(files) == [".gitlab-ci.yml", "slipway.toml"]
    arguments = include(files[".gitlab-ci.yml"])["inputs"]["arguments"].split()
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    assert {
        name.removeprefix("--").replace("-", "").upper(): value for name, value in given.items()
    } == {
        name.removeprefix("SLIPWAY_"): value.replace("${", '"$').replace(":-}", '"')
        for name, value in REFERENCES.items()
    }
    assert "`!/.env`" in files[".gitlab-ci.yml"]


def include(text: str) -> dict[str, Any]:
    """The one include of a .gitlab-ci.yml."""
    (found,) = yaml.safe_load(text)["include"]
    return dict(found)


@pytest.mark.parametrize("hidden", [True, False])
def test_the_pipeline_is_an_include_of_the_component(*, hidden: bool) -> None:
    """With inputs that the component has, and all that it demands."""
    found = include(written(CONVENTIONAL, hidden=hidden)[".gitlab-ci.yml"])
    assert (found["project"], found["ref"]) == ("tools/slipway", "v1.2.3")
    spec = next(yaml.safe_load_all((REPOSITORY / found["file"]).read_text()))["spec"]["inputs"]
    required = {name for name, declared in spec.items() if "default" not in (declared or {})}
    assert required <= set(found["inputs"]) <= set(spec)
    assert found["inputs"]["version"] == "v1.2.3"


def test_a_pipeline_that_is_there_stays_and_the_lines_to_add_are_shown() -> None:
    """In slipway.toml, as comments, unless it includes the component already."""
    files = written(CONVENTIONAL, pipeline="stages: [test]\n")
    assert ".gitlab-ci.yml" not in files
    assert "#     file: ci/component/template.yml" in files["slipway.toml"].splitlines()
    assert load(files["slipway.toml"])
    own = written(CONVENTIONAL, pipeline="include: [{file: ci/component/template.yml}]\n")
    assert "component" not in own["slipway.toml"]


def test_where_all_is_there_nothing_is_added() -> None:
    """Whatever stands in the files."""
    texts = {".gitlab-ci.yml": "stages: [test]", ".env": environment("")}
    assert additions(Found(None, (), texts), slipway="a/b", ref="main") == {}

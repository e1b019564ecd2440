"""Every command that the README shows is run, and what it shows besides is true."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from slipway.config import Config
from slipway.configfile import load
from slipway.initfiles import Found, additions
from tests.docs.readme import read
from tests.e2e.example import ROOT, Monorepo, copy_example, registry_json

README = read((ROOT / "README.md").read_text())
# Command → the test that stands for it, and why it is not run here.
ELSEWHERE = {
    "./ci/bench": (
        "tests/bench/test_bench_cases.py::test_a_build_that_took_the_edit_in_counts",
        "takes a quarter of an hour: there its parts are run, cases, turns, figures and tables",
    ),
    "drydock call --registry registry.test/team/app reproduce --env staging": (
        "tests/e2e/test_publish.py::test_a_published_release_can_be_made_again",
        "builds everything from nothing: there it is done once, with a key for the front end",
    ),
    "drydock down": (
        "tests/drydock/test_daemon_rootless.py::test_down_leaves_nothing",
        "would stop the daemon of all other tests: there it stops one of its own",
    ),
}
# What takes a server is run on one.
_SERVER = "needs a server: there it is run on one, as people type it"
for _name, _test in {
    "setup": "test_setup.py::test_a_bare_server_is_prepared_and_deployed_to",
    "plan": "test_deploy.py::test_a_key_that_is_not_pinned_is_refused",
    "deploy": "test_deploy.py::test_the_first_deploy_ends_with_the_public_addresses_answering",
    "rollback": "test_rollback.py::test_it_is_a_function_of_the_module",
    "status": "test_operate.py::test_they_are_functions_of_the_module",
    "logs": "test_operate.py::test_they_are_functions_of_the_module",
    "doctor": "test_operate.py::test_they_are_functions_of_the_module",
    "unlock": "test_operate.py::test_they_are_functions_of_the_module",
}.items():
    _flag = " --app api" if _name == "logs" else ""
    ELSEWHERE[f"drydock call {_name} --env staging{_flag}"] = (f"tests/e2e/{_test}", _SERVER)
# Stands for the clone, and for the team's registry.
CLONE, REGISTRY = "~/slipway", "registry.test/team/app"
Run = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Monorepo:
    """The example as a repository of its own."""
    return copy_example(tmp_path_factory.mktemp("readme") / "mindfulspace")


@pytest.fixture(scope="module")
def run(repo: Monorepo, registry_host: str) -> Run:
    """Runs a command as it is shown, once however many tests ask for it."""
    done: dict[str, subprocess.CompletedProcess[str]] = {}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def run(command: str) -> subprocess.CompletedProcess[str]:
        if command not in done:
            typed = command.replace(CLONE, str(ROOT)).replace(REGISTRY, f"{registry_host}/readme")
            # In the README's own repository the module is found without -m.
            own = command.startswith(("./ci/", "source "))
            if not own and " -m " not in typed:
                typed = re.sub(r"^drydock (?=call|functions|check)", f"drydock -m {ROOT} ", typed)
            # `init` asks: a user who only looks says no.
            terminal, stdin = pty.openpty()
            os.write(terminal, b"n\n")
            done[command] = subprocess.run(
                ["bash", "-euc", typed],
                cwd=ROOT if own else repo.path,
                env={**os.environ, "PATH": path},
                stdin=stdin,
                capture_output=True,
                text=True,
                check=False,
                timeout=600,
            )
        return done[command]

    return run


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize("command", [c for c in README.commands if c not in ELSEWHERE])
def test_the_command_does_what_it_should(command: str, run: Run) -> None:
    """It ends well, and says or writes something."""
    done = run(command)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr[-3000:]}"
    assert done.stdout.strip() or done.stderr.strip()


@pytest.mark.engine
@pytest.mark.slow
def test_the_files_that_the_commands_promise_are_there(
    run: Run, repo: Monorepo, registry_host: str
) -> None:
    """Reports, archives, SBOMs; and release.json names what the registry has."""
    for word in ("reports export", "release export", "release --env staging publish"):
        (command,) = [c for c in README.commands if word in c]
        run(command)
    for name in ("junit.xml", "verify.json"):
        assert (repo.path / ".slipway" / "reports" / name).stat().st_size > 0, name
    assert (repo.path / "out" / "migrator.tar").stat().st_size > 0
    release = json.loads((repo.path / ".slipway" / "release" / "release.json").read_text())
    assert release["environment"] == "staging"
    for name, image in release["images"].items():
        assert (repo.path / ".slipway" / "release" / image["sbom"]).stat().st_size > 0
        assert registry_json(registry_host, f"readme/{name}/manifests/{image['digest']}")["layers"]


def test_there_are_commands_and_no_reason_is_left_over() -> None:
    """What is run elsewhere is shown, and by a test that exists."""
    assert len(README.commands) > 15
    assert set(ELSEWHERE) <= set(README.commands)
    for test, _ in ELSEWHERE.values():
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text(), test


def test_the_pipeline_is_the_one_that_init_writes() -> None:
    """Whoever copies it gets what init would have given."""
    (shown,) = README.blocks["yaml"]
    everything = {".env": "", "slipway.toml": ""}
    written = additions(Found(None, (), everything), slipway="platform/slipway", ref="main")
    assert yaml.safe_load(shown) == yaml.safe_load(written[".gitlab-ci.yml"])


def test_the_configuration_loads() -> None:
    """Every block of TOML, as slipway reads it."""
    shown = README.blocks["toml"]
    for text in shown:
        files = [app["dockerfile"] for app in tomllib.loads(text).get("apps", {}).values()]
        assert load(text, files=files) != Config()
    assert shown


@pytest.mark.parametrize(
    "page", ["README.md", *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_every_link_leads_somewhere(page: str) -> None:
    """Within this repository."""
    file = ROOT / page
    missing = [link for link in read(file.read_text()).links if not (file.parent / link).exists()]
    assert missing == []

"""`verify`, `reports` and the checks as a user types them, on the example."""

import json
import re
import uuid
from pathlib import Path

import pytest
from junitparser import JUnitXml

from tests.e2e.example import ROOT, Monorepo, copy_example, drydock

pytestmark = pytest.mark.engine

# Typed linting takes longest, and other tests run it.
CONFIG = """
[apps.frontend]
path = "apps/frontend-next"
verify = { lint = false, types = false }

[apps.api]
path = "apps/api-nest"
verify = { lint = false, types = false }
"""
SHARED = "@mindfulspace/shared"


def example(folder: Path) -> Monorepo:
    """A copy of the example with its slowest steps switched off."""
    repo = copy_example(folder)
    (repo.path / "slipway.toml").write_text(f'name = "mindfulspace"\n{CONFIG}')
    return repo


def rows(report: str) -> dict[tuple[str, str], tuple[str, str]]:
    """The report's table, with which it ends: app and step → result, cached or run."""
    table = report.rstrip().partition("APP  ")[2].splitlines()[1:]
    found = (re.fullmatch(r"(\S+) +(\w+) +(\w+(?: \w+)?) +([\d.]+|-) +(\S+)", row) for row in table)
    return {(row[1], row[2]): (row[3], row[5]) for row in found if row}


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Monorepo:
    """The example, verified."""
    repo = example(tmp_path_factory.mktemp("verified") / "mindfulspace")
    repo.call("verify")
    return repo


@pytest.mark.usefixtures("verified")
def test_what_is_unchanged_is_not_run_again(tmp_path: Path) -> None:
    """Every step is in the table; a copy elsewhere counts, documents do not."""
    repo = example(tmp_path / "copied")
    (repo.path / "README.md").write_text("edited")
    (repo.path / "apps/api-nest/NOTES.md").write_text("new")
    assert rows(repo.call("verify").stdout) == dict.fromkeys(
        [
            (SHARED, "lint"),
            (SHARED, "types"),
            (SHARED, "unit"),
            ("frontend", "unit"),
            ("api", "unit"),
            ("api", "e2e"),
        ],
        ("passed", "cached"),
    )


@pytest.mark.usefixtures("verified")
def test_an_edit_of_the_api_runs_the_steps_of_the_api(tmp_path: Path) -> None:
    """Those of the front end and of the shared package are used again."""
    repo = example(tmp_path / "edited")
    repo.edit(
        "slipway.toml", '"apps/api-nest"\nverify = {', '"apps/api-nest"\nverify = { e2e = false,'
    )
    main = repo.path / "apps/api-nest/src/main.ts"
    main.write_text(f"{main.read_text()}\n// {uuid.uuid4().hex}\n")
    found = rows(repo.call("verify").stdout)
    assert {app for (app, _), (_, how) in found.items() if how == "run"} == {"api"}


@pytest.fixture(scope="module")
def broken(verified: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Monorepo:
    """A copy of the example with a lint error, and a test that fails the first time it is run."""
    assert verified.path
    repo = example(tmp_path_factory.mktemp("broken") / "mindfulspace")
    test = repo.path / "packages/shared/src/summary.test.ts"
    flaky = "it('is flaky', () => expect(process.env.SLIPWAY_ATTEMPT).toBeDefined());"
    # The package's types know no Node.
    declared = "declare const process: { env: Record<string, string | undefined> };"
    test.write_text(
        f"{test.read_text()}\n{declared}\n{flaky}\nlet neverRead = '{uuid.uuid4().hex}';\n"
    )
    return repo


def test_failures_print_their_own_output_and_end_with_the_table(broken: Monorepo) -> None:
    """Two steps of one package fail; all others come to their end."""
    done = broken.call("verify", check=False)
    assert done.returncode == 1
    text = done.stderr.rpartition("SlipwayFailure: ")[2]
    assert "neverRead' is assigned a value but never used" in text
    assert "is flaky" in text
    assert "api" not in text.partition("APP  ")[0]
    assert "Traceback" not in done.stderr
    found = rows(text)
    assert found[SHARED, "lint"] == found[SHARED, "unit"] == ("failed", "run")
    assert found[SHARED, "types"] == ("passed", "run")
    assert found["api", "e2e"] == ("passed", "cached")
    assert len(found) == 6


def test_reports_count_every_test_and_run_no_fresh_failure_again(
    broken: Monorepo, tmp_path: Path
) -> None:
    """JUnit XML as a library reads it; verify.json; the text."""
    out = tmp_path / "out"
    broken.call("reports", "export", "--path", str(out))
    suites = {suite.name: suite for suite in JUnitXml.fromfile(str(out / "junit.xml"))}
    unit, lint = suites[f"{SHARED}: unit"], suites[f"{SHARED}: lint"]
    assert (unit.tests, unit.failures, lint.tests, lint.failures) == (5, 1, 1, 1)
    assert suites["api: e2e"].tests == 8
    failed = [case for case in unit if case.result]
    assert [case.name for case in failed] == ["is flaky"]
    assert failed[0]._elem.get("file") == "packages/shared/src/summary.test.ts"
    found = json.loads((out / "verify.json").read_text())
    steps = {(step["app"], step["step"]): step for step in found["steps"]}
    assert not found["passed"]
    assert steps[SHARED, "unit"]["result"] == "failed"
    assert "neverRead" in steps[SHARED, "lint"]["output"]
    assert "neverRead" in (out / "report.txt").read_text()


def test_a_failure_is_run_again_and_a_pass_used_again(broken: Monorepo) -> None:
    """Without any edit. The flaky test passes the second time, and is not run a third time."""
    again = rows(broken.call("verify", check=False).stderr)
    assert again[SHARED, "lint"] == ("failed", "run")
    assert again[SHARED, "unit"] == ("passed", "run")
    assert again[SHARED, "types"] == ("passed", "cached")
    after = rows(broken.call("verify", check=False).stderr)
    assert after[SHARED, "lint"] == ("failed", "run")
    assert after[SHARED, "unit"] == ("passed", "cached")


@pytest.mark.usefixtures("verified")
def test_what_blocks_steps_is_told_once(tmp_path: Path) -> None:
    """A shared package that does not build: its dependents' steps are blocked, its own are run."""
    repo = example(tmp_path / "blocked")
    with (repo.path / "slipway.toml").open("a") as config:
        config.write('[packages."packages/shared".verify]\nlint = false\n')
    source = repo.path / "packages/shared/src/index.ts"
    source.write_text(f"{source.read_text()}\nexport const wrong: number = '{uuid.uuid4().hex}';\n")
    done = repo.call("verify", check=False)
    text = done.stderr.rpartition("SlipwayFailure: ")[2]
    assert done.returncode == 1
    assert text.count(f"{SHARED}: build failed") == 1
    assert "This blocks api: unit, api: e2e, frontend: unit." in text
    found = rows(text)
    assert found["api", "unit"] == ("blocked", "-")
    assert found[SHARED, "types"] == ("failed", "run")
    assert found[SHARED, "unit"] == ("passed", "run")


def test_the_checks_are_listed_and_run(verified: Monorepo) -> None:
    """As `dagger check` does."""
    listed = drydock("-m", str(ROOT), "check", "--list", cwd=verified.path)
    assert {"verify-api", "verify-frontend"} <= set(re.findall(r"[\w-]+", listed.stdout))
    done = drydock("-m", str(ROOT), "check", "verify-*", cwd=verified.path)
    assert "passed" in done.stdout + done.stderr


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the one that was probably meant."""
    repo = example(tmp_path / "misnamed")
    (repo.path / "slipway.toml").write_text(
        '[apps.api]\npath = "apps/api-nest"\nverify = { unit = "tests" }\n'
    )
    done = repo.call("verify", check=False)
    assert done.returncode == 1
    assert (
        'apps.api.verify.unit: "tests" — no such script in apps/api-nest/package.json'
        in done.stderr
    )
    assert 'did you mean "test"?' in done.stderr

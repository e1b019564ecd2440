"""`init` as a user types it: looked at, written, and complete the second time."""

import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from slipway.configfile import load
from tests.e2e.example import ROOT, Monorepo, copy_example

pytestmark = pytest.mark.engine

WRITTEN = [".env", ".gitlab-ci.yml", "slipway.toml"]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Monorepo:
    """A copy of the example that knows nothing of slipway, whose .env Git does not ignore."""
    repo = copy_example(tmp_path_factory.mktemp("init") / "fresh")
    (repo.path / "slipway.toml").unlink()
    repo.edit(".gitignore", "\n.env\n", "\n")
    (repo.path / ".env").write_text("STAGE=dev")
    (repo.path / ".env").chmod(0o600)
    return repo


def answered(repo: Monorepo, answer: str) -> str:
    """What `init` shows to a user at a terminal who gives this answer."""
    terminal, stdin = pty.openpty()
    os.write(terminal, f"{answer}\n".encode())
    command = [str(Path(sys.executable).parent / "drydock"), "-m", str(ROOT), "call", "init"]
    done = subprocess.run(
        command, cwd=repo.path, stdin=stdin, capture_output=True, text=True, check=True, timeout=300
    )
    assert "Apply changes?" in done.stderr
    return done.stdout


def test_nothing_is_written_before_it_was_looked_at(fresh: Monorepo) -> None:
    """The patch shows what would be; who says no keeps the repo as it is."""
    patch = answered(fresh, "n")
    for line in (
        "+[environments.staging] # --env staging",
        "+SLIPWAY_REGISTRYPASSWORD=env://CI_REGISTRY_PASSWORD",
        "+    file: ci/component/template.yml",
        '+# path = "apps/frontend-next" # depends on next; its Dockerfile is not used',
    ):
        assert line in patch.splitlines()
    assert not (fresh.path / "slipway.toml").exists()
    assert (fresh.path / ".env").read_text() == "STAGE=dev"


def test_what_is_applied_loads_and_a_second_time_nothing_changes(fresh: Monorepo) -> None:
    """Lines that were there stay, with the file's mode; the placeholders are for the user."""
    fresh.call("init", "--slipway", "tools/slipway", "export", "--path", ".")
    assert list(load((fresh.path / "slipway.toml").read_text()).environments) == ["staging", "prod"]
    pipeline = yaml.safe_load((fresh.path / ".gitlab-ci.yml").read_text())
    assert pipeline["include"][0]["project"] == "tools/slipway"
    env = fresh.path / ".env"
    assert env.read_text().startswith("STAGE=dev\n")
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert fresh.call("init", "is-empty").stdout.strip() == "true"


def test_files_go_beside_the_lockfile_or_nowhere(fresh: Monorepo) -> None:
    """Changes are written where one stands: from a folder below, the way up is said."""
    folder = fresh.path / "apps" / "api-nest"
    done = Monorepo(folder).call("init", check=False)
    assert done.returncode == 1
    assert "cd ../.." in done.stderr
    assert not [name for name in WRITTEN if (folder / name).exists()]


def test_an_ignored_env_file_is_neither_read_nor_written(tmp_path: Path) -> None:
    """It may hold secrets: the job's file has the references instead."""
    repo = copy_example(tmp_path / "ignored")
    (repo.path / ".env").write_text("TOKEN=sentinel-secret\n")
    patch = repo.call("init", "as-patch", "contents")
    assert "sentinel-secret" not in patch.stdout + patch.stderr
    assert "b/.env" not in patch.stdout
    assert "--registry-password env://CI_REGISTRY_PASSWORD" in patch.stdout
    assert "b/slipway.toml" not in patch.stdout

"""Production's data: what no configuration can do to it."""

from pathlib import Path

import pytest

from tests.e2e.example import copy_example

pytestmark = pytest.mark.engine

SEEDED = """
[environments.prod]
production = false
seed = true
"""


def test_a_deploy_that_would_seed_production_is_refused_before_anything_is_built(
    tmp_path: Path,
) -> None:
    """Whatever else the config says; the message names the key."""
    repo = copy_example(tmp_path / "mindfulspace")
    (repo.path / "slipway.toml").write_text(SEEDED)
    done = repo.call("deploy", "--env", "prod", check=False)
    assert done.returncode == 1
    assert "environments.prod.seed: true — production is never seeded; remove it" in done.stderr
    assert "Traceback" not in done.stderr
    assert "frontend" not in done.stdout + done.stderr

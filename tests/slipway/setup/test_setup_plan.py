"""Plans of `setup`: what is on a server in, the exact steps out. One file in `cases` for each situation."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slipway.server.ssh import Address
from slipway.server.steps import Run, Write, written
from slipway.setup import daemon, folder, plan
from slipway.setup.found import File, Found
from slipway.setup.proxy import Proxy
from slipway.setup.wanted import SSHD, UPGRADES, Wanted, firewall_files

CASES = sorted((Path(__file__).parent / "cases").glob("*.toml"))
SERVER = "192.0.2.1"
WANTED = Wanted(
    admin=Address(SERVER, user="root"),
    admin_key="admin's sentinel",
    deploy=Address(SERVER),
    deploy_key="deploy's sentinel",
    public_key="ssh-ed25519 AAAAC3one app-prod",
    site="app--prod",
    proxy=Proxy(),
    certificate="certificate",
    certificate_key="certificate's sentinel",
)
FOLDER = folder.folder(Found(), WANTED)
# What an earlier set-up left.
DONE: dict[str, Any] = {
    "packages": frozenset(
        {
            *("apparmor", "ca-certificates", "nftables", "systemd-timesyncd"),
            *("unattended-upgrades", "docker.io", "docker-cli", "docker-compose"),
        }
    ),
    "daemon": daemon.merged(""),
    "running": daemon.Running(
        live_restore=True, log_driver="local", pools=frozenset({("172.24.0.0/13", 24)})
    ),
    "user": "deploy:x:1000:1000::/home/deploy:/bin/bash",
    "groups": frozenset({"deploy", "docker"}),
    "password": "*",
    "keys": f"{WANTED.public_key}\n",
    "networks": {"web": False, "internal": False},
    "proxy": ("proxy-traefik-1", FOLDER.mark, "Up 2 hours (healthy)"),
    "listeners": ("docker-proxy",),
    "table": firewall_files({22})[0].text,
    "units": dict.fromkeys(
        (
            "docker.service",
            "slipway-firewall.service",
            "apt-daily.timer",
            "apt-daily-upgrade.timer",
        ),
        ("enabled", "active"),
    ),
    "files": {
        file.path: File(file.digest, file.mode, owner)
        for owner, files in (
            ("root", (*firewall_files({22}), UPGRADES, SSHD)),
            ("deploy", FOLDER.files),
        )
        for file in files
    },
    "texts": {file.path: file.text for file in FOLDER.files},
}
SETS = {"packages", "groups", "ipv6"}


def found(case: dict[str, Any]) -> Found:
    """The situation of a case: a bare server, or one that was set up, and what differs."""
    facts = dict(DONE) if case.get("done") else {}
    for name, value in case.get("found", {}).items():
        facts[name] = frozenset(value) if name in SETS else value
    states = {name: tuple(state) for name, state in case.get("units", {}).items()}
    facts["units"] = facts.get("units", {}) | states
    if said := case.get("running"):
        facts["running"] = replace(facts.get("running", daemon.Running()), **said)
    for path in case.get("without", []):
        for kind in ("files", "texts"):
            facts[kind] = {name: file for name, file in facts[kind].items() if name != path}
    return Found(**facts)


def planned(case: dict[str, Any]) -> str:
    """The plan of a case, or why there is none, and what is left alone."""
    situated = found(case)
    if wrong := plan.problems(situated, WANTED):
        return "\n".join(f"refused: {problem}" for problem in wrong)
    stages = plan.plan(situated, WANTED)
    return "\n".join([written(stages) or "nothing to change", *plan.notes(situated, WANTED)])


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_a_situation_gives_these_steps(file: Path) -> None:
    """No more, no less, in this order."""
    case = tomllib.loads(file.read_text())
    assert planned(case) == case["expected"].strip()


def test_a_secret_is_only_in_what_is_written() -> None:
    """In no line that anybody sees, and in no command; its file is its owner's alone."""
    stages = plan.plan(Found(), WANTED)
    assert "sentinel" not in written(stages)
    steps = [step for stage in stages for step in stage.steps]
    assert not [step for step in steps if isinstance(step, Run) and "sentinel" in str(step.command)]
    secret = [step for step in steps if isinstance(step, Write) and "sentinel" in step.text]
    assert [(step.path, step.mode, step.owner) for step in secret] == [
        ("/home/deploy/proxy/dynamic/app--prod.key", 0o600, "deploy:deploy")
    ]

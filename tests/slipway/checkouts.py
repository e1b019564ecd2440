"""A developer's checkout of a small repo, to publish from."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import dagger

from slipway.checkout import surveyed
from slipway.publication import Request
from slipway.publish import Published, Publisher
from slipway.runtime import Made

FILES = {
    "package.json": '{"name": "tiny", "version": "1.0.0"}',
    "pnpm-workspace.yaml": 'packages: ["apps/*"]\n',
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\nimporters:\n  .: {}\n  apps/one: {}\n  apps/two: {}\n",
    "apps/one/package.json": '{"name": "one"}',
    "apps/two/package.json": '{"name": "two"}',
    "apps/one/Dockerfile": "FROM scratch\n",
    "apps/two/Dockerfile": "FROM scratch\n",
    ".gitignore": "node_modules\n*.log\n",
    "slipway.toml": "".join(
        f'[apps.{name}]\npath = "apps/{name}"\ndockerfile = "apps/{name}/Dockerfile"\n'
        for name in ("one", "two")
    ),
}


@dataclass(frozen=True)
class Checkout:
    """A developer's checkout of a repo with two apps."""

    folder: Path
    dag: dagger.Client

    def git(self, *arguments: str) -> str:
        """Run Git here."""
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
        command = ["git", *identity, *arguments]
        done = subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    @property
    def commit(self) -> str:
        """The commit's hash."""
        return self.git("rev-parse", "HEAD")

    async def publish(
        self,
        host: str,
        env: str = "staging",
        *,
        text: str = "1",
        user: str | None = None,
        password: dagger.Secret | None = None,
        project: str = "team",
        force: bool = False,
    ) -> Published:
        """Publish two images whose only file has a text."""
        ws = self.dag.current_workspace()
        survey = await surveyed(ws, "slipway.toml", None)
        request = Request(
            env, ("one", "two"), f"{host}/{project}", user, password is not None, force=force
        )
        images = [
            Made(name, self.dag.container().with_new_file("/text", f"{name} {text}"))
            for name in ("one", "two")
        ]
        return await Publisher(survey, ws, request, password).publish(images)


def write(folder: Path) -> None:
    """Write the repo; nothing is committed yet."""
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    subprocess.run(["git", "init", "--quiet", "-b", "main"], cwd=folder, check=True)

"""A developer's checkout of a small repo, to publish from."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import dagger

from slipway.checkout import surveyed
from slipway.inputs import Inputs
from slipway.labels import REVISION
from slipway.publication import Request
from slipway.publish import Publisher
from slipway.published import Published
from slipway.runtime import Made
from slipway.survey import Survey

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
    built: list[str] = field(default_factory=list)
    """The texts of the images that were built."""

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

    async def survey(self) -> Survey:
        """What slipway finds here."""
        return await surveyed(self.dag.current_workspace(), "slipway.toml", None)

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
        who: str = "",
        bills: bool = False,
        outside: Mapping[str, str] | None = None,
        bytes_: str | None = None,
    ) -> Published:
        """Publish two images that are made of a text.

        Args:
            host: The registry's host and port.
            env: The environment.
            text: What they are made of.
            user: Who logs in.
            password: That user's password.
            project: Where images go below the host.
            force: To production, whatever the checkout's state.
            who: Who publishes.
            bills: Have bills of materials.
            outside: What else they are made of, that is no matter of the commit.
            bytes_: What a build makes of that text; the text itself, if it is not said.
        """
        ws, survey = self.dag.current_workspace(), await self.survey()
        names = ("one", "two")
        request = Request(
            env, names, f"{host}/{project}", user, password is not None, force=force, who=who
        )
        publisher = Publisher(survey, ws, request, password)
        inputs = {name: Inputs({"text": f"{name} {text}", **(outside or {})}) for name in names}
        labels = {REVISION: survey.origin.revision}

        async def images() -> list[Made]:
            self.built.append(text)
            content = bytes_ or text
            return [self._image(name, content, inputs[name].labels | labels) for name in names]

        return await publisher.publish(await publisher.look(inputs), images, bills=bills)

    def _image(self, name: str, text: str, labels: Mapping[str, str]) -> Made:
        container = self.dag.container().with_new_file("/text", f"{name} {text}")
        for label, value in labels.items():
            container = container.with_label(label, value)
        return Made(name, container)


def write(folder: Path) -> None:
    """Write the repo; nothing is committed yet."""
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    subprocess.run(["git", "init", "--quiet", "-b", "main"], cwd=folder, check=True)

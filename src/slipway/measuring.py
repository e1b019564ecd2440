"""Tells what each image will be made of before anything is built: by one small exec, which the engine keeps."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import dagger
from dagger import dag

from . import inputs, migration
from .errors import SlipwayError
from .evaluation import Job, side_by_side
from .failures import message
from .inputs import Inputs
from .monorepo import Workshop
from .project import MIGRATOR, App, Migrator
from .version import VERSION
from .workspace import CONTEXT_NOISE, NOISE, ROOT_NOISE

_PACKAGE = Path(__file__).parent
_SCRIPTS = _PACKAGE / "scripts"
_FOLDER = "/inputs"
# The modules that decide what an image becomes, beside the scripts.
_RECIPE = (
    "build",
    "collection",
    "images",
    "install",
    "layout",
    "manifest",
    "migration",
    "migrator",
    "monorepo",
    "prisma",
    "runtime",
    "workspace",
)
# What of an app is no part of its image.
_AT_RUN_TIME = ("name", "health", "any_answer", "drain", "start", "build_args")

_KEY = f"{inputs.ARGUMENT}key of the server actions"

Files = Mapping[str, dagger.Directory]


@dataclass(frozen=True)
class Measuring:
    """Tells the inputs of one workspace's images.

    Attributes:
        workshop: The workspace, with the values that its builds get.
    """

    workshop: Workshop

    async def inputs(self) -> dict[str, Inputs]:
        """What each image is made of, by its name; nothing is built.

        Raises:
            ExceptionGroup: An image that others begin with is not to be had, or the files cannot be read.
        """
        project = self.workshop.survey.project
        read = {app.name: self._files_of(app) for app in project.apps}
        if project.migrator:
            read[MIGRATOR] = self._files_of_migrator(project.migrator)
        folders = {name: files for one in read.values() for name, files in one.items()}
        told = {inputs.RECIPE: recipe()}
        jobs: list[Job] = [partial(self._measure, folders, told), partial(self._read_key, told)]
        jobs += [partial(_resolve, base, told) for base in {project.image, project.build_image}]
        await side_by_side(lambda job: job(), jobs)
        made = {}
        for name, files in read.items():
            made[name] = Inputs(
                {f: told[f] for f in files} | self._settings(name, told) | self._outside(name, told)
            )
        return made

    def _settings(self, image: str, told: Mapping[str, str]) -> dict[str, str]:
        """What slipway.toml and the command line say of an image."""
        project = self.workshop.survey.project
        app = next((app for app in project.apps if app.name == image), None)
        maker = app or project.migrator
        described = asdict(maker) if maker else {}
        kept = {key: value for key, value in described.items() if key not in _AT_RUN_TIME}
        made = {inputs.SETTINGS: inputs.short(json.dumps(kept, sort_keys=True, default=sorted))}
        if not app or not app.dockerfile:
            made[inputs.PNPM] = project.pnpm
        if app and app.kind == "next" and not app.dockerfile:
            made[_KEY] = told[_KEY]
        if app:
            own = self.workshop.build_args if project.varies(image) else {}
            values = {**app.build_args, **own}
            made |= {
                f"{inputs.ARGUMENT}{name}": inputs.argument(name, value)
                for name, value in values.items()
            }
        return made

    def _outside(self, image: str, told: Mapping[str, str]) -> dict[str, str]:
        """What another machine may have otherwise, on another day."""
        project = self.workshop.survey.project
        made = {name: told[name] for name in (inputs.PLATFORM, inputs.RECIPE)}
        if any(app.name == image and app.dockerfile for app in project.apps):
            return made  # its Dockerfile names what it begins with
        made |= {inputs.BASE: told[project.image], inputs.NODE: told[inputs.NODE]}
        if project.image != project.build_image:
            made[inputs.BUILD_IMAGE] = told[project.build_image]
        return made

    def _files_of(self, app: App) -> Files:
        """Whatever the build of an app reads of the tree, and no other app's sources."""
        if app.dockerfile:
            files = self._sources(app.context, exclude=CONTEXT_NOISE)
            return {f"files in {app.context} for {app.name}": files}
        repo, schemas = self.workshop.survey.repo, self.workshop.survey.project.prisma
        made = self._common()
        for path in (*repo.closure(app.path), app.path):
            made |= self._package(path)
            if path in schemas:
                wanted = migration.files(repo, schemas[path])
                made[f"files in {path} that Prisma reads"] = self._sources(
                    path, include=wanted, exclude=NOISE
                )
        if app.include:
            made[f"files that {app.name} includes"] = self._sources(
                include=app.include, exclude=CONTEXT_NOISE
            )
        return made

    def _files_of_migrator(self, migrator: Migrator) -> Files:
        """What generating, migrating and seeding read: the schema's package, but for its sources."""
        repo, project = self.workshop.survey.repo, migrator.project
        made = self._common()
        wanted = migration.files(repo, project)
        made[f"files in {project.path} that Prisma reads"] = self._sources(
            project.path, include=wanted, exclude=NOISE
        )
        shared = repo.closure(project.path, production=True) if project.seed else ()
        made["tsconfig files of the root"] = self._sources(include=("tsconfig*.json",))
        for path in repo.settings(project.path):
            made[f"settings in {path}"] = self._sources(path, include=("*.json",))
        packages = {*repo.settings(project.path), *shared}
        if repo.injected(project.path):
            packages |= set(repo.closure(project.path))
        packages |= {below for path in shared for below in repo.closure(path)}
        for path in sorted(packages - {project.path}):
            made |= self._package(path)
        if migration.needs_sources(repo, project):
            made |= self._package(project.path)
        if migrator.include:
            made["files that the migrator includes"] = self._sources(
                include=migrator.include, exclude=CONTEXT_NOISE
            )
        return made

    def _common(self) -> dict[str, dagger.Directory]:
        """What every build from the workspace stands on: what installs read, and the root's own files."""
        installation, repo = self.workshop.installation, self.workshop.survey.repo
        root = self._sources(include=repo.root_files(), exclude=(*ROOT_NOISE, *NOISE))
        return {
            "files that an install reads": installation.tracked_manifests,
            "files of the root": root,
        }

    def _package(self, path: str) -> dict[str, dagger.Directory]:
        noise = self.workshop.survey.repo.source_noise(path)
        return {f"files in {path}": self._sources(path, exclude=noise)}

    def _sources(
        self, path: str = ".", *, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> dagger.Directory:
        return self.workshop.installation.sources(path, include=include, exclude=exclude)

    async def _read_key(self, told: dict[str, str]) -> None:
        """The key of the server actions, by a digest: it is too long to be guessed."""
        if not (key := self.workshop.next_key):
            told[_KEY] = "made by the build"
            return
        try:
            told[_KEY] = inputs.short((await key.plaintext()).strip())
        except dagger.QueryError as error:
            raise SlipwayError(f"next_key cannot be read: {message(error)}") from None

    async def _measure(self, folders: Files, told: dict[str, str]) -> None:
        script = (_SCRIPTS / "inputs.mjs").read_text()
        container = dag.container().from_(self.workshop.survey.project.build_image)
        container = container.with_user("0:0")
        container = container.with_new_file("/inputs.mjs", script)
        for number, files in enumerate(folders.values()):
            container = container.with_mounted_directory(
                f"{_FOLDER}/{number}", files, read_only=True
            )
        command = ["node", "/inputs.mjs", _FOLDER]
        found = json.loads(await container.with_exec(command).stdout())
        told[inputs.NODE], told[inputs.PLATFORM] = found["node"], found["platform"]
        for number, name in enumerate(folders):
            told[name] = found["digests"][str(number)][:32]


async def _resolve(image: str, told: dict[str, str]) -> None:
    told[image] = await dag.container().from_(image).image_ref()


def recipe() -> str:
    """Slipway's version, and a digest of the files of its own that decide what an image becomes."""
    files = [*(_PACKAGE / f"{name}.py" for name in _RECIPE), *sorted(_SCRIPTS.iterdir())]
    found = hashlib.sha256()
    for file in files:
        found.update(file.name.encode() + b"\0" + file.read_bytes())
    return f"{VERSION} {found.hexdigest()[:12]}"

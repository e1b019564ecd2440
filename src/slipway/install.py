"""The installed workspace: tools, the store, and a layer that hangs on manifests alone."""

import posixpath
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import dagger
from dagger import dag

from .build import REPO, step
from .layout import SCRIPTS
from .manifest import for_install, join
from .survey import Survey
from .workspace import CONTEXT_NOISE, NOISE, ROOT_NOISE

STORE = "/pnpm"
# Of the containers of a build that is to run anew; no image has it.
FRESH = "SLIPWAY_FRESH"
_NPMRC = "/root/.npmrc"
_SCRIPT_FILES = Path(__file__).parent / "scripts"
# Where Node keeps compiled JavaScript from one start to the next (from 22.1 on): TypeScript alone is 9 MB of it.
_BYTECODE = "/slipway-node"
# What builds run with. None of it reaches a runtime image: those start from the base image anew.
_BUILD_ENVIRONMENT = {
    "CI": "1",
    "NODE_COMPILE_CACHE": _BYTECODE,
    "NEXT_TELEMETRY_DISABLED": "1",
    "CHECKPOINT_DISABLE": "1",
    "PRISMA_HIDE_UPDATE_MESSAGE": "1",
    "COREPACK_ENABLE_DOWNLOAD_PROMPT": "0",
    "COREPACK_ENABLE_STRICT": "0",
    # One pnpm, the one that was installed, and no install behind a `pnpm run`: under the names that
    # pnpm up to 10, 11 and 12 read (the last one knows pmOnFail instead of the first setting).
    "npm_config_manage_package_manager_versions": "false",
    "npm_config_verify_deps_before_run": "false",
    "pnpm_config_manage_package_manager_versions": "false",
    "pnpm_config_verify_deps_before_run": "false",
    "pnpm_config_pm_on_fail": "ignore",
}
_INSTALL = (
    "pnpm",
    "install",
    "--frozen-lockfile",
    # Prefer, not demand: the store is a cache, and may have been emptied.
    "--prefer-offline",
    "--store-dir",
    STORE,
    # The store is another file system than the layer: no links between them, whatever .npmrc asks.
    "--package-import-method=copy",
    "--config.enable-global-virtual-store=false",
)


@dataclass(frozen=True)
class Installation:
    """Makes the containers that stand on no source; each is lazy until something of it is read.

    Attributes:
        ws: The caller's workspace.
        survey: What was found in it.
        npmrc: The user's ~/.npmrc for installs, if private packages need one.
        fresh: Names one run that is to build everything itself: no step of an earlier one is used again, and no
            cache of an earlier build is read. Empty for a build as usual.
    """

    ws: dagger.Workspace
    survey: Survey
    npmrc: dagger.Secret | None = None
    fresh: str = ""

    def sources(
        self, path: str = ".", *, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> dagger.Directory:
        """Files of one folder of the repo, less what git ignores."""
        folder = posixpath.normpath(posixpath.join(self.survey.root, path))
        found = self.ws.directory(
            folder, include=list(include), exclude=list(exclude), gitignore=True
        )
        # Of a folder inside the repo a Dagger engine hands out everything, whatever is to be included, when git has a
        # say too (v0.21.8, core/schema/host.go): an edit of a source would be one of Prisma's files.
        return found.filter(include=list(include)) if include and folder != "/" else found

    @cached_property
    def system(self) -> dagger.Container:
        """What builds run in: the build image with the steps' scripts."""
        return self._system(self.survey.project.build_image)

    @cached_property
    def runtime(self) -> dagger.Container:
        """What images begin with, the scripts still in it."""
        project = self.survey.project
        return self.system if project.image == project.build_image else self._system(project.image)

    def _system(self, image: str) -> dagger.Container:
        """An image with the scripts, and with OpenSSL's library if Prisma may want it."""
        scripts = dag.directory()
        for file in sorted(_SCRIPT_FILES.iterdir()):
            scripts = scripts.with_new_file(file.name, file.read_text(), permissions=0o755)
        base = dag.container().from_(image).with_user("0:0").with_directory(SCRIPTS, scripts)
        if self.fresh:
            base = base.with_env_variable(FRESH, self.fresh)
        if not self.survey.project.prisma:
            return base
        return base.with_exec(step("OpenSSL for Prisma", f"{SCRIPTS}/openssl.sh"))

    @cached_property
    def tools(self) -> dagger.Container:
        """The system with pnpm and its store."""
        made = self.system
        for name, value in _BUILD_ENVIRONMENT.items():
            made = made.with_env_variable(name, value)
        command = step("pnpm", f"{SCRIPTS}/pnpm.sh", self.survey.project.pnpm)
        made = self._with_npmrc(made.with_workdir(REPO), command)
        made = made.with_mounted_cache(STORE, dag.cache_volume("slipway-pnpm-store"))
        return made.with_mounted_cache(_BYTECODE, dag.cache_volume("slipway-node-bytecode"))

    @cached_property
    def manifests(self) -> dagger.Directory:
        """What an install reads, and no more: editing a source or a script leaves it alone."""
        include, exclude = self._install_files
        # Also a .npmrc that git ignores, as jobs write one with their token.
        found = self.ws.directory(self.survey.root, include=list(include), exclude=list(exclude))
        return self._with_manifests(found)

    @property
    def tracked_manifests(self) -> dagger.Directory:
        """The same less what git ignores, which differs from one machine to the next."""
        include, exclude = self._install_files
        return self._with_manifests(self.sources(include=include, exclude=exclude))

    @property
    def _install_files(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        extra = self.survey.project.install_include
        return self.survey.repo.install_files(extra), CONTEXT_NOISE

    def _with_manifests(self, found: dagger.Directory) -> dagger.Directory:
        repo, project = self.survey.repo, self.survey.project
        made = dag.directory().with_directory("/", found)
        for path in repo.needed(project.paths):
            if package := repo.packages.get(path):
                made = made.with_new_file(join(path, "package.json"), for_install(package))
        return made

    @cached_property
    def dependencies(self) -> dagger.Container:
        """Every dependency of the workspace, installed from the lockfile."""
        return self._install(self.tools.with_directory(REPO, self.manifests), "dependencies")

    @cached_property
    def shell(self) -> dagger.Container:
        """The installed workspace with the root's own files, which packages' settings extend."""
        files = self.sources(include=self.survey.repo.root_files(), exclude=(*ROOT_NOISE, *NOISE))
        return self.dependencies.with_directory(REPO, files)

    async def settle(self) -> None:
        """Settle the containers that everything else stands on."""
        for name in ("system", "tools", "dependencies", "shell"):
            self.__dict__[name] = await settled(getattr(self, name))

    def again(self, container: dagger.Container) -> dagger.Container:
        """Install once more: pnpm copied some workspace packages before they were built."""
        return self._install(container, "shared packages", "--ignore-scripts")

    def _install(self, container: dagger.Container, name: str, *options: str) -> dagger.Container:
        return self._with_npmrc(container, step(name, *_INSTALL, *options))

    def _with_npmrc(self, container: dagger.Container, command: list[str]) -> dagger.Container:
        """Run a command that reads the registry, with the user's settings while it runs."""
        if not self.npmrc:
            return container.with_exec(command)
        mounted = container.with_mounted_secret(_NPMRC, self.npmrc)
        return mounted.with_exec(command).without_mount(_NPMRC)


async def settled(container: dagger.Container) -> dagger.Container:
    """The same container, known to the engine by its id; nothing of it is built.

    Each query of the SDK repeats the whole chain of calls that made its object: a chain that begins
    with an id is short, however much went before. `sync()` does the same, but builds.
    """
    context = container._ctx.select_id("Container", await container.id())  # noqa: SLF001
    return dagger.Container(context)

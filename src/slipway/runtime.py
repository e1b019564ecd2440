"""What every runtime image begins and ends with: one clean base layer, labels, a plain user."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import dagger
from dagger import dag

from . import build, layout
from .install import FRESH, settled
from .labels import TITLE
from .layout import SCRIPTS
from .monorepo import Workshop

USER = "1000:1000"
_CHECKED_OUT = f"{SCRIPTS}/in"

# The build's scripts, package managers and compilers, as Debian's and Alpine's images have them.
# /var/lib/dpkg/status and /lib/apk/db stay: vulnerability scanners read them.
UNUSED = (
    SCRIPTS.lstrip("/"),
    "usr/local/lib/node_modules",
    "usr/local/bin/npm",
    "usr/local/bin/npx",
    "usr/local/bin/corepack",
    "usr/local/bin/yarn*",
    "usr/local/bin/pnpm*",
    "usr/local/bin/pnpx*",
    "usr/local/etc/npmrc",
    "usr/local/include",
    "opt/yarn*",
    "usr/bin/npm",
    "usr/bin/npx",
    "usr/lib/node_modules",
    "usr/share/nodejs/npm",
    "usr/bin/apt*",
    "usr/lib/apt",
    "usr/libexec/dpkg",
    "etc/apt",
    "var/lib/apt",
    "var/cache/apt",
    "usr/bin/dpkg*",
    "usr/sbin/dpkg*",
    "usr/lib/dpkg",
    "var/lib/dpkg/info",
    "sbin/apk",
    "usr/sbin/apk",
    "etc/apk/keys",
    "usr/bin/gcc*",
    "usr/bin/*-gcc*",
    "usr/bin/g++*",
    "usr/bin/*-g++*",
    "usr/bin/cc",
    "usr/bin/c++",
    "usr/bin/cpp*",
    "usr/bin/make",
    "usr/lib/gcc",
    "usr/libexec/gcc",
    "root/.npm",
    "root/.cache",
    "tmp/*",
)


@dataclass(frozen=True)
class Made:
    """One image, and the containers whose steps went into it.

    Attributes:
        name: The image's name.
        container: The image.
        built: Build containers; each holds the log of its steps. None for a Dockerfile.
        layers: What each layer above the base holds, from below; unknown for a Dockerfile.
        checks: Containers that must run for the image to count as good.
    """

    name: str
    container: dagger.Container
    built: tuple[dagger.Container, ...] = ()
    layers: tuple[str, ...] = ()
    checks: tuple[dagger.Container, ...] = ()


@dataclass(frozen=True)
class Runtime:
    """Begins and finishes the images of one workspace.

    Attributes:
        workshop: The build containers.
        labels: OCI labels of every image.
        base: The base image in one layer, without package managers; its variables stay.
    """

    workshop: Workshop
    labels: Mapping[str, str]
    base: dagger.Container

    @classmethod
    async def prepared(cls, workshop: Workshop, labels: Mapping[str, str]) -> Self:
        """Settle what every image begins with; nothing is built."""
        await workshop.prepare()
        system = workshop.installation.runtime
        clean = dag.directory().with_directory("/", system.rootfs(), exclude=list(UNUSED))
        plain = system.with_rootfs(clean).without_env_variable(FRESH)
        plain = plain.with_env_variable("NODE_ENV", "production")
        return cls(workshop, labels, await settled(plain))

    def labelled(self, container: dagger.Container, name: str) -> dagger.Container:
        """A container with the OCI labels of an image."""
        title = f"{self.workshop.survey.project.name}-{name}"
        container = container.with_label(TITLE, title)
        for key, value in sorted(self.labels.items()):
            container = container.with_label(key, value)
        return container

    async def finished(self, container: dagger.Container, name: str, path: str) -> dagger.Container:
        """A container that runs in a workspace folder, as a user who owns nothing."""
        placed = container.with_workdir(build.folder(path)).with_user(USER)
        return await settled(self.labelled(placed, name))

    def shared(self, folders: tuple[str, ...]) -> dagger.Directory:
        """Shared packages where an image has them, without what only builds read."""
        made, sources, plain = dag.directory(), dag.directory(), False
        for folder in folders:
            if built := self.workshop.built_at_run_time(folder):
                made = made.with_directory("/", built)
            else:
                plain = True
                sources = sources.with_directory(folder, self.workshop.sources_at_run_time(folder))
        if not plain:
            return made
        return made.with_directory("/", self.placed("shared packages: files", sources))

    def placed(self, name: str, files: dagger.Directory) -> dagger.Directory:
        """Files of the checkout where an image has them, without the checkout's times and modes.

        A step of its own, as `Directory.withTimestamps` follows links, out of the directory too.

        Args:
            name: What the step is called.
            files: The files, relative to the repo.
        """
        lines = [layout.line([layout.Layout(_CHECKED_OUT, layout.PLACED, inside=build.REPO)])]
        container = self.workshop.installation.system.with_directory(_CHECKED_OUT, files)
        return container.with_exec(build.shell(name, lines)).directory(layout.PLACED)

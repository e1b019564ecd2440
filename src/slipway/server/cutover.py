"""From the old release to the new one, and back where that fails, without a failed request. Pure."""

import posixpath
from dataclasses import dataclass

from . import names, scripts
from .situation import Container, Situation
from .steps import Drain, Routed, Run, Stage, Step, Write
from .target import AppRelease, Target

COMPOSE = ("docker", "compose", "--ansi", "never", "--progress", "quiet")
# The requests have ended by then: what does not heed SIGTERM, as Node does without a handler, is not waited for.
_DOWN = ("down", "--timeout", "10")


@dataclass(frozen=True)
class Cutover:
    """A release that takes over.

    Attributes:
        target: The release.
        found: What is on the server.
        sequence: The release's number.
        mark: Marks it as one that took over.
    """

    target: Target
    found: Situation
    sequence: int
    mark: Write

    def stages(self) -> list[Stage]:
        """Each app beside the old one, and proved, before anything old is touched.

        Until the last one is proved, all can be undone: the old ones still run, and take over again.
        So they do when the server restarts before that: the new ones do not come back.
        """
        apps = self.target.apps
        made = [self._start(app, apps[: number + 1]) for number, app in enumerate(apps)]
        keep = ("sh", "-c", scripts.KEEP, "keep", *map(self._project, apps))
        step = Run("start with the server", keep)
        # Marked before anything old is stopped: cut off from there on, it is what serves.
        said = [step for app in apps for step in self._said(app)]
        unmark = Run("take its mark back", ("rm", "-f", "--", self.mark.path))
        takeover = Stage("take over", (step, self.mark), (*said, unmark, *self._undo(apps)))
        return [*made, takeover, self._retirement()]

    def _start(self, app: AppRelease, started: tuple[AppRelease, ...]) -> Stage:
        project, file = self._project(app), self._file(app)
        steps = (
            Run(f"start {app.name} until it is healthy", up(file), app.start),
            Routed(f"{app.name} is routed", app.url, project),
            Routed(f"{app.name} answers the public", app.url, project, public=True),
            *self._inside(app),
        )
        return Stage(f"start {app.name}", steps, (*self._said(app), *self._undo(started)))

    def _said(self, app: AppRelease) -> tuple[Step, ...]:
        """The last that an app printed, and what its health checks did."""
        logs = (*COMPOSE, "--file", self._file(app), "logs", "--no-log-prefix", "--tail", "50")
        health = ("sh", "-c", scripts.HEALTH, "health", self._project(app))
        return (Run(f"logs of {app.name}", logs), Run(f"health checks of {app.name}", health))

    def _inside(self, app: AppRelease) -> tuple[Step, ...]:
        """The address that other apps of the site know it by leads to it, too."""
        if not self.found.proxy or not self.found.proxy.internal:
            return ()
        project, url = self._project(app), self.target.site.internal_url(app.name)
        command = ("sh", "-c", scripts.INSIDE, "inside", project, f"{url}{app.health}", project)
        return (Run(f"{app.name} is reached inside the site", command),)

    def _undo(self, started: tuple[AppRelease, ...]) -> tuple[Step, ...]:
        """Give back what the new ones have been sent since they were healthy, then remove them."""
        removals = [
            Run(f"remove {self._project(app)}", (*COMPOSE, "--file", self._file(app), *_DOWN))
            for app in reversed(started)
        ]
        served = {app.name: self._serving(app.name) for app in started}
        back = [
            Routed(f"{app.name} is routed back", app.url, self._project_of(before))
            for app in started
            if (before := served[app.name])
        ]
        if not back:
            return tuple(removals)
        leave = ("sh", "-c", scripts.LEAVE, "leave", *map(self._project, started))
        drain = Drain("drain", max(app.drain for app in started))
        return (Run("send it nothing more", leave), *back, drain, *removals)

    def _serving(self, app: str) -> Container | None:
        """The older container that requests go to when the new one is not there."""
        older = [one for one in self.found.older(app, self.sequence) if one.serves]
        return older[-1] if older else None

    def _retirement(self) -> Stage:
        """Stop what is older, whether it serves or was left behind, after its last requests."""
        drains = {app.name: app.drain for app in self.target.apps}
        longest = max(drains.values(), default=0.0)
        drains |= dict.fromkeys(self._gone, longest)
        older = [one for app in drains for one in self.found.older(app, self.sequence)]
        wanted = [drains[one.app] for one in older if one.serves]
        drain = (Drain("drain", max(wanted)),) if wanted else ()
        return Stage("retire", (*drain, *map(self._stop, older)))

    @property
    def _gone(self) -> list[str]:
        """Apps that the release no longer has."""
        there = {container.app for container in self.found.containers}
        return sorted(there - {names.MIGRATOR} - {app.name for app in self.target.apps})

    def _stop(self, container: Container) -> Step:
        project = self._project_of(container)
        return Run(f"stop {project}", (*COMPOSE, "--project-name", project, *_DOWN))

    def _project(self, app: AppRelease) -> str:
        return self.target.site.app(app.name, self.sequence)

    def _project_of(self, container: Container) -> str:
        return container.project or self.target.site.app(container.app, container.sequence)

    def _file(self, app: AppRelease) -> str:
        folder = self.target.site.release(self.sequence, self.target.identifier)
        return posixpath.join(folder, f"{app.name}.yaml")


def up(file: str, *options: str) -> tuple[str, ...]:
    """Start a compose file, and wait until all of it is healthy: as long as the step may take.

    Not by `--wait-timeout`: Compose 2.26 can end with 0 when that is over
    (`waitDependencies` in its `pkg/compose/convergence.go`).

    Args:
        file: The file.
        options: Further ones, such as `--no-recreate`.
    """
    return (*COMPOSE, "--file", file, "up", "--detach", "--quiet-pull", "--wait", *options)

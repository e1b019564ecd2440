"""From the old release to the new one, and back where that fails, without a failed request. Pure."""

import posixpath
from dataclasses import dataclass

from . import files, names
from .situation import Container, Situation
from .steps import Drain, Routed, Run, Stage, Step
from .target import AppRelease, Target

COMPOSE = ("docker", "compose", "--ansi", "never", "--progress", "quiet")
# The requests have ended by then: what does not heed SIGTERM, as Node does without a handler, is not waited for.
_DOWN = ("down", "--timeout", "10")
# $1 a compose project. The last health checks: exit code and output of each.
_HEALTH = """
docker ps --all --quiet --filter "label=com.docker.compose.project=$1" | xargs -r docker inspect --format \\
  '{{with .State.Health}}{{.Status}}{{range .Log}}
{{.End.Format "15:04:05"}} exit code {{.ExitCode}} {{.Output}}{{end}}{{end}}'
"""
# $@ compose projects. All in one command: a power cut should find the whole release, or none of it.
_KEEP = """
for project; do
  docker ps --quiet --filter "label=com.docker.compose.project=$project"
done | xargs docker update --restart unless-stopped
"""
# $@ compose projects. Makes them unhealthy, which takes three health checks.
_LEAVE = f"""
ids=$(for project; do
  docker ps --quiet --filter health=healthy --filter "label=com.docker.compose.project=$project"
done)
for id in $ids; do
  docker exec "$id" node -e 'require("fs").writeFileSync("{files.LEAVING}", "")'
done
for id in $ids; do
  while [ "$(docker inspect --format '{{{{.State.Health.Status}}}}' "$id")" = healthy ]; do sleep 0.3; done
done
"""


@dataclass(frozen=True)
class Cutover:
    """A release that takes over.

    Attributes:
        target: The release.
        found: What is on the server.
        sequence: The release's number.
    """

    target: Target
    found: Situation
    sequence: int

    def stages(self) -> list[Stage]:
        """Each app beside the old one, and proved, before anything old is touched.

        Until the last one is proved, all can be undone: the old ones still run, and take over again.
        So they do when the server restarts before that: the new ones do not come back.
        """
        apps = self.target.apps
        made = [self._start(app, apps[: number + 1]) for number, app in enumerate(apps)]
        keep = ("sh", "-c", _KEEP, "keep", *map(self._project, apps))
        step = Run("start with the server", keep)
        return [*made, Stage("take over", (step,), self._undo(apps)), self._retirement()]

    def _start(self, app: AppRelease, started: tuple[AppRelease, ...]) -> Stage:
        project, file = self._project(app), self._file(app)
        logs = (*COMPOSE, "--file", file, "logs", "--no-log-prefix", "--tail", "50")
        said = (
            Run(f"logs of {app.name}", logs),
            Run(f"health checks of {app.name}", ("sh", "-c", _HEALTH, "health", project)),
        )
        steps = (
            Run(f"start {app.name} until it is healthy", up(file), app.start),
            Routed(f"{app.name} is routed", app.url, project),
            Routed(f"{app.name} answers the public", app.url, project, public=True),
        )
        return Stage(f"start {app.name}", steps, (*said, *self._undo(started)))

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
        leave = ("sh", "-c", _LEAVE, "leave", *map(self._project, started))
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
        return self.target.site.app(container.app, container.sequence)

    def _file(self, app: AppRelease) -> str:
        folder = self.target.site.release(self.sequence, self.target.identifier)
        return posixpath.join(folder, f"{app.name}.yaml")


def up(file: str) -> tuple[str, ...]:
    """Start a compose file, and wait until all of it is healthy: as long as the step may take.

    Not by `--wait-timeout`: Compose 2.26 can end with 0 when that is over
    (`waitDependencies` in its `pkg/compose/convergence.go`).
    """
    return (*COMPOSE, "--file", file, "up", "--detach", "--quiet-pull", "--wait")

"""From what is on the server to the steps that bring a release there. Pure."""

import posixpath

from . import compose, envfile, files
from .situation import Container, Situation
from .steps import Drain, Routed, Run, Stage, Step, Write
from .target import AppRelease, Target

COMPOSE = ("docker", "compose")
COMPLETED = "completed"
_PULL_SECONDS = 900.0


def deploy(target: Target, found: Situation) -> tuple[Stage, ...]:
    """The stages of a deploy, in their order.

    Args:
        target: The release.
        found: What is on the server.

    Returns:
        Stages that can be begun again after any of their steps was cut off.
    """
    return _Plan(target, found).stages()


class _Plan:
    """The pieces of one deploy, which share target, situation and number."""

    def __init__(self, target: Target, found: Situation) -> None:
        self.target, self.found = target, found
        self.sequence = found.next_sequence
        self.folder = target.site.release(self.sequence, target.identifier)

    def stages(self) -> tuple[Stage, ...]:
        made = [Stage("files", self._files()), Stage("pull", self._pulls())]
        if self.target.database:
            made.append(Stage("database", self._database()))
        if self.target.migration:
            made.append(Stage("migrations", self._migrations(), self._stop_migrator()))
        made += [stage for app in self.target.apps for stage in self._cut_over(app)]
        mark = Write("completed", posixpath.join(self.folder, COMPLETED), "")
        made.append(Stage("record", (mark, *self._prune())))
        return tuple(stage for stage in made if stage.steps)

    def _files(self) -> tuple[Step, ...]:
        target = self.target
        made: dict[str, str] = {"release.json": target.manifest}
        for app in target.apps:
            made[f"{app.name}.yaml"] = compose.render(files.app(target, app, self.sequence))
            if app.env:
                made[f"{app.name}.env"] = envfile.render(app.env)
        if target.migration:
            file = files.migration(target.site, target.migration, self.sequence)
            made["migrator.yaml"] = compose.render(file)
            made["migrator.env"] = envfile.render(target.migration.env)
        steps = [
            Write(name, posixpath.join(self.folder, name), made[name]) for name in sorted(made)
        ]
        if target.database:
            folder = self._database_folder
            text = compose.render(files.database(target.site, target.database))
            env = envfile.render(target.database.env)
            steps.append(Write("db.env", posixpath.join(folder, files.DATABASE_ENV), env))
            steps.append(Write("database.yaml", posixpath.join(folder, "compose.yaml"), text))
        return tuple(steps)

    @property
    def _database_folder(self) -> str:
        return posixpath.join(self.target.site.folder, "database")

    def _pulls(self) -> tuple[Step, ...]:
        wanted = (image for image in self.target.images if image not in self.found.images)
        return tuple(
            Run(f"pull {image}", ("docker", "pull", "--quiet", image), _PULL_SECONDS)
            for image in wanted
        )

    def _database(self) -> tuple[Step, ...]:
        volume = self.target.site.volume
        made: list[Step] = []
        if volume not in self.found.volumes:
            made.append(Run(f"volume {volume}", ("docker", "volume", "create", volume)))
        file = posixpath.join(self._database_folder, "compose.yaml")
        made.append(Run("start the database", _up(file, 120), 150))
        return tuple(made)

    def _migrations(self) -> tuple[Step, ...]:
        migration = self.target.migration
        assert migration  # noqa: S101 - the stage is left out without one
        seconds = float(migration.seconds)
        made: list[Step] = [Run("migrate", self._migrator(), seconds)]
        if migration.seed:
            made.append(Run("seed", self._migrator("db", "seed"), seconds))
        return tuple(made)

    def _migrator(self, *arguments: str) -> tuple[str, ...]:
        file = posixpath.join(self.folder, "migrator.yaml")
        return (*COMPOSE, "--file", file, "run", "--rm", "--no-TTY", "migrator", *arguments)

    def _stop_migrator(self) -> tuple[Step, ...]:
        """Its client may be gone while it runs, and holds Prisma's lock."""
        file = posixpath.join(self.folder, "migrator.yaml")
        return (Run("remove the migrator", _down(file)),)

    def _cut_over(self, app: AppRelease) -> tuple[Stage, Stage]:
        """Start beside the old; once requests go to the new one it stays, whatever fails later."""
        file = posixpath.join(self.folder, f"{app.name}.yaml")
        name = self.target.site.app(app.name, self.sequence)
        older = self.found.older(app.name, self.sequence)
        url = f"https://{app.routing.host}{app.routing.path}"
        start: tuple[Step, ...] = (
            Run(f"start {app.name} until it is healthy", _up(file, app.start), app.start + 30),
            Routed(f"{app.name} is routed", url, name),
        )
        logs = Run(f"logs of {app.name}", (*COMPOSE, "--file", file, "logs", "--tail", "50"))
        serves = any(container.serves for container in older)
        drain = (Drain("drain", app.drain),) if serves else ()
        return (
            Stage(f"start {app.name}", start, (logs, Run(f"remove {name}", _down(file)))),
            Stage(f"retire {app.name}", (*drain, *map(self._removal, older))),
        )

    def _removal(self, container: Container) -> Step:
        project = self.target.site.app(container.app, container.sequence)
        return Run(f"stop {project}", (*COMPOSE, "--project-name", project, "down"), 90)

    def _prune(self) -> tuple[Step, ...]:
        """Folders of releases beyond those that are kept; this one is not among them yet."""
        old = self.found.releases[: max(0, len(self.found.releases) + 1 - self.target.keep)]
        folders = (self.target.site.release(kept.sequence, kept.identifier) for kept in old)
        return tuple(Run(f"forget {path}", ("rm", "-r", "--", path)) for path in folders)


def _up(file: str, seconds: int) -> tuple[str, ...]:
    wait = ("--wait", "--wait-timeout", str(seconds))
    return (*COMPOSE, "--file", file, "up", "--detach", "--quiet-pull", *wait)


def _down(file: str) -> tuple[str, ...]:
    return (*COMPOSE, "--file", file, "down", "--timeout", "10")

"""From what is on the server to the steps that bring a release there. Pure."""

import posixpath

from . import compose, envfile, files
from .situation import Container, Situation
from .steps import Drain, Routed, Run, Stage, Step, Write
from .target import AppRelease, Database, Target

COMPOSE = ("docker", "compose", "--ansi", "never", "--progress", "quiet")
COMPLETED = "completed"
_PULL_SECONDS = 900.0
_DUMP_SECONDS = 1800.0
# $1 the compose file, $2 the folder, $3 the dump, $4 user, $5 database, $6 how many are kept.
# Postgres' own format is compressed. Names rise with the releases, so the newest sort last.
_DUMP = """
set -eu
umask 077
mkdir -p -- "$2"
trap 'rm -f -- "$2/$3.part"' EXIT
docker compose --file "$1" exec --no-TTY db pg_dump -U "$4" -d "$5" -Fc >"$2/$3.part"
sync -- "$2/$3.part"
mv -f -- "$2/$3.part" "$2/$3"
ls -- "$2" | head -n "-$6" | while read -r old; do rm -f -- "$2/$old"; done
stat -c '%n %s bytes' -- "$2/$3"
"""


def deploy(target: Target, found: Situation) -> tuple[Stage, ...]:
    """The stages of a deploy, in their order.

    Args:
        target: The release.
        found: What is on the server.

    Returns:
        Stages that can be begun again after any of their steps was cut off.
    """
    return _Plan(target, found).stages()


def networks(target: Target) -> tuple[str, ...]:
    """Docker's networks that a release joins; they are there before any deploy."""
    inner = target.database or any(app.internal for app in target.apps)
    return (files.WEB, files.INTERNAL) if inner else (files.WEB,)


class _Plan:
    """The pieces of one deploy, which share target, situation and number."""

    def __init__(self, target: Target, found: Situation) -> None:
        self.target, self.found = target, found
        self.sequence = found.next_sequence
        self.folder = target.site.release(self.sequence, target.identifier)

    def stages(self) -> tuple[Stage, ...]:
        made = [Stage("files", self._files()), self._pulls()]
        if self.target.database:
            made.append(Stage("database", self._database(self.target.database)))
        if self.target.migration:
            made.append(Stage("migrations", self._migrations(), self._stop_migrator()))
        made += self._starts()
        made += [self._retirement(app) for app in self.target.apps]
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

    def _pulls(self) -> Stage:
        """Everything by digest; the login lives in a folder of its own, and goes with it."""
        target, images = self.target, self.target.images
        wanted = [image for image in images if image not in self.found.images]
        folder = posixpath.join(target.site.folder, ".docker")
        docker = ("env", f"DOCKER_CONFIG={folder}", "docker")
        pulls = [
            Run(f"pull {image}", (*docker, "pull", "--quiet", image), _PULL_SECONDS)
            for image in wanted
        ]
        if not pulls or not target.login:
            return Stage("pull", tuple(pulls))
        who = ("--username", target.login.user, "--password-stdin", target.login.host)
        title = f"log in to {target.login.host}"
        login = Run(title, (*docker, "login", *who), stdin=target.login.password)
        out = Run(f"log out of {target.login.host}", ("rm", "-rf", "--", folder))
        return Stage("pull", (login, *pulls, out), (out,))

    def _database(self, database: Database) -> tuple[Step, ...]:
        volume = self.target.site.volume
        made: list[Step] = []
        if volume not in self.found.volumes:
            made.append(Run(f"volume {volume}", ("docker", "volume", "create", volume)))
        file = posixpath.join(self._database_folder, "compose.yaml")
        made.append(Run("start the database", _up(file, 120), 150))
        if database.keep_dumps:
            made.append(self._dump(database, file))
        return tuple(made)

    def _dump(self, database: Database, file: str) -> Step:
        """A dump before the migrations, and only the newest few of them kept."""
        folder = posixpath.join(self._database_folder, "dumps")
        name = f"{self.sequence:06d}-{self.target.identifier}.dump"
        who = (database.user, database.name, str(database.keep_dumps))
        return Run("dump", ("sh", "-c", _DUMP, "dump", file, folder, name, *who), _DUMP_SECONDS)

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

    def _starts(self) -> list[Stage]:
        """Each app beside the old one, and proved, before anything old is touched.

        Until the last one is proved, all can be undone: the old ones still run, and take over at once.
        """
        made: list[Stage] = []
        removals: list[Step] = []
        for app in self.target.apps:
            file, name = self._file(app), self.target.site.app(app.name, self.sequence)
            removals.insert(0, Run(f"remove {name}", _down(file)))
            logs = Run(
                f"logs of {app.name}",
                (*COMPOSE, "--file", file, "logs", "--no-log-prefix", "--tail", "50"),
            )
            steps = (
                Run(f"start {app.name} until it is healthy", _up(file, app.start), app.start + 30),
                Routed(f"{app.name} is routed", app.url, name),
                Routed(f"{app.name} answers the public", app.url, name, public=True),
            )
            made.append(Stage(f"start {app.name}", steps, (logs, *removals)))
        return made

    def _retirement(self, app: AppRelease) -> Stage:
        """Stop what is older, whether it serves or was left behind, after its last requests."""
        older = self.found.older(app.name, self.sequence)
        serves = any(container.serves for container in older)
        drain = (Drain("drain", app.drain),) if serves else ()
        return Stage(f"retire {app.name}", (*drain, *map(self._removal, older)))

    def _file(self, app: AppRelease) -> str:
        return posixpath.join(self.folder, f"{app.name}.yaml")

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

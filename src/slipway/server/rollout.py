"""From what is on the server to the steps that bring a release there. Pure."""

import posixpath
from collections.abc import Iterable

from . import compose, envfile, files, names
from .cutover import COMPOSE, Cutover, up
from .situation import COMPLETED, MIGRATED, Kept, Situation, schema
from .steps import Run, Stage, Step, Write
from .target import Database, Target
from .targetfile import TargetFile

_PULL_SECONDS = 900.0
_DUMP_SECONDS = 1800.0
_DATABASE_SECONDS = 120.0
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
# $1 the file, $2 its copy: whole or not at all, and never readable by others.
_COPY = """
set -eu
umask 077
mkdir -p -- "$(dirname -- "$2")"
part=$(mktemp -- "$2.XXXXXX")
trap 'rm -f -- "$part"' EXIT
cat -- "$1" >"$part"
sync -- "$part"
mv -f -- "$part" "$2"
"""
# $1 the site's folder. Removes the login to the registry, and what a broken connection or a power cut left half
# written: names that `mktemp` made of ours, and dumps that did not come to their end.
_SWEEP = """
rm -rf -- "$1/.docker"
find "$1" -type f \\( -name '*.env.??????' -o -name '*.json.??????' -o -name '*.yaml.??????' \\
  -o -name 'completed.??????' -o -name 'migrated.??????' -o -name '*.dump.part' \\) -delete
"""
# $1 the migrator's compose project: `down` by a project's name passes over what `run` made.
_REMOVE = 'docker ps --all --quiet --filter "label=com.docker.compose.project=$1" | xargs -r docker rm --force'
# $@ images of releases that have gone. One that something still uses stays.
_FORGET = 'timeout 50 docker image rm -- "$@" >/dev/null 2>&1 || true'


def deploy(target: Target, found: Situation) -> tuple[Stage, ...]:
    """The stages of a deploy, in their order.

    Args:
        target: The release.
        found: What is on the server.

    Returns:
        Stages that can be begun again after any of their steps was cut off.
    """
    return _Deploy(target, found).stages()


def rollback(target: Target, found: Situation, kept: Kept) -> tuple[Stage, ...]:
    """The stages of a rollback: a release of its own, made of what an older one left.

    An older container could not be started again in its place: its router's priority is fixed.

    Args:
        target: The older release.
        found: What is on the server.
        kept: Where its files are.

    Returns:
        Stages that can be begun again after any of their steps was cut off.
    """
    return _Rollback(target, found, kept).stages()


def networks(target: Target) -> tuple[str, ...]:
    """Docker's networks that a release joins; they are there before any deploy."""
    inner = target.database or any(app.internal for app in target.apps)
    return (files.WEB, files.INTERNAL) if inner else (files.WEB,)


class _Plan:
    """What a deploy and a rollback have in common: target, situation, number, and the cut-over."""

    def __init__(self, target: Target, found: Situation) -> None:
        self.target, self.found = target, found
        self.sequence = found.next_sequence
        self.origin = self.sequence
        self.folder = target.site.release(self.sequence, target.identifier)

    def stages(self) -> tuple[Stage, ...]:
        made = [self._leftovers(), Stage("files", self._files()), self._pulls()]
        made += self._before()
        made += Cutover(self.target, self.found, self.sequence).stages()
        made.append(Stage("record", (self._mark(COMPLETED), *self._prune())))
        return tuple(stage for stage in made if stage.steps)

    def _leftovers(self) -> Stage:
        """What a deploy that was cut off left, where the next one could stumble over it."""
        site = self.target.site
        projects = [site.app(one.app, one.sequence) for one in self.found.migrators]
        steps: list[Step] = [_remove_migrator(name) for name in projects]
        if self.found.interrupted:
            folder = posixpath.normpath(self.target.site.folder)
            title = "remove what was half written"
            steps.append(Run(title, ("sh", "-c", _SWEEP, "sweep", folder)))
        return Stage("leftovers", tuple(steps))

    def _files(self) -> tuple[Step, ...]:
        made = self._texts()
        return tuple(self._write(name, made[name]) for name in sorted(made))

    def _before(self) -> list[Stage]:
        """What comes before the apps start."""
        return []

    def _texts(self) -> dict[str, str]:
        """The release's own files, by name."""
        target = self.target
        made = {"target.json": TargetFile.of(target, self.origin).json_text()}
        for app in target.apps:
            made[f"{app.name}.yaml"] = compose.render(files.app(target, app, self.sequence))
        return made

    def _write(self, name: str, text: str) -> Step:
        return Write(name, posixpath.join(self.folder, name), text)

    def _mark(self, name: str) -> Step:
        return self._write(name, "")

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
        title = f"log in to {target.login.host} as {target.login.user}"
        login = Run(title, (*docker, "login", *who), stdin=target.login.password)
        out = Run(f"log out of {target.login.host}", ("rm", "-rf", "--", folder))
        return Stage("pull", (login, *pulls, out), (out,))

    def _prune(self) -> tuple[Step, ...]:
        """Releases beyond those that are kept, with the images that only they used.

        This one is not among them yet, and one that never served is nothing to go back to.
        """
        found = self.found.releases
        completed = [release for release in found if release.completed]
        newest = completed[max(0, len(completed) + 1 - self.target.keep) :]
        kept = [*newest, *self._witnesses(newest)]
        old = [release for release in found if release not in kept]
        folders = (self.target.site.release(one.sequence, one.identifier) for one in old)
        steps = [Run(f"forget {path}", ("rm", "-r", "--", path)) for path in folders]
        used = {*TargetFile.of(self.target, self.origin).images, *_images(kept)}
        gone = sorted((_images(old) - used) & self.found.images)
        if gone:
            steps.append(Run("forget their images", ("sh", "-c", _FORGET, "forget", *gone)))
        return tuple(steps)

    def _witnesses(self, kept: list[Kept]) -> list[Kept]:
        """Older releases that alone know of a migration that the database has had."""
        known = {*(self.target.migrations if self.target.migration else ()), *schema(kept)}
        made: list[Kept] = []
        for release in reversed(self.found.releases):
            if release not in kept and (had := schema([release])) - known:
                made.append(release)
                known |= had
        return made


def _images(releases: Iterable[Kept]) -> set[str]:
    return {image for kept in releases if kept.target for image in kept.target.images}


class _Deploy(_Plan):
    """A release that comes to the server."""

    def _before(self) -> list[Stage]:
        made = []
        if self.target.database:
            made.append(Stage("database", self._database(self.target.database)))
        if self.target.migration:
            made.append(Stage("migrations", self._migrations(), self._stop_migrator()))
        return made

    def _files(self) -> tuple[Step, ...]:
        steps, target = list(super()._files()), self.target
        if target.database:
            folder = self._database_folder
            text = compose.render(files.database(target.site, target.database))
            env = envfile.render(target.database.env)
            steps.append(Write("db.env", posixpath.join(folder, files.DATABASE_ENV), env))
            steps.append(Write("database.yaml", posixpath.join(folder, "compose.yaml"), text))
        return tuple(steps)

    def _texts(self) -> dict[str, str]:
        target = self.target
        made = super()._texts() | {"release.json": target.manifest}
        made |= {f"{app.name}.env": envfile.render(app.env) for app in target.apps if app.env}
        if target.migration:
            file = files.migration(target.site, target.migration, self.sequence, target.identifier)
            made["migrator.yaml"] = compose.render(file)
            made["migrator.env"] = envfile.render(target.migration.env)
        return made

    @property
    def _database_folder(self) -> str:
        return posixpath.join(self.target.site.folder, "database")

    def _database(self, database: Database) -> tuple[Step, ...]:
        volume = self.target.site.volume
        made: list[Step] = []
        if volume not in self.found.volumes:
            made.append(Run(f"volume {volume}", ("docker", "volume", "create", volume)))
        file = posixpath.join(self._database_folder, "compose.yaml")
        made.append(Run("start the database", up(file), _DATABASE_SECONDS))
        if database.keep_dumps:
            made.append(self._dump(database, file))
        return tuple(made)

    def _dump(self, database: Database, file: str) -> Step:
        """A dump before the migrations, and only the newest few of them kept."""
        folder = posixpath.join(self._database_folder, "dumps")
        name = f"{self.sequence:06d}-{self.target.identifier}.dump"
        who = (database.user, database.name, str(database.keep_dumps))
        command = ("sh", "-c", _DUMP, "dump", file, folder, name, *who)
        return Run("dump", command, _DUMP_SECONDS, reported=True)

    def _migrations(self) -> tuple[Step, ...]:
        migration = self.target.migration
        assert migration  # noqa: S101 - the stage is left out without one
        seconds = float(migration.seconds)
        made: list[Step] = [Run("migrate", self._migrator(), seconds)]
        if migration.seed:
            made.append(Run("seed", self._migrator("db", "seed"), seconds))
        # Before it: one that fails may have changed the schema all the same.
        return (self._mark(MIGRATED), *made)

    def _migrator(self, *arguments: str) -> tuple[str, ...]:
        file = posixpath.join(self.folder, "migrator.yaml")
        return (*COMPOSE, "--file", file, "run", "--rm", "--no-TTY", "migrator", *arguments)

    def _stop_migrator(self) -> tuple[Step, ...]:
        """Its client may be gone while it runs, and holds Prisma's lock."""
        return (_remove_migrator(self.target.site.app(names.MIGRATOR, self.sequence)),)


class _Rollback(_Plan):
    """A release that was on the server before."""

    def __init__(self, target: Target, found: Situation, kept: Kept) -> None:
        super().__init__(target, found)
        self.origin = kept.origin
        self.source = target.site.release(kept.sequence, kept.identifier)

    def _files(self) -> tuple[Step, ...]:
        """Env files never leave the server."""
        names = ["release.json", *(f"{app.name}.env" for app in self.target.apps if app.has_env)]
        return (*super()._files(), *map(self._copy, names))

    def _copy(self, name: str) -> Step:
        source, path = posixpath.join(self.source, name), posixpath.join(self.folder, name)
        return Run(f"copy {name}", ("sh", "-c", _COPY, "copy", source, path))


def _remove_migrator(project: str) -> Run:
    return Run("remove the migrator", ("sh", "-c", _REMOVE, "remove", project))

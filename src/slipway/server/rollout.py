"""From what is on the server to the steps that bring a release there. Pure."""

import posixpath
from collections.abc import Iterable

from . import compose, envfile, files, names, owner, scripts
from .cutover import COMPOSE, Cutover
from .postgres import Postgres
from .situation import COMPLETED, MIGRATED, Container, Kept, Situation, schema
from .steps import Run, Stage, Step, Write
from .target import Target
from .targetfile import TargetFile

_PULL_SECONDS = 900.0
# Beyond a migration's own seconds: to see that it has ended, and to remove it.
_GRACE_SECONDS = 30.0


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


def files_of(target: Target, found: Situation, kept: Kept) -> dict[str, str]:
    """The files that a release on the server would have if it were this one, by name.

    Args:
        target: The release that is to be deployed.
        found: What is on the server.
        kept: The release on the server.

    Returns:
        What its containers were started from; where a rollback brought it back, nothing of the migrator.
    """
    plan = _Deploy(target, found)
    plan.sequence, plan.origin = kept.sequence, kept.origin
    wanted = [f"{app.name}.{kind}" for app in target.apps for kind in ("yaml", "env")]
    wanted += ["migrator.env"] if kept.origin == kept.sequence else []
    return {name: text for name, text in plan.texts().items() if name in wanted}


class _Plan:
    """What a deploy and a rollback have in common: target, situation, number, and the cut-over."""

    def __init__(self, target: Target, found: Situation) -> None:
        self.target, self.found = target, found
        self.sequence = found.next_sequence
        self.origin = self.sequence
        self.folder = target.site.release(self.sequence, target.identifier)

    def stages(self) -> tuple[Stage, ...]:
        made = [*self._takeover(), *self._leftovers(), self._network()]
        made += [Stage("files", self._files()), self._pulls()]
        made += self._before()
        mark = self._mark(COMPLETED)
        made += Cutover(self.target, self.found, self.sequence, mark).stages()
        made += [Stage("leave the shared network", self._leave()), Stage("record", self._record())]
        return tuple(stage for stage in made if stage.steps)

    def _takeover(self) -> list[Stage]:
        """The folder that slipway 0.1 made gets the site's own name, with all that is in it."""
        if not self.found.former:
            return []
        site = self.target.site
        move = ("sh", "-c", scripts.MOVE, "move", site.former.folder, site.folder)
        return [Stage("take over the site of slipway 0.1", (Run("move its folder", move),))]

    def _leftovers(self) -> list[Stage]:
        """What a deploy that was cut off left, where the next one could stumble over it."""
        made = [self._wait(migrator) for migrator in self.found.migrators]
        if self.found.interrupted:
            sweep = (
                "sh",
                "-c",
                scripts.SWEEP,
                "sweep",
                posixpath.normpath(self.target.site.folder),
            )
            made.append(Stage("leftovers", (Run("remove what was half written", sweep),)))
        return made

    def _wait(self, migrator: Container) -> Stage:
        """A migration that lost its deploy goes on: it ends by itself, or when its time is over."""
        project = migrator.project or self.target.site.app(migrator.app, migrator.sequence)
        command = ("sh", "-c", scripts.AWAIT, "await", project, str(migrator.seconds))
        step = Run("wait for its end", command, migrator.seconds + _GRACE_SECONDS)
        title = f"migrations of {migrator.release}, which lost their deploy: at most {migrator.seconds} s"
        return Stage(title, (step,))

    def _network(self) -> Stage:
        """The site's own network, with its database on it."""
        target, found = self.target, self.found
        if not target.database and not any(app.internal for app in target.apps):
            return Stage("network", ())
        name, steps = target.site.network, list[Step]()
        if name not in found.networks:
            labels = target.site.label_options
            create = ("docker", "network", "create", "--internal", *labels, name)
            steps.append(Run(f"network {name}", create))
        if found.database and name not in found.database.networks:
            known = dict.fromkeys(
                [*([target.database.host] if target.database else []), *found.database.aliases]
            )
            aliases = [f"--alias={alias}" for alias in known]
            connect = ("docker", "network", "connect", *aliases, name, found.database.name)
            steps.append(Run("the database joins it", connect))
        return Stage("network", tuple(steps))

    def _leave(self) -> tuple[Step, ...]:
        """What shared its network with every database has gone by now."""
        database = self.found.database
        if not database or names.SHARED not in database.networks:
            return ()
        command = ("docker", "network", "disconnect", names.SHARED, database.name)
        return (Run("the database leaves it", command),)

    def _record(self) -> tuple[Step, ...]:
        return self._prune()

    def _files(self) -> tuple[Step, ...]:
        made = self.texts()
        return tuple(self._write(name, made[name]) for name in sorted(made))

    def _before(self) -> list[Stage]:
        """What comes before the apps start."""
        return []

    def texts(self) -> dict[str, str]:
        """The release's own files, by name."""
        target = self.target
        made = {"target.json": TargetFile.of(target, self.origin).json_text()}
        for app in target.apps:
            file = files.app(target, app, self.sequence, self.found.proxy)
            made[f"{app.name}.yaml"] = compose.render(file)
        return made

    def _write(self, name: str, text: str) -> Write:
        return Write(name, posixpath.join(self.folder, name), text)

    def _mark(self, name: str) -> Write:
        return self._write(name, "")

    def _pulls(self) -> Stage:
        """Everything by digest; the login lives in a folder of its own, and goes with it.

        After a lost connection the lock's holder removes it (lock.py).
        """
        target, there = self.target, set(self.found.images)
        # A database that is there stays what it is.
        if target.database and self.found.database:
            there.add(target.database.image)
        wanted = [image for image in target.images if image not in there]
        folder = target.site.login_folder
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
        steps: list[Step] = [Run(f"forget {path}", ("rm", "-r", "--", path)) for path in folders]
        used = {*TargetFile.of(self.target, self.origin).images, *_images(kept)}
        gone = sorted((_images(old) - used) & self.found.images)
        if gone:
            steps.append(Run("forget their images", ("sh", "-c", scripts.FORGET, "forget", *gone)))
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
        made = [Stage("database", self._postgres.steps())] if self._postgres else []
        if self.target.migration:
            made.append(Stage("migrations", self._migrations(), self._stop_migrator()))
        return made

    def _files(self) -> tuple[Step, ...]:
        steps, target = list(super()._files()), self.target
        if target.owner and not (self.found.owner and self.found.owner.repository):
            path = posixpath.join(target.site.folder, owner.FILE)
            steps.append(Write("owner", path, target.owner.json_text()))
        return (*steps, *(self._postgres.files() if self._postgres else ()))

    def texts(self) -> dict[str, str]:
        """The release's own files, by name."""
        target = self.target
        made = super().texts() | {"release.json": target.manifest}
        made |= {f"{app.name}.env": envfile.render(app.env) for app in target.apps if app.env}
        if target.migration:
            network = target.site.network if target.database else names.WEB
            file = files.migration(
                target.site, target.migration, self.sequence, target.identifier, network
            )
            made["migrator.yaml"] = compose.render(file)
            made["migrator.env"] = envfile.render(target.migration.env)
        return made

    @property
    def _postgres(self) -> Postgres | None:
        database, site = self.target.database, self.target.site
        dump = f"{self.sequence:06d}-{self.target.identifier}.dump"
        return Postgres(site, database, self.found, dump) if database else None

    def _record(self) -> tuple[Step, ...]:
        kept = self._postgres.keep() if self._postgres else ()
        return (*kept, *super()._record())

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
        return Run(f"copy {name}", ("sh", "-c", scripts.COPY, "copy", source, path))


def _remove_migrator(project: str) -> Run:
    return Run("remove the migrator", ("sh", "-c", scripts.REMOVE, "remove", project))

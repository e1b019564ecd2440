"""A site's Postgres in a deploy: started, proved to be this site's, dumped. Pure."""

import posixpath
from dataclasses import dataclass

from . import compose, envfile, files, names, scripts
from .cutover import up
from .names import Site
from .situation import Situation
from .steps import Run, Step, Write
from .target import Database

_DUMP_SECONDS = 1800.0
_START_SECONDS = 120.0


@dataclass(frozen=True)
class Postgres:
    """The database of one site, and what a deploy does with it.

    Attributes:
        site: The site.
        database: What its address and slipway.toml say of it.
        found: What is on the server.
        dump: The name of this deploy's dump.
    """

    site: Site
    database: Database
    found: Situation
    dump: str

    @property
    def folder(self) -> str:
        """Where its files are."""
        return posixpath.join(self.site.folder, "database")

    @property
    def volume(self) -> str:
        """That of the database which is there: its files are nowhere else."""
        there = self.found.database
        return there.volume if there and there.volume else self.site.volume

    def files(self) -> tuple[Step, ...]:
        """Its compose file, and the environment that it is made with."""
        there = self.found.database
        project = there.project if there else self.site.database
        file = files.database(self.site, self.database, project=project, volume=self.volume)
        env = posixpath.join(self.folder, files.DATABASE_ENV)
        return (
            Write("db.env", env, envfile.render(self.database.env)),
            Write("database.yaml", self._file, compose.render(file)),
        )

    def steps(self) -> tuple[Step, ...]:
        """Started where it does not run, never made again; proved to be this site's before it is used."""
        steps: list[Step] = []
        if not self._has_files:
            create = ("docker", "volume", "create", *self.site.label_options, self.volume)
            steps.append(Run(f"volume {self.volume}", create))
        start = Run("start the database", up(self._file, "--no-recreate"), _START_SECONDS)
        steps += [start, self._prove()]
        # One that is made now has nothing in it.
        if self.database.keep_dumps and self._has_files:
            steps.append(self._dump())
        return tuple(steps)

    def keep(self) -> tuple[Step, ...]:
        """Only a deploy that served lets go of older dumps."""
        if not self.database.keep_dumps or not self._has_files:
            return ()
        arguments = (self._dumps, self.dump, str(self.database.keep_dumps))
        command = ("sh", "-c", scripts.KEEP_DUMPS, "keep", *arguments)
        return (Run("keep the newest dumps", command),)

    @property
    def _has_files(self) -> bool:
        return self.volume in self.found.volumes

    @property
    def _file(self) -> str:
        return posixpath.join(self.folder, "compose.yaml")

    @property
    def _dumps(self) -> str:
        return posixpath.join(self.folder, "dumps")

    def _prove(self) -> Step:
        there = self.found.database
        container = there.name if there else f"{self.site.database}-{files.DATABASE_SERVICE}-1"
        before = any(kept.migrated for kept in self.found.releases)
        return prove(self.site, self.database, container, migrated=before)

    def _dump(self) -> Step:
        """Before the migrations."""
        who = (self.database.user, self.database.name)
        command = ("sh", "-c", scripts.DUMP, "dump", self._file, self._dumps, self.dump, *who)
        return Run("dump", command, _DUMP_SECONDS, reported=True)


# What the proof says of a database that nobody has marked yet.
UNMARKED = "has no mark"


def prove(
    site: Site, database: Database, container: str, *, migrated: bool = False, look: bool = False
) -> Run:
    """Whose the database is that apps of a site reach by the name in its address.

    Args:
        site: The site.
        database: The database, with its password.
        container: The name of its container.
        migrated: Whether earlier releases migrated it: then it cannot be without a table.
        look: Whether one without a mark stays so.
    """
    who = (database.host, database.user, database.name, site.name)
    how = ("migrated" if migrated else "", names.WEB, "look" if look else "")
    command = ("sh", "-c", scripts.PROVE, "prove", container, site.network, *who, *how)
    return Run("whose it is", command, stdin=f"{database.password}\n", reported=True)

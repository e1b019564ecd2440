"""Back to a release that was on the server before: by digest, with its own files."""

from dataclasses import dataclass, field, replace

from slipway.errors import ConfigError
from slipway.progress import Say

from . import rollout
from .change import Change
from .deploy import checked
from .masking import Mask
from .operator import Operator
from .probe import look
from .situation import Kept, Situation
from .steps import Stage
from .target import Login, Target


@dataclass(frozen=True)
class Rollback:
    """What the operator wants.

    Attributes:
        operator: Who rolls back, and where.
        to: The release's name or number; None for the one before.
        force: Also across migrations that it does not know.
        login: User and password of the registry, for images that have gone.
        keep: How many releases stay on the server.
        masked: Takes secrets out of what is shown.
    """

    operator: Operator
    to: str | None = None
    force: bool = False
    login: tuple[str, str] | None = None
    keep: int = 5
    masked: Mask = field(default_factory=Mask)

    async def run(self, say: Say) -> str:
        """Roll back.

        Args:
            say: Shows a line of progress.

        Returns:
            The report.

        Raises:
            ConfigError: There is no such release, or it does not fit; nothing was changed.
            ServerError: A step failed; what served before still does.
        """
        change = Change("rollback", self.operator, say, self.masked)
        async with self.operator.connected() as server:
            say(f"preflight of {self.operator.address.shown}")
            found = await look(server, self.operator.site)
            target, chosen = self._target(found), self._chosen(found)
            _, notes = await checked(server, self.operator, target, {})
            for note in notes:
                say(f"  {note}")
            return await change.carry_out(
                server, target, lambda now: self._plan(target, chosen, now)
            )

    def _plan(self, target: Target, chosen: Kept, found: Situation) -> tuple[Stage, ...]:
        """The plan, unless another deploy ended while this one waited for the lock."""
        if (again := self._chosen(found)) != chosen:
            raise ConfigError(
                "rollback", [f"meanwhile {again.identifier} is what to go back to; look again"]
            )
        return rollout.rollback(target, found, chosen)

    def _chosen(self, found: Situation) -> Kept:
        return choose(found, self.to, force=self.force)

    def _target(self, found: Situation) -> Target:
        kept = self._chosen(found)
        assert kept.target  # noqa: S101 - `choose` refuses one without
        target = replace(kept.target.target(self.operator.site), keep=self.keep)
        if not self.login:
            return target
        host = target.apps[0].image.partition("/")[0]
        return replace(target, login=Login(host, *self.login))


def choose(found: Situation, to: str | None = None, *, force: bool = False) -> Kept:
    """The release to go back to. Pure.

    Args:
        found: What is on the server.
        to: Its name or number; None for the newest completed one before what serves.
        force: Whether it may be one that does not know all migrations that the database had.

    Raises:
        ConfigError: There is none, it serves already, or it does not fit the database.
    """
    chosen, serving = _named(found, to) if to else _previous(found), found.serving
    if serving and chosen.origin == serving.origin:
        raise ConfigError("rollback", [f"{chosen.identifier} is what serves"])
    if not chosen.target:
        raise ConfigError(
            "rollback",
            [f"{chosen.identifier} has no target.json that this slipway reads; deploy it again"],
        )
    unread = [kept for kept in found.unread if kept.sequence > chosen.origin]
    if unread and not force:
        names = ", ".join(f"{kept.identifier} ({kept.sequence})" for kept in unread)
        raise ConfigError(
            "rollback",
            [
                (
                    f"{names} migrated the database, and nobody can tell by what: no target.json that this slipway "
                    f"reads. Where {chosen.identifier} can live with it: --force; else mend forwards"
                )
            ],
        )
    unknown = sorted(found.schema - set(chosen.target.migrations))
    if unknown and not force:
        known = ", ".join(unknown)
        raise ConfigError(
            "rollback",
            [
                (
                    f"the database had migrations that {chosen.identifier} does not know: {known}. They "
                    "are never reversed. Where the older code can live with them: --force; else mend "
                    "forwards"
                )
            ],
        )
    return chosen


def _previous(found: Situation) -> Kept:
    """Before the one that runs; after a rollback, before the one that was gone back to."""
    runs = found.serving or _broken(found)
    before = runs.origin if runs else found.next_sequence
    completed = [kept for kept in found.releases if kept.completed]
    older = [kept for kept in completed if kept.sequence < before]
    # Where they have been pruned, a later rollback to one of them is left.
    again = sorted((kept for kept in completed if kept.origin < before), key=lambda k: k.origin)
    if not older and not again:
        raise ConfigError("rollback", [f"there is no completed release before it; {_list(found)}"])
    return (older or again)[-1]


def _broken(found: Situation) -> Kept | None:
    """Where nothing serves: the newest completed release that still has containers."""
    numbers = {container.sequence for container in found.containers}
    there = [kept for kept in found.releases if kept.completed and kept.sequence in numbers]
    return there[-1] if there else None


def _named(found: Situation, to: str) -> Kept:
    fitting = [
        kept
        for kept in found.releases
        if kept.completed and to in (kept.identifier, str(kept.sequence))
    ]
    if not fitting:
        raise ConfigError("--to", [f'"{to}": no such completed release; {_list(found)}'])
    return fitting[-1]


def _list(found: Situation) -> str:
    names = [f"{kept.identifier} ({kept.sequence})" for kept in found.releases if kept.completed]
    return f"on the server: {', '.join(names) or 'none'}"

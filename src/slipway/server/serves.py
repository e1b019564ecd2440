"""Whether a release serves already, whole and with the same settings: then a deploy has nothing to do."""

import hashlib
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from . import rollout
from .operator import Operator
from .postgres import UNMARKED, prove
from .probe import located, look
from .routing import Answer, Router
from .situation import Kept, Situation
from .ssh import Server
from .target import Target
from .targetfile import TargetFile

_BROKEN = 500
# Prints digests alone: what is in these files stays where it is.
_SUMS = 'cd -- "$1" || exit 1; shift; sha256sum -- "$@" 2>/dev/null || true'


@dataclass(frozen=True)
class Verdict:
    """What was read back.

    Attributes:
        kept: The release that serves, if any.
        differs: Why it is not the one that is to be deployed; empty where it is.
    """

    kept: Kept | None
    differs: str = ""


async def serves(server: Server, operator: Operator, target: Target) -> Verdict:
    """Compare what serves with what is to be deployed; nothing is changed.

    Args:
        server: The server.
        operator: Who asks.
        target: The release.

    Raises:
        ServerError: Docker does not answer.
    """
    site = await located(server, target.site)
    found = await look(server, target.site)
    verdict = judged(target, found)
    if not verdict.kept or verdict.differs:
        return verdict
    kept = verdict.kept
    wanted = rollout.files_of(target, found, kept)
    folder = site.release(kept.sequence, kept.identifier)
    done = await server.run("sh", "-c", _SUMS, "sums", posixpath.normpath(folder), *sorted(wanted))
    if changed := other_files(wanted, done.output):
        return Verdict(kept, f"{', '.join(changed)} would be others")
    for app in target.apps:
        release = site.app(app.name, kept.sequence)
        for router in (operator.router, Router(ca=operator.ca)):
            answer = await router.ask(app.url)
            if not _answers(answer, release):
                return Verdict(kept, f"{app.url} is not answered by it: {answer}")
    if target.database and found.database:
        proof = prove(target.site, target.database, found.database.name, look=True)
        said = await server.run(*proof.command, stdin=proof.stdin)
        # Without a mark it may be another one by now: a deploy finds that out.
        if said.code or UNMARKED in said.output:
            return Verdict(
                kept, f"the database: {(said.error if said.code else said.output).strip()}"
            )
    return verdict


def judged(target: Target, found: Situation) -> Verdict:
    """What the server's containers and its releases' files tell.

    Args:
        target: The release that is to be deployed.
        found: What is on the server.
    """
    kept = found.serving
    if not kept:
        return Verdict(None, "nothing serves")
    return Verdict(kept, next(_differences(target, found, kept), ""))


def _differences(target: Target, found: Situation, kept: Kept) -> Iterator[str]:
    """Why what serves is not what is to be deployed, the plainest reason first."""
    if kept.identifier != target.identifier:
        yield f"{kept.identifier} serves"
    if found.interrupted or found.former:
        yield "an earlier deploy did not come to its end"
    if kept.target != TargetFile.of(target, kept.origin):
        yield "its images or settings would be others"
    if any(c.sequence != kept.sequence for c in found.containers):
        yield "containers of another release are still there"
    ours = {c.app: c for c in found.containers if c.sequence == kept.sequence}
    for app in target.apps:
        if app.name not in ours or not ours[app.name].serves:
            yield f"{app.name} is not healthy"
        elif ours[app.name].image != app.image:
            yield f"{app.name} runs another image"
    database = found.database
    there = database and database.running and target.site.network in database.networks
    if target.database and not there:
        yield "the database does not run"


def other_files(wanted: Mapping[str, str], sums: str) -> list[str]:
    """Files that are not what they should be.

    Args:
        wanted: Name → text.
        sums: What sha256sum printed of those that are there.
    """
    there = {
        name: digest for digest, _, name in (line.partition("  ") for line in sums.splitlines())
    }
    return sorted(
        name
        for name, text in wanted.items()
        if there.get(name) != hashlib.sha256(text.encode()).hexdigest()
    )


def _answers(answer: Answer, release: str) -> bool:
    return answer.release == release and answer.status < _BROKEN

"""The audit log: one JSON line for each deploy, whatever became of it; lines are only ever added."""

import json
import posixpath
from dataclasses import asdict, dataclass, field, fields

from .names import Site
from .ssh import Server

# One write of a short line at the end of a file is whole (POSIX, O_APPEND).
_APPEND = 'set -eu; umask 077; mkdir -p -- "$(dirname -- "$1")"; cat >>"$1"; sync -- "$1"'


@dataclass(frozen=True)
class Entry:
    """What happened.

    Attributes:
        time: When it ended, ISO 8601 in UTC.
        what: `deploy` or `rollback`.
        who: The person or job.
        release: The release's name.
        sequence: Its number on this server.
        result: `done`, or what failed.
        seconds: How long it took.
        images: App → digest.
        job: The job's address, if it was one.
    """

    time: str
    what: str
    who: str
    release: str
    sequence: int
    result: str
    seconds: float
    images: dict[str, str] = field(default_factory=dict)
    job: str = ""

    def line(self) -> str:
        """As it stands in the log."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"


def read(text: str) -> tuple[Entry, ...]:
    """The entries of a log, oldest first.

    A line that a power cut tore is passed over, and what a later slipway says more, too.

    Args:
        text: Lines of the log.
    """
    return tuple(entry for line in text.split("\n") if (entry := _entry(line)))


def _entry(line: str) -> Entry | None:
    try:
        told = json.loads(line)
        return Entry(**{name: told[name] for name in _FIELDS if name in told})
    except (ValueError, TypeError):
        return None


_FIELDS = tuple(one.name for one in fields(Entry))


async def record(server: Server, site: Site, entry: Entry) -> None:
    """Add a line to a site's log.

    Raises:
        ServerError: It could not be written.
    """
    file = posixpath.join(site.folder, "audit.jsonl")
    done = await server.run("sh", "-c", _APPEND, "audit", file, stdin=entry.line())
    done.checked("writing the audit log")

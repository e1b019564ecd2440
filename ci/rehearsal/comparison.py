"""What was read of the sites on a server: as a table, and what is wrong with it. Pure."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

# Below the name of the site.
TAGLINE = re.compile(r"<header>.*?<p>(.*?)</p>", re.DOTALL)
# The API answers no more than the newest of them.
MOST = 100
HEAD = ("ADDRESS", "ANSWER", "RELEASE", "CONTENT, AS READ FROM THE PAGE AND FROM THE DATABASE")


@dataclass(frozen=True)
class Row:
    """A session of the example; two of two databases are the same only where one was copied.

    Attributes:
        id: Its number.
        title: Its text.
        minutes: How long it was.
        mood: How it felt.
        created: When it was written, as the API spells it, to the millisecond.
    """

    id: int
    title: str
    minutes: int
    mood: str
    created: str

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Row:
        """From what the API answers."""
        return cls(*(plain[key] for key in ("id", "title", "minutes", "mood", "createdAt")))

    def __str__(self) -> str:
        """For messages."""
        return f"'{self.title}' of {self.created}"


@dataclass(frozen=True)
class Answer:
    """What an address answered.

    Attributes:
        url: The address.
        status: The HTTP status.
        release: Which release answered, as its header says.
        text: The body.
    """

    url: str
    status: int
    release: str
    text: str = ""


@dataclass(frozen=True)
class Reading:
    """What was read of one site.

    Attributes:
        site: Its name, such as `mindfulspace--staging`.
        page: The answer of its front page.
        api: The answer of its API.
        wanted: What the front page is to say.
        said: What it says.
        answered: The rows that its API shows, newest first.
        written: The rows that its API said it had written.
        databases: Each of its database containers → the rows in it, newest first.
        network: The databases on its network, whoever's they are.
    """

    site: str
    page: Answer
    api: Answer
    wanted: str
    said: str
    answered: tuple[Row, ...]
    written: tuple[Row, ...]
    databases: Mapping[str, tuple[Row, ...]]
    network: tuple[str, ...]

    @property
    def stored(self) -> tuple[Row, ...] | None:
        """The rows in its database; None where there is none, or more than one."""
        return next(iter(self.databases.values())) if len(self.databases) == 1 else None


def tagline(page: str) -> str:
    """What a front page says of itself; empty where it has no such line."""
    line = TAGLINE.search(page)
    return html.unescape(line[1]) if line else ""


def rows(answer: str) -> tuple[Row, ...]:
    """The sessions of an answer of the API, or of the query."""
    return tuple(Row.of(plain) for plain in json.loads(answer))


def complaints(readings: Sequence[Reading], shared: Sequence[str]) -> list[str]:
    """Everything that is wrong.

    Args:
        readings: One of each site.
        shared: The databases on the network that the sites share.

    Returns:
        A line for each; none where each site has its own data and shows it.
    """
    own = [line for reading in readings for line in _own(reading)]
    between = [line for one, other in permutations(readings, 2) for line in _between(one, other)]
    reachable = [
        f"{name}: is on the network of the proxy; every site reaches it" for name in shared
    ]
    return [*own, *between, *reachable]


def _own(reading: Reading) -> Iterator[str]:
    """What is wrong with a site by itself."""
    yield from _answers(reading)
    if len(reading.databases) != 1:
        yield f"{reading.site}: expected one database container, there {_are(reading.databases)}"
    if set(reading.network) != set(reading.databases):
        yield (
            f"{reading.site}: its network is to have its own database alone ({_named(reading.databases)}); "
            f"on it {_are(reading.network)}"
        )
    if reading.stored is not None:
        yield from _rows(reading, reading.stored)


def _answers(reading: Reading) -> Iterator[str]:
    """By a release of the site's own, with the words that were deployed."""
    for answer in (reading.page, reading.api):
        if not answer.release.startswith(f"{reading.site}--"):
            by = answer.release or "no release"
            yield f"{reading.site}: {answer.url} is answered by {by}, which is not of this site"
    if reading.said != reading.wanted:
        yield f"{reading.site}: its front page says '{reading.said}'; expected '{reading.wanted}'"


def _rows(reading: Reading, stored: tuple[Row, ...]) -> Iterator[str]:
    """The database has what was written to it, and the API shows what the database has."""
    if not reading.written:
        yield f"{reading.site}: nothing was written by its API, so nothing tells its data from others'"
    for row in reading.written:
        if row not in stored:
            yield f"{reading.site}: its API wrote {row}, which is not in its database"
    if reading.answered != stored[:MOST]:
        yield (
            f"{reading.site}: its API does not show what is in its database; "
            f"only shown: {_some(_without(reading.answered, stored))}; "
            f"only in the database: {_some(_without(stored[:MOST], reading.answered))}"
        )


def _between(one: Reading, other: Reading) -> Iterator[str]:
    """What of one site is in the other's database, or shown by its API."""
    theirs = {*(one.stored or ()), *one.written} - set(other.written)
    if stored := [row for row in other.stored or () if row in theirs]:
        yield f"{other.site}: in its database are rows of {one.site}: {_some(stored)}"
    if shown := [row for row in other.answered if row in theirs]:
        yield f"{other.site}: its API shows rows of {one.site}: {_some(shown)}"


def table(readings: Sequence[Reading]) -> str:
    """Each address, who answered, and what was read."""
    lines = [HEAD]
    for reading in readings:
        lines += [
            _line(reading.page, f"'{reading.said}'"),
            _line(reading.api, content(reading.stored)),
        ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  " + "  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def content(rows: tuple[Row, ...] | None) -> str:
    """What is in a database, in a few words."""
    if rows is None:
        return "not read: see below"
    sessions = "session" if len(rows) == 1 else "sessions"
    return f"{len(rows)} {sessions}, the last: '{rows[0].title}'" if rows else "no session"


def _line(answer: Answer, what: str) -> tuple[str, str, str, str]:
    return answer.url, str(answer.status), answer.release or "no release", what


def _without(rows: Sequence[Row], others: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row not in others]


def _some(rows: Sequence[Row]) -> str:
    """How many, and the newest."""
    if not rows:
        return "none"
    return str(rows[0]) if len(rows) == 1 else f"{len(rows)}, the newest {rows[0]}"


def _named(names: Sequence[str] | Mapping[str, Any]) -> str:
    return ", ".join(names) or "none"


def _are(names: Sequence[str] | Mapping[str, Any]) -> str:
    return f"are {len(names)}: {_named(names)}" if len(names) != 1 else f"is {_named(names)}"

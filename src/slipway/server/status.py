"""What an environment looks like, as values, and as text made for three in the morning. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from slipway.report import size, table

from .audit import Entry
from .inventory import Listed
from .names import DATABASE, LABEL, Site
from .routing import Answer
from .situation import Situation

# Certificates are renewed a month before their end; later something is wrong.
_SOON_DAYS = 14


@dataclass(frozen=True)
class Address:
    """A public address.

    Attributes:
        app: The app that it leads to.
        url: The address.
        answer: What came back.
        days: Days until its certificate ends; None where there was none to see.
    """

    app: str
    url: str
    answer: Answer
    days: int | None = None


@dataclass(frozen=True)
class State:
    """All that was seen.

    Attributes:
        site: Project and environment.
        found: What a plan would be made from.
        containers: The site's containers, the database's among them.
        addresses: The public addresses of what serves.
        free: Bytes free where Docker keeps its data.
        total: Bytes there altogether.
        dump: The newest dump: name, bytes, time; empty where there is none.
        lock: Who holds the lock; empty where nobody does.
        audit: The last lines of the audit log.
        error: What docker said instead of an answer.
    """

    site: Site
    found: Situation = field(default_factory=Situation)
    containers: tuple[Listed, ...] = ()
    addresses: tuple[Address, ...] = ()
    free: int = 0
    total: int = 0
    dump: str = ""
    lock: str = ""
    audit: tuple[Entry, ...] = ()
    error: str = ""


def render(state: State) -> str:
    """The state as text."""
    blocks = [
        _head(state),
        _block("Containers", ("", "STATE", "SINCE", "RESTARTS", "IMAGE"), _containers(state)),
        _block("Addresses", ("", "ANSWER", "CERTIFICATE", ""), map(_address, state.addresses)),
        _server(state),
        _block("Releases", ("NUMBER", "RELEASE", ""), _releases(state.found)),
        _block("Last", ("TIME", "WHAT", "RELEASE", "WHO", "RESULT"), map(_entry, state.audit)),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _head(state: State) -> list[str]:
    serving = state.found.serving
    if state.error:
        return [f"{state.site.name}: docker does not answer: {state.error}"]
    if serving:
        return [f"{state.site.name} runs {serving.identifier} (number {serving.sequence})"]
    if state.found.containers:
        return [f"{state.site.name}: NOTHING SERVES; its containers are below"]
    return [f"{state.site.name}: nothing is deployed"]


def _block(title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    made = list(rows)
    return [f"{title}:", *table([heads, *made])] if made else []


def _containers(state: State) -> list[tuple[str, ...]]:
    return sorted(_container(one, state) for one in state.containers)


def _container(one: Listed, state: State) -> tuple[str, ...]:
    sequence = one.labels.get(f"{LABEL}.sequence", "")
    app = one.labels.get(f"{LABEL}.app", DATABASE)
    shown = f"{one.status}, {one.health}" if one.health else one.status
    serving = state.found.serving
    if sequence and serving and int(sequence) < serving.sequence:
        shown += ", LEFT OVER"
    name, _, digest = one.image.rpartition("@sha256:")
    since = one.started[:19].replace("T", " ")
    return (
        f"{app} {sequence}".strip(),
        shown,
        since,
        str(one.restarts),
        f"{name.rpartition('/')[2]} {digest[:12]}" if name else one.image,
    )


def _address(one: Address) -> tuple[str, ...]:
    days = "none seen" if one.days is None else f"{one.days} days left"
    if one.days is not None and one.days < _SOON_DAYS:
        days += ", RENEW IT"
    return one.app, str(one.answer), days, one.url


def _server(state: State) -> list[str]:
    facts = []
    if state.total:
        facts.append(("disk", f"{size(state.free)} free of {size(state.total)}"))
    if state.found.releases:
        facts.append(("newest dump", state.dump or "none"))
    facts.append(("lock", state.lock or "free"))
    return ["Server:", *table(facts)]


def _releases(found: Situation) -> list[tuple[str, ...]]:
    return [
        (
            str(kept.sequence),
            kept.identifier,
            "completed"
            if kept.completed
            else ("migrations begun, NOT COMPLETED" if kept.migrated else "NOT COMPLETED"),
        )
        for kept in found.releases
    ]


def _entry(entry: Entry) -> tuple[str, ...]:
    return entry.time, entry.what, entry.release, entry.who, entry.result

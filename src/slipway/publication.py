"""What somebody wants to publish, and what that comes to: values. Pure."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# Enough to see what is meant; `git status` has them all.
_SHOWN = 5


@dataclass(frozen=True)
class Tree:
    """How the files that stand there differ from the commit.

    Attributes:
        changed: Paths that differ, relative to the repo.
        digest: What tells these changes from others, in hexadecimal digits; empty without any.
        unknown: Why it cannot be told whether any differ; empty where it can.
    """

    changed: tuple[str, ...] = ()
    digest: str = ""
    unknown: str = ""

    @property
    def dirty(self) -> bool:
        """Whether any file differs."""
        return bool(self.changed)

    def told(self) -> str:
        """`2 files are not committed (a.ts, b.ts)`."""
        names = ", ".join(self.changed[:_SHOWN]) + (", …" if len(self.changed) > _SHOWN else "")
        count = len(self.changed)
        return f"{count} file{'s are' if count > 1 else ' is'} not committed ({names})"


@dataclass(frozen=True)
class Request:
    """What somebody wants to publish.

    Attributes:
        environment: The environment's name.
        images: The names of the images.
        registry: The address given on the command line or in .env, if any.
        user: The registry's user given there, if any.
        password: Whether a password is given.
        revision: The commit given, if any.
        version: The Git tag given, if any.
        force: Publish to production although the tree is dirty or the commit has no tag.
        who: Who publishes, for whoever finds the images there later; empty where nobody says.
        job: The job's address.
        api_url: NEXT_PUBLIC_API_URL of this call alone, if it was given.
    """

    environment: str
    images: tuple[str, ...]
    registry: str | None = None
    user: str | None = None
    password: bool = False
    revision: str | None = None
    version: str | None = None
    force: bool = False
    who: str = ""
    job: str = ""
    api_url: str | None = None

    def json_text(self) -> str:
        """What `requested` reads."""
        return json.dumps(asdict(self))


def requested(text: str, *, force: bool) -> Request:
    """The request of an earlier call.

    Args:
        text: What `Request.json_text` wrote.
        force: As in `Request`.
    """
    values = json.loads(text)
    return Request(**{**values, "images": tuple(values["images"]), "force": force})


@dataclass(frozen=True)
class Tags:
    """The tags of one image.

    Attributes:
        commit: Stands for what was built of the commit, and never for anything else.
        release: The Git tag, in production; it stays too.
        moving: The environment's.
    """

    commit: str
    release: str | None
    moving: str

    @property
    def staying(self) -> tuple[str, ...]:
        """Those that stay, the release's first."""
        return (self.release, self.commit) if self.release else (self.commit,)

    @property
    def all(self) -> tuple[str, ...]:
        """Every tag, the moving one last."""
        return (*self.staying, self.moving)


@dataclass(frozen=True)
class Plan:
    """What is pushed where.

    Attributes:
        environment: The environment's name.
        registry: The address that images are pushed below.
        user: Who logs in; None where nobody does.
        repositories: Image → its repository, host included.
        tags: Image → its tags.
        revision: The commit.
        version: The Git tag, if there is one.
        notes: Sentences the reader should not miss.
    """

    environment: str
    registry: str
    user: str | None
    repositories: Mapping[str, str]
    tags: Mapping[str, Tags]
    revision: str
    version: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The registry's host and port."""
        return self.registry.partition("/")[0]

    @property
    def moving(self) -> str:
        """The environment's tag."""
        return next(iter(self.tags.values())).moving


def listed(names: Iterable[str]) -> str:
    """`api, frontend`, or `none`."""
    return ", ".join(names) or "none"


def words(tags: Sequence[str]) -> str:
    """Tags for a table: a commit's hash by its first twelve digits."""
    return ", ".join(COMMIT.sub(lambda found: found[0][:12], tag) for tag in tags)

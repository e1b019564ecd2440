"""Who published an image, and when: kept beside the image in the registry, as it is no part of it. Pure."""

import json
import re
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Self

LABEL = "slipway.published"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True)
class Provenance:
    """What is known of a publication.

    Attributes:
        digest: The image's digest.
        time: When it was pushed, ISO 8601 in UTC.
        who: The person or job; empty where nobody said.
        job: The job's address; empty where it was none.
        environment: The environment that it was first published for.
        sbom: The name of the bill of materials beside it; empty without one.
    """

    digest: str
    time: str
    who: str = ""
    job: str = ""
    environment: str = ""
    sbom: str = ""

    @property
    def tag(self) -> str:
        """The tag of the record, in the image's own repository."""
        return tag(self.digest)

    @property
    def label(self) -> str:
        """The record's label."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def read(cls, label: str | None, digest: str) -> Self | None:
        """What a record says.

        Args:
            label: Its label.
            digest: The image that it should speak of.

        Returns:
            None where it says nothing that can be read, or speaks of another image.
        """
        try:
            values = json.loads(label or "")
            made = cls(**{f.name: values[f.name] for f in fields(cls) if f.name in values})
            datetime.fromisoformat(made.time)
        except (ValueError, TypeError):
            return None
        texts = all(isinstance(value, str) for value in asdict(made).values())
        return made if texts and made.digest == digest else None

    def told(self, now: float) -> str:
        """`published 12 min ago by Jane`.

        Args:
            now: This moment, in seconds since the epoch.
        """
        by = f" by {self.who}" if self.who else ""
        then = datetime.fromisoformat(self.time)
        # Without a zone it is UTC.
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        return f"published {_ago(now - then.timestamp())}{by}"


def tag(digest: str) -> str:
    """The tag of an image's record: `sha256-….slipway`.

    Args:
        digest: The image's digest.
    """
    return re.sub(r"[^0-9a-zA-Z]", "-", digest) + ".slipway"


def _ago(seconds: float) -> str:
    if seconds < _MINUTE:
        return "just now"
    for unit, name in ((_DAY, "day"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            count = int(seconds // unit)
            return f"{count} {name}{'s' * (name == 'day' and count > 1)} ago"
    return "just now"

"""What went into an image, as a digest that tells it again: labels of the image, and their comparison. Pure."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from .registryimage import digest

# The image's own labels: one digest, and below it what it is made of.
DIGEST = "slipway.inputs"
PARTS = "slipway.inputs.parts"
# What changes without the commit: where only these differ, the commit's image stays what it is.
BASE, BUILD_IMAGE, NODE, PLATFORM, RECIPE = "base", "build image", "node", "platform", "slipway"
OUTSIDE = frozenset({BASE, BUILD_IMAGE, NODE, RECIPE})
# What a caller gives, whichever slipway it is: build arguments, and the key of the server actions.
ARGUMENT = "argument "
# What slipway concludes from a commit: a later one may conclude otherwise.
SETTINGS, PNPM = "settings", "pnpm"
RETOLD = frozenset({SETTINGS, PNPM})
_LONG_DIGEST = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{20,}")


@dataclass(frozen=True)
class Inputs:
    """What an image is made of.

    Attributes:
        parts: What it is → its value or digest: files of a folder, an argument, the base image, ….
    """

    parts: Mapping[str, str]

    @property
    def digest(self) -> str:
        """One digest of all."""
        return digest(self._text.encode())

    @property
    def labels(self) -> dict[str, str]:
        """The labels of an image that is made of these."""
        return {DIGEST: self.digest, PARTS: self._text}

    @property
    def _text(self) -> str:
        return json.dumps(self.parts, sort_keys=True, separators=(",", ":"))

    @classmethod
    def of(cls, labels: Mapping[str, str]) -> Self | None:
        """What an image says that it was made of.

        Args:
            labels: The image's labels.

        Returns:
            The inputs, or None where it says nothing of them.

        Raises:
            ValueError: The labels do not fit each other.
        """
        if DIGEST not in labels and PARTS not in labels:
            return None
        try:
            parts = json.loads(labels.get(PARTS, ""))
        except ValueError:
            raise ValueError(f"its label {PARTS} is not what slipway writes") from None
        if not isinstance(parts, dict) or not all(isinstance(v, str) for v in parts.values()):
            raise ValueError(f"its label {PARTS} is not what slipway writes")
        made = cls(parts)
        if labels.get(DIGEST) != made.digest:
            raise ValueError(
                f"its label {DIGEST} is {labels.get(DIGEST, 'missing')}, and what {PARTS} lists comes to {made.digest}"
            )
        return made


def differing(held: Inputs, wanted: Inputs) -> tuple[list[str], list[str]]:
    """What differs between the inputs of an image and those of another.

    Args:
        held: Those of the image in the registry.
        wanted: Those of the image that would be built.

    Returns:
        A line for each difference that the caller brought about, and one for each that came from outside:
        a base image that is newer now, another slipway.
    """
    names = sorted({*held.parts, *wanted.parts})
    outside = {name for name in names if name in OUTSIDE or _retold(name, held, wanted)}
    lines = {
        name: _difference(name, held.parts.get(name), wanted.parts.get(name))
        for name in names
        if held.parts.get(name) != wanted.parts.get(name)
    }
    return (
        [line for name, line in lines.items() if name not in outside],
        [line for name, line in lines.items() if name in outside],
    )


def _retold(name: str, held: Inputs, wanted: Inputs) -> bool:
    """Whether another slipway may tell a part otherwise, or by another name, though the commit is the same."""
    if held.parts.get(RECIPE) == wanted.parts.get(RECIPE) or name.startswith(ARGUMENT):
        return False
    return name in RETOLD or not (name in held.parts and name in wanted.parts)


def _difference(name: str, there: str | None, here: str | None) -> str:
    return f"{name}: {_shown(there)} there, {_shown(here)} here"


def _shown(value: str | None) -> str:
    return "none" if value is None else _LONG_DIGEST.sub(r"\1", value)


def argument(name: str, value: str) -> str:
    """A build argument as a part: its value where everybody sees it anyway, else a digest.

    Args:
        name: Its name.
        value: Its value.
    """
    return value if name.startswith("NEXT_PUBLIC_") else short(value)


def short(*texts: str) -> str:
    """128 bits of a digest of texts, in hexadecimal digits.

    Args:
        texts: The texts; where one ends and the next begins counts.
    """
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:32]


def listed(lines: Sequence[str]) -> str:
    """Differences in one sentence."""
    return "; ".join(lines)

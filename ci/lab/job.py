"""One image being made: what it may use and where it leaves traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .machine import Machine


@dataclass(frozen=True)
class Job:
    """The surroundings of one build.

    Attributes:
        lent: what the machine lends to the image.
        scratch: a folder of its own, removed afterwards.
        log: the file that its commands write to.
    """

    lent: Machine
    scratch: Path
    log: Path

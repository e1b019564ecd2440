"""Writes the results: raw figures and the table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import machine, tables
from .measuring import Sample
from .settings import Plan
from .summary import Row, rows


@dataclass(frozen=True)
class Results:
    """The folder that they go to.

    Attributes:
        folder: Made if it is not there.
        plan: What was asked for.
        facts: The machine and the versions.
    """

    folder: Path
    plan: Plan
    facts: dict[str, Any]

    def keep(self, samples: Sequence[Sample]) -> None:
        """Write the raw figures: after each one, so that nothing that was measured is lost."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {
            "machine": self.facts,
            "plan": asdict(self.plan),
            "results": [_plain(row) for row in rows(samples)],
            "samples": [asdict(sample) for sample in samples],
        }
        part = self.folder / "bench.json.part"
        part.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        part.replace(self.folder / "bench.json")

    def finish(self, found: Sequence[Row]) -> None:
        """Print the table, and write it as Markdown."""
        tables.show(found)
        text = machine.line(self.facts)
        (self.folder / "bench.md").write_text(tables.markdown(found, text))
        print(text)


def _plain(row: Row) -> dict[str, Any]:
    return {
        "case": row.case.name,
        "seconds": {side: asdict(found) for side, found in row.seconds.items()},
        "ratio": asdict(row.ratio) if row.ratio else None,
        "target": str(row.case.target) if row.case.target else None,
        "met": row.met,
    }

"""Writes both files."""

from __future__ import annotations

import sys
from pathlib import Path

from ci.reference import page, schema

DOCS = Path(__file__).parent.parent.parent / "docs"


def made() -> dict[Path, str]:
    """What the files should hold."""
    return {
        DOCS / "slipway.schema.json": schema.text(),
        DOCS / "configuration.md": page.text(schema.schema()),
    }


def main() -> None:
    """Write what differs."""
    for path, text in made().items():
        same = path.is_file() and path.read_text() == text
        if not same:
            path.write_text(text)
        sys.stdout.write(f"{path.name}: {'as it was' if same else 'written'}\n")


if __name__ == "__main__":
    main()

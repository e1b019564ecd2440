"""What to do about failures that name themselves."""

import re

# Prisma's codes: failed migrations are in the database, and a migration failed to apply
# (https://www.prisma.io/docs/orm/reference/error-reference).
_HALF_WAY = re.compile(r"\bP30(?:09|18)\b")
_RESOLVE = (
    "A migration stopped half-way, and Prisma goes on only when it is told what became of it: undo or finish "
    "it by hand, then run the migrator with `migrate resolve --rolled-back NAME` or `--applied NAME` "
    "(docs/operating.md)."
)


def hints(text: str) -> list[str]:
    """Lines to add to an error.

    Args:
        text: What failed, and what it printed.
    """
    return [_RESOLVE] if _HALF_WAY.search(text) else []

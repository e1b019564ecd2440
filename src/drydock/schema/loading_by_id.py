"""`loadContainerFromID` and its like: how the clients of engines before v0.21 turn an id into an object."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drydock.schema.registry import Resolvers
    from drydock.session import Session

_TYPES = re.compile(r"^type (\w+) implements .*\bNode\b", re.MULTILINE)
_QUERY = re.compile(r"^type Query\b.*{$", re.MULTILINE)


def added(api: str) -> str:
    """The API's definition with a field of `Query` for every type that has an id."""
    fields = "\n".join(
        f'  load{name}FromID(id: ID! @expectedType(name: "{name}")): {name}!'
        for name in _TYPES.findall(api)
    )
    return _QUERY.sub(lambda start: f"{start[0]}\n{fields}", api, count=1)


def install(resolvers: Resolvers, api: str) -> None:
    """Serve them."""
    resolvers.serves("Query", *(f"load{name}FromID" for name in _TYPES.findall(api)))(_load)


def _load(_session: Session, _query: None, *, id: Any) -> Any:  # noqa: A002  # the API's name
    return id

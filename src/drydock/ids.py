"""Ids of a session's objects."""

from __future__ import annotations

from typing import Any

from drydock.errors import ApiError


class Ids:
    """Objects by id: the type's name and the digest of the object's recipe.

    An id is only known to the session that gave it.
    """

    def __init__(self) -> None:
        self._objects: dict[str, Any] = {}
        self.interfaces: dict[str, set[str]] = {}
        """What each type implements in this session."""

    def put(self, value: Any) -> str:
        """The id of an object."""
        name = "Query" if value is None else value.type_name
        key = f"{name}@{value.key if value is not None else 'root'}"
        self._objects[key] = value
        return key

    def __contains__(self, key: str) -> bool:
        """Whether this session gave the id."""
        return key in self._objects

    def get(self, key: str, expected: str | None = None) -> Any:
        """The object with this id.

        Raises:
            ApiError: If this session gave no such id, or it names an object of another type than `expected`.
        """
        if key not in self._objects:
            raise ApiError(f"no object with the id {key!r} in this session")
        value = self._objects[key]
        implemented = self.interfaces.get(value.type_name) or set(getattr(value, "interfaces", ()))
        if expected and expected != value.type_name and expected not in implemented:
            raise ApiError(f"expected the id of a {expected}, got the id of a {value.type_name}")
        return value

"""Values between the API and a module's SDK, which knows its own types by their Python names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from drydock.errors import ApiError
from drydock.naming import enum_member
from drydock.schema.moduletypes import BUILT_IN, REFERENCES, ModuleObject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drydock.schema.moduletypes import Names
    from drydock.session import Session
    from drydock.typedefs import TypeDef

ZERO = {"STRING_KIND": "", "INTEGER_KIND": 0, "FLOAT_KIND": 0.0, "BOOLEAN_KIND": False}
"""What a null of the SDK becomes where the API allows none (v0.21, `core/modtypes.go`)."""

PYTHON = {
    "STRING_KIND": (str,),
    "INTEGER_KIND": (int,),
    "FLOAT_KIND": (int, float),
    "BOOLEAN_KIND": (bool,),
    "LIST_KIND": (list,),
    "VOID_KIND": (),
}
"""What JSON makes of the values of a kind."""


class Values:
    """Turns values of one module's types into what its SDK speaks, and back."""

    def __init__(self, names: Names) -> None:
        """Begin with how the API names the module's types."""
        self.names = names

    def from_api(self, session: Session, value: Any, definition: TypeDef) -> Any:
        """A value of the API as the SDK expects it."""
        if value is None:
            return None
        if definition.element:
            return [self.from_api(session, item, definition.element) for item in value]
        if definition.kind == "OBJECT_KIND" and isinstance(value, ModuleObject):
            return value.fields
        if definition.kind in REFERENCES:
            return session.ids.put(value)
        if definition.kind == "ENUM_KIND":
            return self._members(definition).get(value, value)
        return value

    def to_api(self, session: Session, value: Any, definition: TypeDef) -> Any:
        """What the SDK gave as a value of the API.

        Raises:
            ApiError: If it is none of the type.
        """
        if value is None:
            return _nothing(definition)
        _check(value, definition)
        if definition.element:
            return [self.to_api(session, item, definition.element) for item in value]
        if definition.kind in REFERENCES:
            return self._object(session, value, definition)
        if definition.kind == "ENUM_KIND" and definition.name in self.names.enums:
            return self._api_member(value, definition)
        return value

    def _object(self, session: Session, value: Any, definition: TypeDef) -> Any:
        name = self.names.of(definition)
        if isinstance(value, str):
            return session.ids.get(value, name)
        return ModuleObject(name, definition.name, json.dumps(value, sort_keys=True))

    def _api_member(self, value: str, definition: TypeDef) -> str:
        name = enum_member(value)
        if name not in self._members(definition):
            raise ApiError(f'invalid enum value "{value}" for "{definition.name}"')
        return name

    def _members(self, definition: TypeDef) -> Mapping[str, str]:
        return self.names.members.get(definition.name, {})


def _check(value: Any, definition: TypeDef) -> None:
    wanted = PYTHON.get(definition.kind)
    is_number = definition.kind in ("INTEGER_KIND", "FLOAT_KIND")
    if wanted is None or (
        isinstance(value, wanted) and not (is_number and isinstance(value, bool))
    ):
        return
    name = BUILT_IN.get(definition.kind, "a list")
    raise ApiError(f"cannot convert {type(value).__name__} to {name}: {value!r:.80}")


def _nothing(definition: TypeDef) -> Any:
    if definition.optional:
        return None
    return [] if definition.element else ZERO.get(definition.kind)

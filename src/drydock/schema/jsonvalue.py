"""JSON values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from drydock.errors import ApiError
from drydock.graph import Value
from drydock.objects import File
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.session import Session


@dataclass(frozen=True, eq=False)
class JsonValue(Value):
    """A value, as JSON text."""

    type_name: ClassVar[str] = "JSONValue"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    text: str = "null"

    def decoded(self) -> Any:
        """The value."""
        return json.loads(self.text)


def _encoded(value: Any) -> JsonValue:
    return JsonValue(json.dumps(value, separators=(",", ":"), ensure_ascii=False))


def _checked(text: str) -> JsonValue:
    try:
        json.loads(text)
    except ValueError as error:
        raise ApiError(f"invalid JSON: {error}") from None
    return JsonValue(text)


def _of_type(value: JsonValue, wanted: type, name: str) -> Any:
    decoded = value.decoded()
    if not isinstance(decoded, wanted) or (wanted is int and isinstance(decoded, bool)):
        raise ApiError(f"value is not {name}")
    return decoded


@core.serves("Query", "json")
def new(_session: Session, _query: None) -> JsonValue:
    """Null."""
    return JsonValue()


@core.serves("File", "asJSON")
async def as_json(session: Session, file: File) -> JsonValue:
    """A file, read as JSON."""
    return _checked((await session.engine.reader.read(file)).decode(errors="replace"))


@core.serves("JSONValue", "contents")
def contents(
    _session: Session, value: JsonValue, *, pretty: bool = False, indent: str = "  "
) -> str:
    """The JSON text; with `pretty` in lines, sorted by key."""
    if not pretty:
        return value.text
    return json.dumps(value.decoded(), indent=indent, sort_keys=True, ensure_ascii=False)


@core.serves("JSONValue", "withContents")
def with_contents(_session: Session, _value: JsonValue, *, contents: str) -> JsonValue:
    """Another value, given as JSON text."""
    return _checked(contents)


@core.serves("JSONValue", "newString", "newInteger", "newBoolean")
def new_scalar(_session: Session, _value: JsonValue, *, value: str | int) -> JsonValue:
    """A text, number or truth value."""
    return _encoded(value)


@core.serves("JSONValue", "asString")
def as_string(_session: Session, value: JsonValue) -> str:
    """The value, when it is a text."""
    return str(_of_type(value, str, "a string"))


@core.serves("JSONValue", "asInteger")
def as_integer(_session: Session, value: JsonValue) -> int:
    """The value, when it is a whole number."""
    return int(_of_type(value, int, "an integer"))


@core.serves("JSONValue", "asBoolean")
def as_boolean(_session: Session, value: JsonValue) -> bool:
    """The value, when it is true or false."""
    return bool(_of_type(value, bool, "a boolean"))


@core.serves("JSONValue", "asArray")
def as_array(_session: Session, value: JsonValue) -> list[JsonValue]:
    """The items of a list."""
    return [_encoded(item) for item in _of_type(value, list, "an array")]


@core.serves("JSONValue", "fields")
def fields(_session: Session, value: JsonValue) -> list[str]:
    """The names of an object's fields."""
    return list(_of_type(value, dict, "an object"))


@core.serves("JSONValue", "field")
def field(_session: Session, value: JsonValue, *, path: list[str]) -> JsonValue:
    """What is at a path of field names."""
    current = value.decoded()
    for name in path:
        if not isinstance(current, dict):
            raise ApiError(f"can't lookup field '{name}' in non-object value")
        if name not in current:
            raise ApiError(f"no such field: '{name}'")
        current = current[name]
    return _encoded(current)


@core.serves("JSONValue", "withField")
def with_field(
    _session: Session, parent: JsonValue, *, path: list[str], value: JsonValue
) -> JsonValue:
    """The object with a field set; what is no object on the way becomes one."""
    root = parent.decoded()
    root = root if isinstance(root, dict) else {}
    current = root
    for name in path[:-1]:
        if not isinstance(current.get(name), dict):
            current[name] = {}
        current = current[name]
    if path:
        current[path[-1]] = value.decoded()
    return _encoded(root)

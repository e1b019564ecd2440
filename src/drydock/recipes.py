"""Values of the API as JSON data, and back: what outlives a session."""

from __future__ import annotations

import base64
import dataclasses
import enum
from typing import TYPE_CHECKING, Any

from drydock.graph import Expect, Sharing, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

UNREADABLE = (KeyError, TypeError, ValueError, IndexError, AttributeError)
"""What `load` may raise."""

ENUMS = {cls.__name__: cls for cls in (Sharing, Expect)}


def parts(value: Value) -> list[Value]:
    """A value and all that it is made of, each once; what something is made of comes before it."""
    done: dict[str, Value] = {}
    # Not recursive: a chain of a thousand calls is a thousand values deep.
    stack = [(value, False)]
    while stack:
        item, seen = stack.pop()
        if seen:
            done.setdefault(item.key, item)
        elif item.key not in done:
            stack.append((item, True))
            stack.extend((child, False) for child in _children(fields(item)))
    return list(done.values())


def fields(value: Value) -> tuple[Any, ...]:
    """The values of a value's fields, in their order."""
    return tuple(getattr(value, f.name) for f in _fields(value))


def dump(value: Value) -> list[Any]:
    """A value as JSON data: its parts, which refer to those before them by number.

    What has its default value is left out.

    Raises:
        TypeError: If something in it has no such form.
    """
    numbers: dict[str, int] = {}
    nodes: list[Any] = []
    for part in parts(value):
        given = {
            f.name: _dumped(getattr(part, f.name), numbers)
            for f in _fields(part)
            if getattr(part, f.name) != f.default
        }
        numbers[part.key] = len(nodes)
        nodes.append([type(part).__name__, given])
    return nodes


def load(nodes: list[Any]) -> Value:
    """The opposite of `dump`.

    Raises:
        UNREADABLE: If the data was not made by `dump` of this version.
    """
    classes = {cls.__name__: cls for cls in _subclasses(Value)}
    values: list[Value] = []
    for name, given in nodes:
        values.append(classes[name](**{key: _loaded(item, values) for key, item in given.items()}))
    return values[-1]


def _dumped(item: Any, numbers: dict[str, int]) -> Any:
    if isinstance(item, Value):
        return {"part": numbers[item.key]}
    if isinstance(item, tuple):
        return [_dumped(one, numbers) for one in item]
    if isinstance(item, bytes):
        return {"bytes": base64.b64encode(item).decode()}
    if isinstance(item, enum.Enum):
        return {"enum": type(item).__name__, "member": item.name}
    if item is None or isinstance(item, (str, int, float, bool)):
        return item
    raise TypeError(f"{type(item).__name__} cannot be kept")


def _loaded(item: Any, values: list[Value]) -> Any:
    if isinstance(item, list):
        return tuple(_loaded(one, values) for one in item)
    if not isinstance(item, dict):
        return item
    if "part" in item:
        return values[item["part"]]
    if "bytes" in item:
        return base64.b64decode(item["bytes"])
    return ENUMS[item["enum"]][item["member"]]


def _fields(value: Value) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()


def _children(item: Any) -> Iterator[Value]:
    for one in item:
        if isinstance(one, Value):
            yield one
        elif isinstance(one, tuple):
            yield from _children(one)


def _subclasses(cls: type[Value]) -> Iterator[type[Value]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)

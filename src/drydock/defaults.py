"""Defaults that the user keeps in `.env` files, for arguments that a call leaves out.

The rules are the Dagger engine's (v0.21, `core/modulesource.go` and `core/modfunc.go`). The `.env`
beside dagger.json needs no prefix; the nearest one above the caller's folder needs the module's
name as a prefix, and wins. Then come the object's name, unless it is the main object, the
function's name, unless it is the constructor, and the argument's name in camelCase; capitals or
not.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drydock.dotenv import Expansion, assignments
from drydock.errors import DrydockError
from drydock.naming import lower_camel, snake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from drydock.source import ModuleSource
    from drydock.typedefs import FunctionArg, Module, TypeDef


@dataclass(frozen=True)
class Place:
    """Where an argument stands: its object (main: empty) and function (constructor: empty)."""

    object: str = ""
    function: str = ""


class UserDefaults:
    """The defaults of one module."""

    def __init__(
        self,
        module: str,
        inner: str = "",
        outer: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Read them from the texts of the two files."""
        self.module = module
        written = {**assignments(outer), **assignments(inner)}
        self._names: dict[str, str] = {name: name for name in assignments(inner)}
        for name, value in assignments(outer).items():
            if (rest := without_prefix(name, module)) is not None:
                self._names[rest] = name
                written[name] = value
        self._expansion = Expansion(written, os.environ if environment is None else environment)

    def text(self, place: Place, arg: FunctionArg) -> str | None:
        """What the user wrote for an argument; None when nothing.

        Raises:
            DrydockError: If it refers to a variable that is not set.
        """
        wanted = lower_camel(arg.name).lower()
        found = None
        for name, key in self._names.items():
            rest: str | None = name
            for prefix in filter(None, (place.object, place.function)):
                rest = None if rest is None else without_prefix(rest, prefix)
            if rest is not None and rest.lower() == wanted:
                found = key
        return None if found is None or arg.is_workspace else self._expansion.value(found)

    def json(self, place: Place, arg: FunctionArg) -> Any:
        """The default of an argument that is no object, as JSON has it; None when there is none.

        Raises:
            DrydockError: If what the user wrote is not of the argument's type.
        """
        text = self.text(place, arg)
        if text is None or is_object(arg.type):
            return None
        kind = arg.type.kind
        if kind == "STRING_KIND":
            return text
        if kind == "LIST_KIND":
            return text.split(",")
        try:
            return int(text) if kind == "INTEGER_KIND" else json.loads(text)
        except ValueError:
            wanted = "a whole number" if kind == "INTEGER_KIND" else "JSON"
            if kind == "ENUM_KIND":
                wanted = "a member's name in double quotes, and those in single ones"
            title = f"{self._title(place)}({lower_camel(arg.name)}={text})"
            raise DrydockError(f".env: user default {title} is not {wanted}") from None

    def announced(self, module: Module, called: set[Place]) -> Iterator[str]:
        """A line for each default of the functions called, never with a secret's plaintext."""
        for item in module.objects:
            owner = "" if item.constructor else item.name
            functions = [*([item.constructor] if item.constructor else []), *item.functions]
            for function in functions:
                place = Place(owner, function.name)
                for arg in function.args if place in called else ():
                    if (text := self.text(place, arg)) is not None:
                        shown = "*****" if _is_plaintext(arg.type, text) else json.dumps(text)
                        title = f"{self._title(place)}({lower_camel(arg.name)}={shown})"
                        yield f"user default: {title}"

    def _title(self, place: Place) -> str:
        return ".".join(filter(None, (self.module, lower_camel(place.function))))


def read(source: ModuleSource, cwd: Path) -> UserDefaults:
    """The user's defaults for a module when called from `cwd`."""
    inner = source.root / ".env"
    outer = next((f / ".env" for f in (cwd, *cwd.parents) if (f / ".env").is_file()), None)
    return UserDefaults(source.name, _read(inner), _read(outer) if outer else "")


def _read(file: Path) -> str:
    try:
        return file.read_text() if file.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise DrydockError(f"{file}: cannot be read: {error}") from error


def without_prefix(name: str, prefix: str) -> str | None:
    """`name` without a prefix, in camelCase or snake_case, and `_`; None without that prefix."""
    for form in (lower_camel(prefix) + "_", snake(prefix) + "_"):
        if name.lower().startswith(form.lower()):
            return name[len(form) :]
    return None


def is_object(definition: TypeDef) -> bool:
    """Whether a type is an object, or a list of objects."""
    inner = definition.element or definition
    return inner.kind == "OBJECT_KIND"


def _is_plaintext(definition: TypeDef, text: str) -> bool:
    return definition.name == "Secret" and "://" not in text

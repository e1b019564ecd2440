"""What a module's process asks of its own call and module, and how it answers."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from drydock.calls import Call, CallError, current_call
from drydock.errors import ApiError
from drydock.graph import Value
from drydock.schema.registry import core
from drydock.workspace import host_directory, host_file

if TYPE_CHECKING:
    from drydock.objects import Directory, File
    from drydock.session import Session
    from drydock.typedefs import Module


@dataclass(frozen=True, eq=False)
class CallInput(Value):
    """One argument of a call; its value is JSON."""

    type_name: ClassVar[str] = "FunctionCallArgValue"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    name: str
    value: str


@dataclass(frozen=True, eq=False)
class ErrorValue(Value):
    """One value of an error, as JSON."""

    type_name: ClassVar[str] = "ErrorValue"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    name: str
    value: str


@dataclass(frozen=True, eq=False)
class CurrentModule(Value):
    """The module whose function asks, and the folder that this function runs in."""

    type_name: ClassVar[str] = "CurrentModule"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)
    durable: ClassVar[bool] = False

    name: str
    folder: str


# -- calls -----------------------------------------------------------------------------------------


@core.serves("Query", "currentFunctionCall")
def current_function_call(_session: Session, _parent: None) -> Call:
    """The call that this request comes from."""
    return current_call()


@core.serves("Query", "currentModule")
def current_module(_session: Session, _parent: None) -> CurrentModule:
    """The module that this request comes from."""
    call = current_call()
    return CurrentModule(call.module, call.folder)


@core.serves("CurrentModule", "name")
def current_module_name(_session: Session, parent: CurrentModule) -> str:
    """The module's name."""
    return parent.name


@core.serves("CurrentModule", "source")
def current_module_source(session: Session, parent: CurrentModule) -> Directory:
    """The folder of the module's code."""
    return host_directory(session.modules[parent.name].source.source, [], [])


@core.serves("CurrentModule", "dependencies")
def current_module_dependencies(session: Session, parent: CurrentModule) -> list[Module]:
    """The modules that it needs."""
    source = session.modules[parent.name].source
    return [session.modules[needed.name].described for needed in source.dependencies]


@core.serves("CurrentModule", "workdir")
def current_module_workdir(
    _session: Session,
    parent: CurrentModule,
    *,
    path: str,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    gitignore: bool = False,
) -> Directory:
    """A directory that the function made in the folder that it runs in.

    Raises:
        ApiError: If it is not there, or leads out of that folder.
    """
    target = _inside(parent, path)
    return host_directory(target, exclude or [], include or [], gitignore=gitignore)


@core.serves("CurrentModule", "workdirFile")
def current_module_file(_session: Session, parent: CurrentModule, *, path: str) -> File:
    """A file that the function made in the folder that it runs in.

    Raises:
        ApiError: If it is not there, or leads out of that folder.
    """
    return host_file(_inside(parent, path))


def _inside(parent: CurrentModule, path: str) -> Path:
    target = os.path.normpath(Path(parent.folder) / path)
    if not Path(target).is_relative_to(parent.folder):
        raise ApiError(f"path {json.dumps(path)} leads out of the folder that the function runs in")
    return Path(target)


@core.serves("FunctionCall", "name")
def call_name(_session: Session, parent: Call) -> str:
    """Name of the function, empty for a constructor."""
    return parent.name


@core.serves("FunctionCall", "parentName")
def call_parent_name(_session: Session, parent: Call) -> str:
    """Name of the object's type."""
    return parent.parent_name


@core.serves("FunctionCall", "parent")
def call_parent(_session: Session, parent: Call) -> str:
    """State of the object, as JSON."""
    return parent.parent


@core.serves("FunctionCall", "inputArgs")
def call_inputs(_session: Session, parent: Call) -> list[CallInput]:
    """Arguments of the call."""
    return [CallInput(name, value) for name, value in parent.inputs.items()]


@core.serves("FunctionCall", "returnValue")
def return_value(_session: Session, parent: Call, value: str) -> None:
    """Set the call's result."""
    parent.result = value


@core.serves("FunctionCall", "returnError")
def return_error(_session: Session, parent: Call, error: CallError) -> None:
    """Set why the call failed."""
    parent.error = error


@core.serves("FunctionCallArgValue", "name")
def input_name(_session: Session, parent: CallInput) -> str:
    """Name of the argument."""
    return parent.name


@core.serves("FunctionCallArgValue", "value")
def input_value(_session: Session, parent: CallInput) -> str:
    """Value of the argument, as JSON."""
    return parent.value


# -- errors ----------------------------------------------------------------------------------------


@core.serves("Query", "error")
def error(_session: Session, _parent: None, message: str) -> CallError:
    """An error to return from a function."""
    return CallError(message)


@core.serves("Error", "message")
def error_message(_session: Session, parent: CallError) -> str:
    """What went wrong."""
    return parent.message


@core.serves("Error", "withValue")
def with_value(_session: Session, parent: CallError, name: str, value: str) -> CallError:
    """Add a value, given as JSON."""
    json.loads(value)
    return replace(parent, values=(*parent.values, (name, value)))


@core.serves("Error", "values")
def error_values(_session: Session, parent: CallError) -> list[ErrorValue]:
    """Its values."""
    return [ErrorValue(name, value) for name, value in parent.values]


@core.serves("ErrorValue", "name")
def error_value_name(_session: Session, parent: ErrorValue) -> str:
    """Name of the value."""
    return parent.name


@core.serves("ErrorValue", "value")
def error_value(_session: Session, parent: ErrorValue) -> str:
    """The value, as JSON."""
    return parent.value

"""Resolvers of a module's own types: fields come from an object's state, functions call it."""

from __future__ import annotations

import json
import os
from functools import partial
from typing import TYPE_CHECKING, Any

from drydock import values
from drydock.calls import Call
from drydock.errors import ApiError, DrydockError
from drydock.naming import enum_member, lower_camel
from drydock.schema.moduletypes import Definition, ModuleObject, Names, main_object
from drydock.schema.registry import Resolvers, Served, snake_case

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drydock.defaults import UserDefaults
    from drydock.process import ModuleProcess
    from drydock.session import Session
    from drydock.source import ModuleSource
    from drydock.typedefs import Function, FunctionArg, Module, TypeDef

ZERO = {"STRING_KIND": "", "INTEGER_KIND": 0, "FLOAT_KIND": 0.0, "BOOLEAN_KIND": False}
"""What a null of the SDK becomes where the API allows none (v0.21, `core/modtypes.go`)."""


class Bridge:
    """One module in a session: its source, types, user's defaults and process."""

    def __init__(
        self,
        source: ModuleSource,
        module: Module,
        defaults: UserDefaults,
        process: Callable[[], ModuleProcess],
    ) -> None:
        """Begin without a session; `process` gives the process when a function is called."""
        self.source, self.module = source, module
        self.defaults, self.process = defaults, process
        self.names = Names(source.name, module)

    def install(self, session: Session) -> None:
        """Add the module to a session.

        Raises:
            DrydockError: If it has types that drydock does not serve.
        """
        if self.module.interface_types:
            listed = ", ".join(item.name for item in self.module.interface_types)
            raise DrydockError(
                f"drydock does not serve modules with interfaces ({listed}); run this one on a "
                "Dagger engine"
            )
        definition = Definition(self.names, self.module, self.defaults)
        session.install(definition.text(), self._resolvers())

    def _resolvers(self) -> Resolvers:
        resolvers = Resolvers()
        for item in self.module.objects:
            owner = self.names.objects[item.name]
            for field in item.fields:
                resolve = partial(self._field, field.name, field.type)
                resolvers[owner, lower_camel(field.name)] = Served(resolve, frozenset())
            for function in item.functions:
                resolvers[owner, lower_camel(function.name)] = self._served(item, function)
        main = main_object(self.names, self.module)
        if main.constructor:
            field_name = lower_camel(self.source.name)
            resolvers["Query", field_name] = self._served(main, main.constructor)
        return resolvers

    def _served(self, item: TypeDef, function: Function) -> Served:
        names = frozenset(snake_case(lower_camel(arg.name)) for arg in function.args)
        return Served(partial(self._call, item, function), names)

    def _field(self, name: str, definition: TypeDef, session: Session, parent: ModuleObject) -> Any:
        return self.to_api(session, parent.fields.get(name), definition)

    # -- calls -------------------------------------------------------------------------------------

    async def _call(
        self,
        item: TypeDef,
        function: Function,
        session: Session,
        parent: ModuleObject | None,
        /,
        **given: Any,
    ) -> Any:
        inputs = {}
        for arg in function.args:
            name = snake_case(lower_camel(arg.name))
            value = await self._input(session, item, function, arg, given.get(name, ...))
            if value is not ...:
                inputs[arg.name] = json.dumps(value)
        call = Call(
            module=self.source.name,
            parent_name=item.name,
            name=function.name,
            parent=parent.state if parent else "null",
            inputs=inputs,
        )
        return self.to_api(session, await self.process().call(session, call), function.returns)

    async def _input(
        self, session: Session, item: TypeDef, function: Function, arg: FunctionArg, given: Any
    ) -> Any:
        """The value of one argument as the SDK expects it; an ellipsis where it is left out."""
        if given is not ...:
            value = self.from_api(session, given, arg.type)
            return await self._filtered(session, value, arg)
        if arg.is_workspace:
            return session.ids.put(session.workspace)
        text = self.defaults.text(self.names.place(item, function), arg)
        if text is not None:
            return await self._named(session, text, arg)
        if arg.default_path or arg.default_address:
            return await self._contextual(session, arg)
        return ... if arg.default_value is None else json.loads(arg.default_value)

    async def _filtered(self, session: Session, value: Any, arg: FunctionArg) -> Any:
        if not (arg.ignore and isinstance(value, str) and arg.type.name == "Directory"):
            return value
        source, exclude = json.dumps(value), json.dumps(list(arg.ignore))
        step = f'withDirectory(path: "/", source: {source}, exclude: {exclude})'
        data = await values.ask(session, f"{{ directory {{ {step} {{ id }} }} }}")
        return data["directory"]["withDirectory"]["id"]

    async def _named(self, session: Session, text: str, arg: FunctionArg) -> Any:
        load = partial(values.load, session, ignore=arg.ignore)
        try:
            if arg.type.element:
                name = arg.type.element.name
                return [await load(name, part.strip()) for part in text.split(",")]
            return await load(arg.type.name, text)
        except DrydockError as error:
            raise ApiError(f".env: user default for {lower_camel(arg.name)}: {error}") from error

    async def _contextual(self, session: Session, arg: FunctionArg) -> Any:
        try:
            if arg.default_address:
                return await values.load(session, "Container", arg.default_address)
            path = self._context_path(arg.default_path)
            return await values.load(session, arg.type.name, path, arg.ignore)
        except DrydockError as error:
            raise ApiError(f'load contextual arg "{arg.name}": {error}') from error

    def _context_path(self, path: str) -> str:
        """A default path on this machine: absolute from the repository, else from the module."""
        context = self.source.context
        base = context if path.startswith("/") else self.source.root
        target = os.path.normpath(base / path.lstrip("/"))
        if os.path.commonpath([target, context]) != str(context):
            raise DrydockError(
                f'path "{target}" is outside of context directory "{context}", '
                "path should be relative to the context directory"
            )
        return target

    # -- values ------------------------------------------------------------------------------------

    def from_api(self, session: Session, value: Any, definition: TypeDef) -> Any:
        """A value of the API as the SDK expects it."""
        if value is None:
            return None
        if definition.element:
            return [self.from_api(session, item, definition.element) for item in value]
        if isinstance(value, ModuleObject):
            return value.fields
        if definition.kind == "OBJECT_KIND":
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
            return (
                None
                if definition.optional
                else []
                if definition.element
                else ZERO.get(definition.kind)
            )
        if definition.element:
            return [self.to_api(session, item, definition.element) for item in value]
        if definition.kind == "OBJECT_KIND":
            return self._object(session, value, definition)
        if definition.kind == "ENUM_KIND" and definition.name in self.names.enums:
            return self._api_member(value, definition)
        if definition.kind == "VOID_KIND":
            raise ApiError(f"cannot convert {type(value).__name__} to Void")
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

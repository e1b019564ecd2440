"""Resolvers of a module's own types: fields come from an object's state, functions call it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from drydock import values
from drydock.calls import Call
from drydock.errors import ApiError, DrydockError
from drydock.naming import lower_camel
from drydock.schema.moduletypes import (
    Definition,
    ModuleObject,
    Names,
    check_names,
    main_object,
)
from drydock.schema.modulevalues import Values
from drydock.schema.registry import Resolvers, Served, snake_case

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drydock.defaults import UserDefaults
    from drydock.process import ModuleProcess
    from drydock.session import Session
    from drydock.source import ModuleSource
    from drydock.typedefs import Function, FunctionArg, Module, TypeDef


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
        self.names = Names(source.name, module, source.original)
        self.values = Values(self.names)

    @property
    def definition(self) -> str:
        """The module's types in GraphQL's schema language."""
        return Definition(self.names, self.module, self.defaults).text()

    @property
    def described(self) -> Module:
        """The module, with its types as the API names them."""
        module: Module = self.names.given_to(self.module)
        return replace(module, name=self.source.name)

    def resolvers(self) -> Resolvers:
        """Resolvers of the module's fields, of its functions, and of its constructor in `Query`."""
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
            resolvers["Query", self.names.constructor] = self._served(main, main.constructor)
        return resolvers

    def _served(self, item: TypeDef, function: Function) -> Served:
        names = frozenset(snake_case(lower_camel(arg.name)) for arg in function.args)
        return Served(partial(self._call, item, function), names)

    def _field(self, name: str, definition: TypeDef, session: Session, parent: ModuleObject) -> Any:
        return self.values.to_api(session, parent.fields.get(name), definition)

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
        result = await session.results.get(
            self.source, function, call, lambda: self.process().call(session, call)
        )
        try:
            return self.values.to_api(session, result, function.returns)
        except ApiError as error:
            raise ApiError(f"{call.title}: {error}", error.extensions) from error

    async def _input(
        self, session: Session, item: TypeDef, function: Function, arg: FunctionArg, given: Any
    ) -> Any:
        """The value of one argument as the SDK expects it; an ellipsis where it is left out."""
        if given is not ...:
            value = self.values.from_api(session, given, arg.type)
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


def install(session: Session, bridges: Sequence[Bridge]) -> None:
    """Add modules to a session: the one that is called, last, after those that it needs.

    Each sees its own types and those of its dependencies.

    Raises:
        DrydockError: If one offers a type of another.
    """
    from drydock.session import core_schema  # noqa: PLC0415  # it imports this file's neighbours

    by_name = {bridge.source.name: bridge for bridge in bridges}
    for bridge in bridges:
        check_names(bridge.names, bridge.module, core_schema().type_map)
        for needed in bridge.source.dependencies:
            bridge.names.check_own(bridge.module, by_name[needed.name].names)
    texts = {name: bridge.definition for name, bridge in by_name.items()}
    resolvers = Resolvers()
    views = {}
    for name, bridge in reversed(by_name.items()):
        resolvers.update(bridge.resolvers())
        seen = [*(needed.name for needed in bridge.source.dependencies), name]
        views[name] = "\n".join(texts[item] for item in seen)
    session.install("\n".join(texts.values()), resolvers, views)
    session.modules.update(by_name)

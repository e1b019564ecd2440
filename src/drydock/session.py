"""One session of the API: `POST /query` on loopback, guarded by a token of its own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import logging
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import uvicorn
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLInt,
    GraphQLObjectType,
    GraphQLSchema,
    PossibleFragmentSpreadsRule,
    build_ast_schema,
    execute,
    get_introspection_query,
    graphql_sync,
    parse,
    print_ast,
    specified_rules,
    validate,
    value_from_ast_untyped,
)
from graphql.language import parser as graphql_parser

from drydock import bugs, paths
from drydock.calls import Calls, calling
from drydock.errors import ApiError, DrydockError
from drydock.ids import Ids
from drydock.results import Results
from drydock.schema import core, loading_by_id
from drydock.schema.interfaces import extended
from drydock.schema.registry import Resolvers, resolve

if TYPE_CHECKING:
    from drydock.engine import Engine
    from drydock.schema.modulecalls import Bridge
    from drydock.source import ModuleSource
    from drydock.workspace import Workspace

# The SDK asks `... on Container` of the interface Node; the rule knows no interface that has no member here.
RULES = [rule for rule in specified_rules if rule is not PossibleFragmentSpreadsRule]

CHAIN_LIMIT = 1500
"""Calls in one chain; BuildKit itself takes no more changes of one file system."""

ENDED_WITHIN = 30
"""Seconds for requests to end whose client is gone."""
KEPT_ALIVE = 3600
"""Seconds that an idle connection stays open: the client closes it. Where both do so after the same time, a request
that is sent in that moment is lost."""


class Session:
    """What one client, and every module that it calls, shares: schema, ids, engine, workspace."""

    def __init__(self, engine: Engine, workspace: Workspace) -> None:
        self.engine = engine
        self.workspace = workspace
        self.ids = Ids()
        self.resolvers = Resolvers(core)
        loading_by_id.install(self.resolvers, api_definition())
        self.schema = core_schema()
        self.calls = Calls()
        self.results = Results(self)
        self.token = secrets.token_hex(16)
        self.port = 0
        self._introspection: dict[tuple[str, str], bytes] = {}
        self._sdl = ""
        self._views: dict[str, str] = {}
        self._answering: set[asyncio.Task[Any]] = set()
        self.modules: dict[str, Bridge] = {}
        """The modules in it, by name."""

    def install(
        self, sdl: str, resolvers: Resolvers, views: Mapping[str, str] | None = None
    ) -> None:
        """Add the types and fields of modules to the schema.

        Args:
            sdl: Their definition.
            resolvers: Of their fields.
            views: What a module sees of it, by the module's name (default: all).
        """
        self.schema = extended(core_schema(), sdl)
        self.resolvers.update(resolvers)
        self._introspection, self._sdl, self._views = {}, sdl, dict(views or {})
        self.ids.interfaces = {
            name: {interface.name for interface in kind.interfaces}
            for name, kind in self.schema.type_map.items()
            if isinstance(kind, GraphQLObjectType)
        }

    def module_of(self, type_name: str) -> ModuleSource:
        """The module that an object's type belongs to."""
        owners = (m for m in self.modules.values() if type_name in m.names.objects.values())
        return next(owners).source

    async def execute(
        self, query: str, variables: dict[str, Any] | None = None, operation: str | None = None
    ) -> ExecutionResult:
        """Answer a query; errors come in the result, as GraphQL has it."""
        try:
            document = parse(query)
        except GraphQLError as error:
            return ExecutionResult(data=None, errors=[error])
        if errors := validate(self.schema, document, RULES):
            return ExecutionResult(data=None, errors=errors)
        result = execute(
            self.schema,
            document,
            context_value=self,
            variable_values=variables,
            operation_name=operation,
            field_resolver=_resolve,
            type_resolver=lambda value, _info, _type: value.type_name,
        )
        return result if isinstance(result, ExecutionResult) else await result

    # -- HTTP ------------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        """Serve the API on a free port of loopback while the context lasts."""
        # The protocol is named, or asyncio leaves Nagle's algorithm on: 40 ms for each request.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.bind(("127.0.0.1", 0))
        # At once: whoever connects before the server has started waits, instead of being refused.
        listener.listen()
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            lifespan="off",
            log_config=None,
            access_log=False,
            ws="none",
            interface="asgi3",
            timeout_keep_alive=KEPT_ALIVE,
        )
        # It would tell of every request that is cancelled when the session is, with a traceback.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
        server = uvicorn.Server(config)
        # Signals are the command line's business.
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield
        finally:
            # Nobody is served any more: no need for uvicorn's orderly end, and its 0.1 s.
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            # Or the loop still watches a descriptor whose number the next session's socket gets.
            for listening in getattr(server, "servers", ()):
                listening.close()
            listener.close()
            await self._hang_up()

    async def _hang_up(self) -> None:
        """End what is still being done for a client that is gone."""
        answering = list(self._answering)
        for task in answering:
            task.cancel()
        if answering:
            await asyncio.wait(answering, timeout=ENDED_WITHIN)

    async def warm(self) -> None:
        """Prepare the answer to what every client asks first, while there is nothing else to do."""
        # As the SDK's GraphQL client writes it.
        await self._introspect(
            print_ast(parse(get_introspection_query())), next(iter(self._views), "")
        )

    def environment(self) -> dict[str, str]:
        """The variables by which a client finds this session."""
        return {"DAGGER_SESSION_PORT": str(self.port), "DAGGER_SESSION_TOKEN": self.token}

    async def _app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        # The server has a task for each request.
        if task := asyncio.current_task():
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        try:
            status, body = await self._answer(scope, receive)
        except _HungUpError:
            return
        except Exception as error:  # noqa: BLE001  # a bug of drydock, whatever it is
            status = 500
            body = json.dumps({"errors": [{"message": bugs.told(error)}], "data": None}).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: dict[str, Any], receive: Any) -> tuple[int, bytes]:
        if not self._authorized(dict(scope["headers"]).get(b"authorization", b"")):
            return 401, b'{"errors":[{"message":"wrong session token"}]}'
        if scope["path"] != "/query" or scope["method"] != "POST":
            return 404, b'{"errors":[{"message":"only POST /query is served"}]}'
        request = json.loads(await _body(receive))
        query = request.get("query") or ""
        if query.lstrip().startswith("query IntrospectionQuery"):
            call = calling()
            return 200, await self._introspect(query, call.module if call else "")
        work = self.execute(query, request.get("variables"), request.get("operationName"))
        result = await _while_connected(receive, work)
        return 200, json.dumps(result.formatted).encode()

    def _authorized(self, header: bytes) -> bool:
        scheme, _, encoded = header.partition(b" ")
        try:
            token = base64.b64decode(encoded).decode().partition(":")[0]
        except ValueError:
            return False
        # Asked on every request: it also tells which function call the request belongs to.
        called = self.calls.admit(token)
        return scheme == b"Basic" and (called or secrets.compare_digest(token, self.token))

    async def _introspect(self, query: str, module: str) -> bytes:
        # Every client asks this first, and always the same; the whole API takes graphql-core 100 ms.
        sdl = self._views.get(module, self._sdl)
        if (sdl, query) not in self._introspection:
            self._introspection[sdl, query] = self._introspection_kept(sdl, query)
        return self._introspection[sdl, query]

    def _introspection_kept(self, sdl: str, query: str) -> bytes:
        """The answer as it was kept for this very API, modules and question."""
        name = hashlib.sha256(f"{api_definition()}\0{sdl}\0{query}".encode()).hexdigest()
        file = paths.cache() / "introspection" / f"{name[:32]}.json"
        with contextlib.suppress(OSError):
            return file.read_bytes()
        schema = self.schema if sdl == self._sdl else extended(core_schema(), sdl)
        answer = json.dumps(_for_older_clients(graphql_sync(schema, query).formatted)).encode()
        paths.write(file, answer)
        return answer


def _for_older_clients(answer: Any) -> Any:
    # graphql-core 3.2, which modules lock, does not know the place that 3.3 allows @deprecated in.
    for directive in ((answer.get("data") or {}).get("__schema") or {}).get("directives", ()):
        places = directive.get("locations", ())
        directive["locations"] = [place for place in places if place != "DIRECTIVE_DEFINITION"]
    return answer


async def _resolve(source: Any, info: Any, /, **arguments: Any) -> Any:
    try:
        return await resolve(info.context, source, info, arguments)
    except ApiError as error:
        raise GraphQLError(str(error), extensions=error.extensions) from error
    except OSError as error:
        name = error.filename2 or error.filename  # the second is where something was to go
        where = f": {name}" if name else ""
        raise GraphQLError(f"{error.strerror}{where}") from error
    except (DrydockError, GraphQLError):
        raise
    except Exception as error:
        raise GraphQLError(bugs.told(error)) from error


class _HungUpError(Exception):
    """The client does not wait for the answer."""


async def _while_connected(receive: Any, work: Coroutine[Any, Any, ExecutionResult]) -> Any:
    """The result of some work, which is cancelled when its client hangs up."""
    answer = asyncio.create_task(work)
    gone = asyncio.create_task(receive())  # after the request nothing else comes
    try:
        await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise _HungUpError
        return answer.result()
    finally:
        gone.cancel()
        if not answer.done():
            answer.cancel()
            await asyncio.wait([answer])


async def _body(receive: Any) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _widen_int() -> None:
    """Make GraphQL's Int what it is on the Dagger engine: 64 bits, not 32. Sizes of files and of images need it."""
    for name in ("serialize", "coerce_output_value", "parse_value", "coerce_input_value"):
        setattr(GraphQLInt, name, _integer)
    GraphQLInt.coerce_input_literal = lambda node: _integer(value_from_ast_untyped(node))


def _allow_long_chains() -> None:
    """Take queries as deep as a loop in a module makes them: each call of a chain is one level of its query."""
    # graphql-core refuses more than 200 since 3.3, and each level takes several calls of Python's to answer.
    graphql_parser.MAX_NESTING_DEPTH = CHAIN_LIMIT
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 16 * CHAIN_LIMIT))


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise GraphQLError(f"Int cannot represent {value!r}")
    return value


@cache
def core_schema() -> GraphQLSchema:
    """The whole API, served or not: a client can build any query, and is told by name what is not served."""
    _widen_int()
    _allow_long_chains()
    return build_ast_schema(parse(api_definition()), assume_valid=True, assume_valid_sdl=True)


@cache
def api_definition() -> str:
    """The API's definition, in GraphQL's schema language."""
    return loading_by_id.added((resources.files("drydock.schema") / "api.graphqls").read_text())

"""One session of the API: `POST /query` on loopback, guarded by a token of its own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLInt,
    GraphQLSchema,
    PossibleFragmentSpreadsRule,
    build_ast_schema,
    execute,
    extend_schema,
    get_introspection_query,
    parse,
    print_ast,
    specified_rules,
    validate,
    value_from_ast_untyped,
)

from drydock import paths
from drydock.calls import Calls
from drydock.errors import ApiError
from drydock.ids import Ids
from drydock.schema import core
from drydock.schema.registry import Resolvers, resolve

if TYPE_CHECKING:
    from drydock.engine import Engine
    from drydock.workspace import Workspace

# The SDK asks `... on Container` of the interface Node; the rule knows no interface that has no member here.
RULES = [rule for rule in specified_rules if rule is not PossibleFragmentSpreadsRule]


class Session:
    """What one client, and every module that it calls, shares: schema, ids, engine, workspace."""

    def __init__(self, engine: Engine, workspace: Workspace) -> None:
        self.engine = engine
        self.workspace = workspace
        self.ids = Ids()
        self.resolvers = Resolvers(core)
        self.schema = core_schema()
        self.calls = Calls()
        self.token = secrets.token_hex(16)
        self.port = 0
        self._introspection: dict[str, bytes] = {}
        self._sdl = [api_definition()]

    def install(self, sdl: str, resolvers: Resolvers) -> None:
        """Add a module's types and fields to the schema."""
        self.schema = extend_schema(self.schema, parse(sdl), assume_valid=True)
        self.resolvers.update(resolvers)
        self._introspection = {}
        self._sdl.append(sdl)

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
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            lifespan="off",
            log_config=None,
            access_log=False,
            ws="none",
            interface="asgi3",
        )
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
            listener.close()

    async def warm(self) -> None:
        """Prepare the answer to what every client asks first, while there is nothing else to do."""
        # As the SDK's GraphQL client writes it.
        await self._introspect(print_ast(parse(get_introspection_query())))

    def environment(self) -> dict[str, str]:
        """The variables by which a client finds this session."""
        return {"DAGGER_SESSION_PORT": str(self.port), "DAGGER_SESSION_TOKEN": self.token}

    async def _app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        status, body = await self._answer(scope, receive)
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
            return 200, await self._introspect(query)
        result = await self.execute(query, request.get("variables"), request.get("operationName"))
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

    async def _introspect(self, query: str) -> bytes:
        # Every client asks this first, and always the same; the whole API takes graphql-core 100 ms.
        if query not in self._introspection:
            self._introspection[query] = await self._introspection_kept(query)
        return self._introspection[query]

    async def _introspection_kept(self, query: str) -> bytes:
        """The answer as it was kept for this very API, module and question."""
        name = hashlib.sha256("\0".join([*self._sdl, query]).encode()).hexdigest()
        file = paths.cache() / "introspection" / f"{name[:32]}.json"
        with contextlib.suppress(OSError):
            return file.read_bytes()
        answer = json.dumps((await self.execute(query)).formatted).encode()
        with tempfile.NamedTemporaryFile(dir=paths.private(file.parent), delete=False) as new:
            new.write(answer)
        Path(new.name).replace(file)
        return answer


async def _resolve(source: Any, info: Any, /, **arguments: Any) -> Any:
    try:
        return await resolve(info.context, source, info, arguments)
    except ApiError as error:
        raise GraphQLError(str(error), extensions=error.extensions) from error
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        raise GraphQLError(f"{error.strerror}{where}") from error


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


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise GraphQLError(f"Int cannot represent {value!r}")
    return value


@cache
def core_schema() -> GraphQLSchema:
    """The whole API, served or not: a client can build any query, and is told by name what is not served."""
    _widen_int()
    return build_ast_schema(parse(api_definition()), assume_valid=True, assume_valid_sdl=True)


@cache
def api_definition() -> str:
    """The API's definition, in GraphQL's schema language."""
    return (resources.files("drydock.schema") / "api.graphqls").read_text()

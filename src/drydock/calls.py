"""Function calls under way: which of them a request of a module's process belongs to.

Every call has a token of its own, with which the module's process opens its session. Several
calls of one session can so run at the same time, and each asks `currentFunctionCall` for itself.
"""

from __future__ import annotations

import contextlib
import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from drydock.errors import ApiError
from drydock.graph import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, eq=False)
class CallError(Value):
    """The API's `Error`: a message, and values as JSON by name."""

    type_name: ClassVar[str] = "Error"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    message: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass
class Call:
    """One call of a module's function, as its process sees it; `parent` and `inputs` hold JSON."""

    type_name: ClassVar[str] = "FunctionCall"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    module: str
    parent_name: str
    name: str = ""
    parent: str = "null"
    inputs: dict[str, str] = field(default_factory=dict)
    folder: str = ""
    """The folder that the function runs in, once it does."""
    result: str | None = None
    error: CallError | None = None
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    """Token of the call, and its identity."""

    @property
    def title(self) -> str:
        """What is called, for a message."""
        return f'function "{self.name}"' if self.name else "constructor"


_current: ContextVar[Call | None] = ContextVar("current_call", default=None)


class Calls:
    """The calls of a session that are under way, by their token."""

    def __init__(self) -> None:
        """No call is under way yet."""
        self._open: dict[str, Call] = {}
        self.watch: Callable[[Call], contextlib.AbstractContextManager[None]] = lambda _call: (
            contextlib.nullcontext()
        )
        """Is entered while a call is under way: whoever shows calls sets it."""

    @contextlib.contextmanager
    def open(self, call: Call) -> Iterator[Call]:
        """Accept requests with the call's token while the context lasts."""
        self._open[call.key] = call
        try:
            with self.watch(call):
                yield call
        finally:
            del self._open[call.key]

    def admit(self, token: str) -> bool:
        """Whether a call has this token; the current request then belongs to it."""
        call = self._open.get(token)
        _current.set(call)
        return call is not None


def calling() -> Call | None:
    """The call that the current request belongs to; None where it comes from no function."""
    return _current.get()


def current_call() -> Call:
    """The call that the current request belongs to.

    Raises:
        ApiError: If the request does not come from a function.
    """
    call = _current.get()
    if call is None:
        raise ApiError("only a module's function can ask for its own call")
    return call

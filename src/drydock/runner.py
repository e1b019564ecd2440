"""Runs a module's functions: imports the module once, then answers every call in a fork.

Run as a script by the module's own Python, which knows nothing of drydock. Requests come on
standard input and reports go to standard output, one JSON object a line:

    → {"id": "…", "register": false, "env": {"DAGGER_SESSION_TOKEN": "…"}}
    ← {"ready": true}                 the module is imported
    ← {"failed": "Traceback …"}       it cannot be imported; the process ends
    ← {"id": "…", "code": 0}          a call has ended; negative: by that signal

What a module prints, on either stream, goes to standard error. At the end of standard input
everything is killed and its private folder removed.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import inspect
import json
import logging
import os
import select
import shutil
import signal
import sys
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dagger.mod._module import Module

HOME = os.environ["HOME"]
"""The private folder that the caller made for this process."""
VERBOSE = bool(os.environ.get("DRYDOCK_VERBOSE"))


class Reports:
    """Standard output as it was, out of reach of what a module prints."""

    def __init__(self) -> None:
        """Send what is printed to standard error from now on."""
        self._descriptor = os.dup(1)
        os.dup2(2, 1)

    def send(self, **report: object) -> None:
        """Send one report."""
        os.write(self._descriptor, json.dumps(report).encode() + b"\n")


def main() -> None:
    """Import the module and serve calls until standard input ends."""
    reports = Reports()
    if sys.path[0] == os.path.dirname(os.path.abspath(__file__)):  # noqa: PTH100, PTH120
        del sys.path[0]  # it holds drydock's own modules
    try:
        module = load()
    except BaseException as error:  # noqa: BLE001  # a module can fail in any way
        reports.send(failed=explain(error))
        return
    gc.freeze()
    reports.send(ready=True)
    serve(module, reports)


def load() -> Module:
    """Import the SDK and the module."""
    with types_checked_late():
        import dagger  # noqa: F401, PLC0415
    # What the SDK imports with its first call, done once for all.
    import anyio._backends._asyncio  # noqa: F401, PLC0415
    import httpcore  # noqa: F401, PLC0415
    from dagger.mod import cli  # noqa: PLC0415  # slow, and of an environment that may not have it

    # Bytecode of the module itself: never beside its source.
    sys.pycache_prefix = os.environ.pop("DRYDOCK_PYCACHE")
    # A function's exception is returned to the caller, who shows it; the SDK would print it too.
    logging.getLogger("dagger.mod").setLevel(logging.NOTSET if VERBOSE else logging.CRITICAL + 1)
    return cli.load_module()


@contextlib.contextmanager
def types_checked_late() -> Iterator[None]:
    """Let the SDK's client wrap a method in its type check when it is first called.

    It has more than a thousand methods, wrapped with beartype while it is imported: a third of the
    time of that import, and a function calls a few of them.
    """
    import beartype  # noqa: PLC0415  # of the module's environment

    original = beartype.beartype

    def late(*arguments: Any, **options: Any) -> Any:
        check = original(*arguments, **options)
        return lambda target: (
            checked_late(target, check) if isinstance(target, type) else check(target)
        )

    beartype.beartype = late
    try:
        yield
    finally:
        beartype.beartype = original


def checked_late(cls: type, check: Callable[[Any], Any]) -> type:
    """A class whose methods are wrapped when they are first called."""
    from typing import Self  # noqa: PLC0415  # of the module's environment

    for name, method in list(vars(cls).items()):
        if inspect.isfunction(method):
            # `Self` has a meaning in a class alone, and the check will see the method alone.
            hints = method.__annotations__.items()
            method.__annotations__ = {key: cls if hint is Self else hint for key, hint in hints}
        if inspect.iscoroutinefunction(method):
            setattr(cls, name, late_coroutine(method, check))
        elif inspect.isfunction(method):
            setattr(cls, name, late_function(method, check))
    return cls


def late_function(method: Callable[..., Any], check: Callable[[Any], Any]) -> Callable[..., Any]:
    """A function that is checked from its first call on."""
    checked = functools.cache(lambda: check(method))

    @functools.wraps(method)
    def call(*arguments: Any, **options: Any) -> Any:
        return checked()(*arguments, **options)

    return call


def late_coroutine(method: Callable[..., Any], check: Callable[[Any], Any]) -> Callable[..., Any]:
    """The same for a coroutine function, so that it is still seen to be one."""
    checked = functools.cache(lambda: check(method))

    @functools.wraps(method)
    async def call(*arguments: Any, **options: Any) -> Any:
        return await checked()(*arguments, **options)

    return call


def explain(error: BaseException) -> str:
    """Why a module cannot be imported: its own lines, and what went wrong there."""
    cause = error.__cause__ or error
    main = os.environ["DAGGER_MAIN_OBJECT"]
    if isinstance(cause, AttributeError) and cause.name == main:
        return f"it has no class {main}; the main object is called like the module"
    if type(cause).__module__.startswith("dagger."):
        return str(cause).rstrip()
    frames = traceback.extract_tb(cause.__traceback__)
    own = [f for f in frames if f.filename != __file__ and "importlib" not in f.filename]
    own = [f for f in own if f"{os.sep}site-packages{os.sep}" not in f.filename]
    lines = traceback.format_list(own[-5:]) + traceback.format_exception_only(cause)
    return "".join(lines).rstrip()


def serve(module: Module, reports: Reports) -> None:
    """Fork for every request, report every end."""
    wakeup, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    calls: dict[int, str] = {}
    pending = b""
    while True:
        readable, _, _ = select.select([0, wakeup], [], [])
        if wakeup in readable:
            os.read(wakeup, 512)
            report_ended(calls, reports)
        if 0 in readable:
            received = os.read(0, 1 << 16)
            if not received:
                end()
            *lines, pending = (pending + received).split(b"\n")
            for line in lines:
                start(json.loads(line), module, calls, reports)


def end() -> None:
    """Kill every process of this module: the caller is gone, and had no time to."""
    shutil.rmtree(HOME, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def start(request: dict[str, Any], module: Module, calls: dict[int, str], reports: Reports) -> None:
    """Fork, and run one call in the child."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        calls[child] = request["id"]
        return
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(reports._descriptor)  # noqa: SLF001
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.environ.update(request["env"])
        # A folder of its own, which stays: what a function makes there may be read until the end.
        folder = os.path.join(HOME, "calls", request["id"])  # noqa: PTH118
        os.makedirs(folder)  # noqa: PTH103
        os.chdir(folder)
        code = run(module, request["register"])
    finally:
        # No interpreter shutdown: it would do what the module wants done when its process ends.
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def run(module: Module, register: bool) -> int:
    """Let the SDK do one call; returns its exit code."""
    from dagger.mod import cli  # noqa: PLC0415

    try:
        return cli.app(module, register) or 0
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        return 1


def report_ended(calls: dict[int, str], reports: Reports) -> None:
    """Report every child that has ended."""
    while calls:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        if child in calls:
            reports.send(id=calls.pop(child), code=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()

"""The process that runs a module's functions."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from drydock import bindings, daemonconfig, paths, temporary
from drydock.errors import ApiError, DrydockError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from drydock.calls import Call
    from drydock.session import Session
    from drydock.source import ModuleSource
    from drydock.typedefs import Module

RUNNER = Path(__file__).with_name("runner.py")
TAIL_LINES = 40
STOP_SECONDS = 5.0

# What a module's process is given of the caller's environment: where to find programs and
# certificates, and how the machine reaches the network. Nothing else, as in a Dagger engine's
# runtime container: a module takes its inputs as arguments, and behaves alike wherever it runs.
PASSED_ON = frozenset(
    [
        "PATH",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "TZ",
        "TMPDIR",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
    ]
)


class ModuleProcess:
    """A module's own Python, which imports the module once and then answers calls.

    Started without waiting: the import, most of a short call's time, goes on while the caller does
    other things.
    """

    def __init__(
        self,
        source: ModuleSource,
        python: Path,
        *,
        verbose: bool = False,
        show: Callable[[str], None] | None = None,
    ) -> None:
        """Start the process.

        Args:
            source: The module.
            python: The interpreter of its environment.
            verbose: Let the SDK print its log.
            show: Called with each line that the module prints (default: standard error).
        """
        self.source = source
        self._show = show or to_stderr
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._home = temporary.make("drydock-module-")
        self._waiting: dict[str, asyncio.Future[int]] = {}
        self._ready: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._python = python
        self._process = subprocess.Popen(
            [str(python), "-u", str(RUNNER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._home,
            env=self._environment(verbose=verbose),
            # A group of its own: Ctrl-C is handled by the command line, which ends the whole group.
            start_new_session=True,
        )
        temporary.end_later(self._process.pid)
        # Pipes were asked for: none of the three is None.
        self._requests = cast("IO[bytes]", self._process.stdin)
        self._threads = [threading.Thread(target=self._print, daemon=True)]
        self._threads[0].start()

    def _environment(self, *, verbose: bool) -> dict[str, str]:
        passed = {name: value for name, value in os.environ.items() if name in PASSED_ON}
        # Programs of the module's own environment come first, as in a Dagger engine's container.
        programs = os.pathsep.join([str(self._python.parent), passed.get("PATH", os.defpath)])
        return {
            **passed,
            "PATH": programs,
            "VIRTUAL_ENV": str(self._python.parent.parent),
            **({"DRYDOCK_VERBOSE": "1"} if verbose else {}),
            "HOME": str(self._home),
            "PYTHONPATH": os.pathsep.join(self._import_paths()),
            "DRYDOCK_PYCACHE": str(paths.cache() / "bytecode"),
            "DAGGER_MODULE": self.source.original,
            "DAGGER_MAIN_OBJECT": self.source.main_object,
            "DAGGER_DEFAULT_PYTHON_PACKAGE": self.source.package,
            "DAGGER_MODULE_FILE": str(self._types_file),
            **self._trust(),
        }

    def _trust(self) -> dict[str, str]:
        """What the daemon trusts, the module does too, as in a Dagger engine's runtime container."""
        own = daemonconfig.authorities(paths.config()).values()
        if not own:
            return {}
        given = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
        files = dict.fromkeys([*([given] if given else []), *own])
        bundle = self._home / "authorities.pem"
        bundle.write_text("\n".join(Path(file).read_text() for file in files))
        return {"SSL_CERT_FILE": str(bundle)}

    def _import_paths(self) -> list[str]:
        client = bindings.folder(self.source)
        # What is generated comes first: a module may have an older one, of another engine, beside it.
        return [*([str(client)] if client else []), str(self.source.import_path)]

    @property
    def _types_file(self) -> Path:
        return self._home / ".module-id.json"

    # -- life --------------------------------------------------------------------------------------

    async def attach(self) -> None:
        """Wait until the module is imported.

        Raises:
            DrydockError: If it cannot be.
        """
        import asyncio  # noqa: PLC0415  # the process is started before anything slow is imported

        if self._ready is None:
            self._loop = asyncio.get_running_loop()
            self._ready = self._loop.create_future()
            self._threads.append(threading.Thread(target=self._read_reports, daemon=True))
            self._threads[-1].start()
        await asyncio.shield(self._ready)

    def stop(self) -> None:
        """Kill the process and every function that it still runs."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self._requests.close()
        self._process.wait(STOP_SECONDS)
        for thread in self._threads:
            thread.join(STOP_SECONDS)
        for pipe in (self._process.stdout, self._process.stderr):
            pipe.close()  # type: ignore[union-attr]
        shutil.rmtree(self._home, ignore_errors=True)

    def _print(self) -> None:
        for line in self._process.stderr:  # type: ignore[union-attr]
            text = line.decode(errors="replace").rstrip("\n")
            self._tail.append(text)
            # Who reads our standard error may have gone; the module must not block on a full pipe.
            with contextlib.suppress(OSError, ValueError):
                self._show(text)

    def _read_reports(self) -> None:
        for line in self._process.stdout:  # type: ignore[union-attr]
            self._post(self._report, json.loads(line))
        self._post(self._ended)

    def _post(self, function: Callable[..., None], *arguments: Any) -> None:
        # The loop may be gone already when the process ends.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)  # type: ignore[union-attr]

    def _report(self, report: dict[str, Any]) -> None:
        if "id" in report:
            if (future := self._waiting.pop(report["id"], None)) and not future.done():
                future.set_result(report["code"])
        elif "ready" in report:
            self._ready.set_result(None)  # type: ignore[union-attr]
        else:
            self._fail(f"module {self.source.name} cannot be imported:\n{report['failed']}")

    def _ended(self) -> None:
        self._fail(f"the process of module {self.source.name} has ended\n" + "\n".join(self._tail))

    def _fail(self, message: str) -> None:
        for future in (self._ready, *self._waiting.values()):
            if future and not future.done():
                future.set_exception(DrydockError(message.rstrip()))
        self._waiting.clear()

    # -- calls -------------------------------------------------------------------------------------

    async def run(self, session: Session, token: str, *, register: bool = False) -> int:
        """Let the SDK answer one call, or register; returns its exit code.

        Raises:
            DrydockError: If the module cannot be imported, or its process ends.
        """
        await self.attach()
        environment = {**session.environment(), "DAGGER_SESSION_TOKEN": token}
        request = {"id": token, "register": register, "env": environment}
        self._waiting[token] = self._loop.create_future()  # type: ignore[union-attr]
        future = self._waiting[token]
        # When the process is gone, its last report has the reason.
        with contextlib.suppress(BrokenPipeError):
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
        return await future

    async def call(self, session: Session, call: Call) -> Any:
        """Call a function; returns its result as the SDK gives it.

        Raises:
            ApiError: If the function fails.
        """
        call.folder = str(self._home / "calls" / call.key)
        with session.calls.open(call):
            code = await self.run(session, call.key)
        if call.error:
            values = {name: json.loads(value) for name, value in call.error.values}
            raise ApiError(call.error.message, values)
        if call.result is None:
            raise self._unanswered(call, code)
        return json.loads(call.result)

    def _unanswered(self, call: Call, code: int) -> ApiError:
        if code == 0:
            return ApiError(f"{call.title} completed without returning a value")
        extensions = {
            "_type": "EXEC_ERROR",
            "cmd": ["/runtime"],
            "exitCode": code if code > 0 else 128 - code,
            "stdout": "",
            "stderr": "",
        }
        ending = f"exit code: {code}" if code > 0 else f"ended by {signal.Signals(-code).name}"
        return ApiError(f"call {call.title}: {ending}", extensions)

    async def register(self, session: Session) -> Module:
        """Let the module register its types.

        Raises:
            DrydockError: If it cannot.
        """
        from drydock.calls import Call  # noqa: PLC0415

        call = Call(self.source.name, "")
        with session.calls.open(call):
            await self.run(session, call.key, register=True)
        if call.error:
            raise DrydockError(
                f"module {self.source.name} cannot register its types: {_plain(call.error.message)}"
            )
        try:
            identity = json.loads(self._types_file.read_text())
        except (OSError, ValueError) as error:
            lines = "\n".join(self._tail)
            raise DrydockError(
                f"module {self.source.name} did not register its types\n{lines}".rstrip()
            ) from error
        module: Module = session.ids.get(identity, "Module")
        return module


def _plain(message: str) -> str:
    # The SDK shows a pair of a message and the same once more as an exception.
    found = re.match(r"""RegistrationError: \((["'])(?P<text>.*)\1, \w+\(""", message, re.DOTALL)
    return found["text"] if found else message


def to_stderr(line: str) -> None:
    """Show a line of a module where nobody else does."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201

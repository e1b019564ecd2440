"""What services tell of themselves, and how their ends are told."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from drydock.errors import ApiError, ExecError

if TYPE_CHECKING:
    from drydock.services import Running

KILLED_WITHIN = 10
"""Seconds for what a killed service printed to arrive."""


def heard(running: Running, line: bytes) -> None:
    """Take in a report of a service's shim: it is ready, or its health check has failed too often."""
    report = json.loads(line)
    if running.ready.done():
        return
    if failure := report.get("unhealthy"):
        output = failure["stdout"], failure["stderr"]
        error = ExecError(failure["command"], failure["code"], *output)
        running.ready.set_exception(told(f"health check errored: {error}", error))
    elif address := report.get("ready"):
        running.ready.set_result(address)


def why_ended(running: Running) -> ApiError | None:
    """The error that a service ended with; None where it ended with none."""
    if running.control and running.control.fault:
        return running.control.fault
    if not running.task.done() or running.task.cancelled():
        return None
    error = running.task.exception()
    return error if error is None or isinstance(error, ApiError) else ApiError(str(error))


async def not_listening(running: Running, seconds: float) -> ApiError:
    """End a service that is not ready in time; the error has what it printed."""
    if running.control:
        running.control.tell(signal=9)
        await asyncio.wait([running.task], timeout=KILLED_WITHIN)
    cause = why_ended(running)
    running.task.cancel()
    output = cause.extensions if cause else {}
    printed = "\n".join(filter(None, (output.get("stdout"), output.get("stderr"))))
    return ApiError(
        f"service {running.service.hostname} does not listen on its ports after {seconds:.0f} s; a server that "
        f"listens on 127.0.0.1 alone cannot be reached by others. It printed:\n{printed}"
    )


def told(text: str, cause: ApiError | None) -> ApiError:
    """An error with the facts of its cause: a command's exit code and output."""
    return ApiError(text, cause.extensions if cause else None)


def aliased(names: tuple[str, ...]) -> str:
    """The names that a service is bound under."""
    return f"aliased as {', '.join(names)}" if names else "no aliases"

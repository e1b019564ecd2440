"""Errors, for the person at the terminal.

DrydockError            what ends a command: one clear paragraph, no traceback
├── UsageError          wrong flags or arguments (exit code 2)
└── ApiError            what a client of the API is told
    ├── ExecError       a command in a container failed
    └── MissingPathError  there is nothing at a path
"""

from __future__ import annotations

from typing import Any

# As on the Dagger engine (v0.21, core/exec_error.go): more would swamp the terminal.
OUTPUT_LIMIT = 100 * 1024


class DrydockError(Exception):
    """Something that the user can act on; the message says what failed and what to do."""

    exit_code = 1


class UsageError(DrydockError):
    """The command line is wrong."""

    exit_code = 2


class ApiError(DrydockError):
    """An error that the API answers with; `extensions` are GraphQL's."""

    def __init__(self, message: str, extensions: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.extensions = extensions or {}


class ExecError(ApiError):
    """A command in a container did not end as expected."""

    def __init__(self, command: list[str], exit_code: int, stdout: str, stderr: str) -> None:
        super().__init__(
            f"exit code: {exit_code}",
            {
                "_type": "EXEC_ERROR",
                "cmd": command,
                "exitCode": exit_code,
                "stdout": _tail(stdout),
                "stderr": _tail(stderr),
            },
        )


class MissingPathError(ApiError):
    """There is nothing at a path."""

    def __init__(self, path: str) -> None:
        super().__init__(f"stat {path}: no such file or directory")
        self.path = path


def _tail(text: str) -> str:
    if len(text) <= OUTPUT_LIMIT:
        return text.strip()
    note = f"[omitting {len(text) - OUTPUT_LIMIT} bytes]..."
    return (note + text[-OUTPUT_LIMIT + len(note) :]).strip()

"""What a call prints, as `dagger call` does (v0.21, `cmd/dagger/functions.go`)."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType

from drydock.cli_chain import answer, flat, selection
from drydock.errors import ApiError, DrydockError
from drydock.progress_text import brief

if TYPE_CHECKING:
    from drydock.cli_chain import Chain

OUTPUT_LINES = 60
"""Last lines of each stream of a failed command that an error repeats."""


def show(chain: Chain, data: Any) -> None:
    """Print the result of a call, or save it where `--output` says.

    Raises:
        DrydockError: If it cannot be saved.
    """
    kind = chain.last.result
    if kind.name == "Void":
        return
    value = answer(chain, data)
    if isinstance(kind, GraphQLObjectType):
        _show_object(chain, value)
        return
    text = as_json(value) if chain.options.json else as_text(flattened(value))
    # Whatever the locale: results are UTF-8, in a file and in a pipe.
    data = text.encode(errors="replace")
    if chain.options.output:
        _save(data, Path(chain.options.output))
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    if sys.stdout.isatty() and not data.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")


def _show_object(chain: Chain, value: Any) -> None:
    if selection(chain).startswith("export"):
        print(f'Saved to "{value}".', file=sys.stderr)
        return
    if value is None:
        raise DrydockError(f"{chain.path}: there is none (null)")
    items = list(flat(flattened(value)))
    for item in items:
        print(f"- {short_id(item)}" if isinstance(value, list) else short_id(item))


def short_id(identity: str) -> str:
    """An id as it is shown: the type's name and the beginning of the digest."""
    name, _, digest = identity.partition("@")
    return f"{name}@sha256:{digest[:16]}"


def flattened(value: Any) -> Any:
    """A result without the names of its fields: only the values below lists are wanted."""
    if isinstance(value, list):
        return [flattened(item) for item in value]
    if isinstance(value, dict):
        return flattened(next(iter(value.values())))
    return value


def as_json(value: Any) -> str:
    """A result as JSON, four spaces deep."""
    return json.dumps(value, indent=4, ensure_ascii=False) + "\n"


def as_text(value: Any) -> str:
    """A result as text: one line for each item of a list, a single value without a line's end."""
    if isinstance(value, list):
        return "".join(f"{as_text(item)}\n" for item in value)
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _save(data: bytes, path: Path) -> None:
    """Write a whole file or none; a device or a pipe is written to as it is."""
    target = path.resolve()
    special = target.exists() and not target.is_file()
    new = target if special else target.with_name(f".{target.name}.{os.getpid()}.drydock")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(data)
        if not special:
            if target.exists():
                new.chmod(target.stat().st_mode & 0o7777)
            new.replace(target)
    except OSError as error:
        if not special:
            new.unlink(missing_ok=True)
        raise DrydockError(f"couldn't write output to file: {path}: {error.strerror}") from error
    print(f'Saved output to "{target}".', file=sys.stderr)


def explain(error: DrydockError, *, output_shown: bool, verbose: bool) -> str:
    """What the person at the terminal is told of an error.

    Args:
        error: What failed.
        output_shown: Whether what a failed command printed has been seen already.
        verbose: Whether a module's traceback is wanted.
    """
    lines = [f"Error: {error}"]
    extensions = error.extensions if isinstance(error, ApiError) else {}
    if extensions.get("_type") == "EXEC_ERROR":
        command = shlex.join(extensions.get("cmd", []))
        lines = [f"Error: {error}" + (f" ({brief(command, 300)})" if command != "/runtime" else "")]
        for name in () if output_shown else ("stdout", "stderr"):
            if text := extensions.get(name):
                lines += [f"{name.capitalize()}:", *_last_lines(text)]
    elif trace := extensions.get("exception.stacktrace"):
        if verbose:
            lines.insert(0, str(trace).rstrip())
        elif extensions.get("exception.type") == "FunctionError":
            lines.append("Run again with --verbose for the module's traceback.")
    return "\n".join(lines)


def _last_lines(text: str) -> list[str]:
    lines = text.splitlines()
    left_out = len(lines) - OUTPUT_LINES
    return [f"[{left_out} lines before]…", *lines[-OUTPUT_LINES:]] if left_out > 0 else lines


def exit_code(error: DrydockError) -> int:
    """A failed command's own exit code, else the error's."""
    extensions = error.extensions if isinstance(error, ApiError) else {}
    if extensions.get("_type") == "EXEC_ERROR":
        return int(extensions.get("exitCode", 1)) or 1
    return error.exit_code

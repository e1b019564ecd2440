"""What a call prints, as `dagger call` does (v0.21, `cmd/dagger/functions.go`)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType

from drydock.cli_chain import answer, flat, selection
from drydock.errors import ApiError, DrydockError

if TYPE_CHECKING:
    from drydock.cli_chain import Chain


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
    if chain.options.output:
        _save(text, Path(chain.options.output))
    sys.stdout.write(text)
    if sys.stdout.isatty() and not text.endswith("\n"):
        sys.stdout.write("\n")


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


def _save(text: str, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise DrydockError(f"couldn't write output to file: {path}: {error.strerror}") from error
    print(f'Saved output to "{path.resolve()}".', file=sys.stderr)


def explain(error: DrydockError, *, output_shown: bool, verbose: bool) -> str:
    """What the person at the terminal is told of an error."""
    lines = [f"Error: {error}"]
    extensions = error.extensions if isinstance(error, ApiError) else {}
    if extensions.get("_type") == "EXEC_ERROR":
        command = " ".join(extensions.get("cmd", []))
        lines = [f"Error: {error}" + (f" ({command})" if command != "/runtime" else "")]
        if not output_shown:
            for name in ("stdout", "stderr"):
                if text := extensions.get(name):
                    lines += [f"{name.capitalize()}:", text]
    elif trace := extensions.get("exception.stacktrace"):
        if verbose:
            lines.insert(0, str(trace).rstrip())
        elif extensions.get("exception.type") == "FunctionError":
            lines.append("Run again with --verbose for the module's traceback.")
    return "\n".join(lines)


def exit_code(error: DrydockError) -> int:
    """A failed command's own exit code, else the error's."""
    extensions = error.extensions if isinstance(error, ApiError) else {}
    if extensions.get("_type") == "EXEC_ERROR":
        return int(extensions.get("exitCode", 1)) or 1
    return error.exit_code

"""Environment files: read as people write them, written so that Compose gives each value back."""

import io
import re
from collections.abc import Mapping

from slipway.errors import ConfigError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Within double quotes Compose's parser undoes these, and would fill in what follows a dollar sign
# (compose-go, dotenv/parser.go and template.go).
_ESCAPES = {"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\r": "\\r"}
_TABLE = str.maketrans(_ESCAPES)
# Bytes of NAME=value and the NUL behind it that Linux starts a process with (MAX_ARG_STRLEN, execve(2)).
_MOST = 32 * 4096


def parse(text: str, where: str) -> dict[str, str]:
    """Read a secret's environment file.

    Args:
        text: Lines of `NAME=value`, quoted or not; nothing is filled in.
        where: What it is called in messages, such as `api_env`; values are never shown.

    Returns:
        The values by name, in the order of the file.

    Raises:
        ConfigError: Lines that are no assignment, names twice, values no process can have.
    """
    # Only a deploy reads such a file: the engine imports this package on every call.
    from dotenv.parser import parse_stream  # noqa: PLC0415

    values: dict[str, str] = {}
    problems: list[str] = []
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or (binding.key is not None and not _NAME.fullmatch(binding.key)):
            problems.append(f"line {binding.original.line}: expected NAME=value")
        elif binding.key is not None and binding.value is None:
            problems.append(
                f"line {binding.original.line}: {binding.key} has no value; expected NAME=value"
            )
        elif binding.key in values:
            problems.append(f"line {binding.original.line}: {binding.key} is set twice")
        elif binding.key is not None:
            values[binding.key] = binding.value or ""
    problems += impossible(values)
    if problems:
        raise ConfigError(where, problems)
    return values


def impossible(values: Mapping[str, str]) -> list[str]:
    """Why no process can have these values; none of them is shown.

    Args:
        values: By name.

    Returns:
        A line for each that is impossible.
    """
    found = [f"{name}: holds a NUL character" for name, value in values.items() if "\0" in value]
    for name, value in values.items():
        size, most = len(value.encode()), _MOST - len(f"{name}=") - 1
        if size > most:
            found.append(
                f"{name}: {size:,} bytes — Linux takes at most {most:,}; hand it over as a file"
            )
    return found


def render(values: Mapping[str, str]) -> str:
    """An environment file from which Compose reads exactly these values.

    Args:
        values: By name.

    Returns:
        One line each: single quotes and bare values lose backslashes, quotes and comments.
    """
    return "".join(f'{name}="{value.translate(_TABLE)}"\n' for name, value in values.items())

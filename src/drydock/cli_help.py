"""Help texts: of drydock itself, and of a module's functions from their docstrings."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

from drydock.cli_options import SHORT, Options
from drydock.cli_table import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drydock.cli_chain import Chain
    from drydock.cli_flags import Flag

TYPES = {
    "String": ("string", "strings"),
    "Int": ("int", "ints"),
    "Float": ("float", "floats"),
    "Boolean": ("", "bools"),
}
"""How a type is shown, alone and in a list; others by their own names."""


def main_help() -> str:
    """The help of drydock itself."""
    commands = [(name, command.description) for name, command in COMMANDS.items()]
    parts = [
        ["Runs the functions of a Dagger module on a BuildKit daemon."],
        [title("USAGE"), "  drydock [options] <command>"],
        [title("COMMANDS"), *_table(commands, "  ", 9)],
        [title("OPTIONS"), *_options(Options.NAMES)],
        ['Use "drydock [command] --help" for more information about a command.'],
    ]
    return _joined(parts)


def chain_help(
    chain: Chain, description: str, known: Mapping[str, str], flags: Iterable[Flag]
) -> str:
    """The help of the last function of a chain.

    Args:
        chain: The command line so far.
        description: What the function does.
        known: The functions that can follow, with their descriptions.
        flags: The function's own.
    """
    flags = sorted(flags, key=lambda flag: (not flag.required, flag.name))
    usage = f"  {chain.path}{' [arguments]' if flags else ''}{' <function>' if known else ''}"
    parts = [[description.strip()] if description.strip() else [], [title("USAGE"), usage]]
    if known:
        rows = [(name, first_line(text)) for name, text in known.items()]
        parts.append([title("FUNCTIONS"), *_table(rows, "  ", 11)])
    if flags:
        parts.append([title("ARGUMENTS"), *_table([(_left(f), _right(f)) for f in flags], "", 0)])
    if len(chain.steps) == 1:
        parts.append([title("OPTIONS"), *_options(Options.NAMES)])
    if known:
        parts.append(
            [f'Use "{chain.path} [function] --help" for more information about a function.']
        )
    return _joined(parts)


def _joined(parts: Iterable[list[str]]) -> str:
    return "\n\n".join("\n".join(part) for part in parts if part)


def _left(flag: Flag) -> str:
    kind = ",".join(flag.choices) or flag.type_name
    shown = TYPES.get(kind, (kind, f"[]{kind}"))[flag.is_list]
    return f"      --{flag.name} {shown}".rstrip()


def _right(flag: Flag) -> str:
    parts = [" ".join(flag.description.split())]
    if flag.required:
        parts.append("[required]")
    elif flag.default not in (None, False, "", []):
        parts.append(f"(default {_default(flag)})")
    return " ".join(filter(None, parts))


def _default(flag: Flag) -> str:
    if flag.choices:
        return ",".join(flag.default) if flag.is_list else str(flag.default)
    return json.dumps(flag.default, ensure_ascii=False)


def _options(names: Iterable[str]) -> list[str]:
    letters = {name: letter for letter, name in SHORT.items()}
    rows = []
    for name in sorted(names):
        short = f"-{letters[name]}, " if name in letters else "    "
        left = f"  {short}--{name} {Options.NAMES[name]}".rstrip()
        rows.append((left, Options.DESCRIPTIONS[name]))
    return _table(rows, "", 0)


def _table(rows: Iterable[tuple[str, str]], indent: str, least: int) -> list[str]:
    """Two columns; the second is wrapped to the terminal."""
    rows = list(rows)
    width = max([least, *(len(left) for left, _ in rows)])
    columns = shutil.get_terminal_size((80, 24)).columns - 1
    room = max(columns - width - len(indent) - 3, 24)
    lines = []
    for left, right in rows:
        first, *rest = textwrap.wrap(right, room) or [""]
        lines.append(f"{indent}{left:<{width}}   {first}".rstrip())
        lines += [f"{' ' * (len(indent) + width + 3)}{line}" for line in rest]
    return lines


def first_line(text: str | None) -> str:
    """The first line of a docstring; a dash where there is none."""
    return (text or "").strip().partition("\n")[0] or "-"


def title(text: str) -> str:
    """A heading, in bold on a terminal."""
    return styled(text, "1")


def styled(text: str, code: str) -> str:
    """A text for standard output, with a style where that is a terminal that may have one."""
    plain = not sys.stdout.isatty() or os.environ.get("NO_COLOR")
    return text if plain else f"\x1b[{code}m{text}\x1b[0m"


def usage_of(name: str) -> str:
    """The help of one of drydock's own commands."""
    command = COMMANDS[name]
    parts = [
        [f"{command.description}."],
        [title("USAGE"), f"  drydock {name} {command.arguments}".rstrip()],
        [title("ARGUMENTS"), *_table(command.flags, "", 0)] if command.flags else [],
        [title("OPTIONS"), *_options(("help", *command.options))],
    ]
    return _joined(parts)

"""Help texts: of drydock itself, and of a module's functions from their docstrings."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

from drydock.cli_options import SHORT, Options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphql import GraphQLField

    from drydock.cli_chain import Chain
    from drydock.cli_flags import Flag

USAGE = """\
Runs the functions of a Dagger module on a BuildKit daemon.

{USAGE}
  drydock [options] <command>

{COMMANDS}
  call        Call one or more functions, each on the result of the one before
  functions   List the functions of a module, or of what a function returns
  check       Run the checks of a module
  run         Run a program that is a client of the Dagger API
  up          Start the BuildKit daemon, or check the one that BUILDKIT_HOST names
  down        Stop the BuildKit daemon that drydock started
  status      Tell whether the daemon answers, and its address
  version     Print the version

{OPTIONS}
{options}

Use "drydock call --help" for the functions of a module and their arguments."""


def main_help() -> str:
    """The help of drydock itself."""
    titles = {name: title(name) for name in ("USAGE", "COMMANDS", "OPTIONS")}
    return USAGE.format(options="\n".join(_options()), **titles)


def chain_help(chain: Chain, known: dict[str, GraphQLField], module_description: str) -> str:
    """The help of the last function of a chain; `known` are the functions that can follow."""
    step = chain.last
    is_root = len(chain.steps) == 1
    description = step.definition.description or ""
    if is_root:
        description = step.result.description or module_description or description
    usage = f"  {chain.path}{' [arguments]' if step.flags else ''}{' <function>' if known else ''}"
    parts = [[description.strip()] if description.strip() else [], [title("USAGE"), usage]]
    if known:
        rows = [(name, first_line(field.description)) for name, field in known.items()]
        parts.append([title("FUNCTIONS"), *_table(rows, "  ", 11)])
    flags = sorted(step.flags.values(), key=lambda flag: (not flag.required, flag.name))
    if flags:
        parts.append([title("ARGUMENTS"), *_table([(_left(f), _right(f)) for f in flags], "", 0)])
    if is_root:
        parts.append([title("OPTIONS"), *_options()])
    if known:
        parts.append(
            [f'Use "{chain.path} [function] --help" for more information about a function.']
        )
    return "\n\n".join("\n".join(part) for part in parts if part)


def _left(flag: Flag) -> str:
    kind = "|".join(flag.choices) or flag.type_name
    shown = {"String": "string", "Int": "int", "Float": "float", "Boolean": ""}.get(kind, kind)
    if flag.is_list:
        shown = f"{shown or 'bool'},…"
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


def _options() -> list[str]:
    letters = {name: letter for letter, name in SHORT.items()}
    rows = []
    for name, value in Options.NAMES.items():
        short = f"-{letters[name]}, " if name in letters else "    "
        rows.append((f"  {short}--{name} {value}".rstrip(), Options.DESCRIPTIONS[name]))
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
    bold = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return f"\x1b[1m{text}\x1b[0m" if bold else text


def usage_of(command: str, arguments: str, description: str) -> str:
    """The help of one of drydock's own commands."""
    options = "\n".join(_options())
    usage = f"{title('USAGE')}\n  drydock {command} {arguments}".rstrip()
    return f"{description}\n\n{usage}\n\n{title('OPTIONS')}\n{options}"

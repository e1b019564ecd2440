"""How the API names what a module calls something in Python.

The Dagger engine formats names with a Go library (v0.21, `core/gqlformat.go`: strcase 0.3.0),
whose treatment of runs of capitals and of digits is part of every name a user types; it is
followed here to the letter.
"""

from __future__ import annotations

import re
from functools import cache

_WORD_ENDS = re.compile(
    r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[0-9]|[A-Z][a-z])|(?<=[0-9])(?=[A-Za-z])|[ _.-]"
)


@cache
def camel(name: str) -> str:
    """`my-mod2x` → `MyMod2X`, `HTTPServer` → `Httpserver`."""
    return _camel(name, upper=True)


@cache
def lower_camel(name: str) -> str:
    """`build_image` → `buildImage`, `v2_api` → `v2Api`."""
    return _camel(name, upper=False)


@cache
def kebab(name: str) -> str:
    """`buildImage` → `build-image`, `v2Api` → `v-2-api`."""
    return _WORD_ENDS.sub("-", name.strip()).lower()


@cache
def snake(name: str) -> str:
    """`buildImage` → `build_image`."""
    return _WORD_ENDS.sub("_", name.strip()).lower()


@cache
def enum_member(name: str) -> str:
    """A member's name in the API: as it is when in capitals, else in screaming snake case."""
    return name if re.fullmatch(r"[A-Z][A-Z0-9_]*", name) else snake(name).upper()


def type_name(module: str, name: str, original: str | None = None) -> str:
    """The name of a module's type: the module's in front, unless it is there already.

    `("slipway", "Release")` and `("slipway", "SlipwayRelease")` are both `SlipwayRelease`; the
    main object is `Slipway`. `original` is the module's own name where a dependent gives it another.
    """
    own, prefix = camel(name), camel(original or module)
    if own == prefix:
        return camel(module)
    if own.startswith(prefix) and own[len(prefix)].isupper():
        return camel(module + own[len(prefix) :])
    return camel(f"{module}_{own}")


def _camel(name: str, *, upper: bool) -> str:
    text = name.strip()
    if text == "ID":
        text = "id"
    out: list[str] = []
    next_upper, after_capital = upper, False
    for position, char in enumerate(text):
        is_capital = "A" <= char <= "Z"
        is_letter = is_capital or "a" <= char <= "z"
        is_digit = "0" <= char <= "9"
        if is_letter:
            lowered = position == 0 or after_capital
            out.append(char.upper() if next_upper else char.lower() if lowered else char)
        elif is_digit:
            out.append(char)
        next_upper = not is_letter and (is_digit or char in "_ -.")
        after_capital = is_capital
    return "".join(out)

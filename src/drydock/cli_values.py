"""Texts of the command line as values of the API's own types. A reader raises ValueError for a text that is none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from drydock.engine import DEFAULT_PLATFORM

if TYPE_CHECKING:
    from collections.abc import Callable

PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/v\d+)?")
TRUTHS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


def truth(text: str) -> bool:
    """`true`, `false`, and their short forms."""
    if text.lower() not in TRUTHS:
        raise ValueError(text)
    return TRUTHS[text.lower()]


def whole_number(text: str) -> int:
    """A number in decimal, `0x…`, `0o…` or `0b…`."""
    return int(text, 0)


def platform(text: str) -> str:
    """`linux/amd64`; `current` is this machine's."""
    if text == "current":
        return DEFAULT_PLATFORM
    if not PLATFORM.fullmatch(text):
        raise ValueError(text)
    return text


def build_arg(text: str) -> dict[str, str]:
    """`NAME=VALUE`."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ValueError(text)
    return {"name": name, "value": value}


def port_forward(text: str) -> dict[str, int]:
    """`FRONTEND:BACKEND`; one number is both."""
    front, _, back = text.rpartition(":")
    return {"frontend": int(front or back), "backend": int(back)}


READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "Boolean": (truth, "true or false"),
    "BuildArg": (build_arg, "NAME=VALUE"),
    "Float": (float, "a number"),
    "Int": (whole_number, "a whole number"),
    "Platform": (platform, f"a platform such as {DEFAULT_PLATFORM}, or current"),
    "PortForward": (port_forward, "FRONTEND:BACKEND, two port numbers"),
}
"""By type: how a text is read, and what it should be."""
INPUTS = frozenset({"BuildArg", "PortForward"})
"""Input objects that a text can give."""

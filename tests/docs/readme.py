"""What a Markdown page shows: its commands, its blocks in other languages, and its links."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^ {4}\S.*\n?)+", re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
_PROGRAMS = ("drydock ", "dagger ", "./ci/")
# Blocks that are something else than commands.
_OTHER = ("yaml", "toml", "text", "json")


@dataclass(frozen=True)
class Page:
    """A page, taken apart.

    Attributes:
        commands: What it tells the reader to type: each block as one script, and each command within a line.
        blocks: The blocks of other languages, by language.
        links: What it points to in this repository.
    """

    commands: list[str] = field(default_factory=list)
    blocks: dict[str, list[str]] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)


def read(text: str) -> Page:
    """Take a page apart.

    Args:
        text: Its Markdown.
    """
    page = Page()
    for language, body in _FENCE.findall(text):
        if language in _OTHER:
            page.blocks.setdefault(language, []).append(body)
        else:
            page.commands.append(_script(body))
    prose = _FENCE.sub("", text)
    page.commands.extend(_script(block) for block in _INDENTED.findall(prose))
    prose = _INDENTED.sub("", prose)
    page.commands.extend(code for code in _INLINE.findall(prose) if code.startswith(_PROGRAMS))
    page.links.extend(link for link in _LINK.findall(prose) if "://" not in link)
    return Page(list(dict.fromkeys(page.commands)), page.blocks, page.links)


def _script(block: str) -> str:
    """The lines of a block without their comments."""
    lines = (re.sub(r"(?:^|\s{2,})#.*", "", line).strip() for line in block.splitlines())
    return "\n".join(filter(None, lines))

"""Searching in files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drydock.objects import Directory, File
from drydock.schema.registry import core
from drydock.search import Query, SearchResult, inside, search

if TYPE_CHECKING:
    from drydock.session import Session


@core.serves("Directory", "search")
@core.serves("File", "search")
async def search_(
    session: Session,
    parent: Directory | File,
    *,
    pattern: str,
    literal: bool = False,
    multiline: bool = False,
    dotall: bool = False,
    insensitive: bool = False,
    skip_ignored: bool = False,
    skip_hidden: bool = False,
    files_only: bool = False,
    limit: int | None = None,
    paths: list[str] | None = None,
    globs: list[str] | None = None,
) -> list[SearchResult]:
    """The lines that match, of a file or of all files in a directory."""
    query = Query(
        pattern,
        literal=literal,
        multiline=multiline,
        dotall=dotall,
        insensitive=insensitive,
        skip_ignored=skip_ignored,
        skip_hidden=skip_hidden,
        files_only=files_only,
        limit=limit,
        paths=tuple(inside(path) for path in paths or ()),
        globs=tuple(globs or ()),
    )
    if isinstance(parent, File):
        # One file is searched whatever its name (v0.21, core/file.go).
        return search([(parent.name, await session.engine.reader.read(parent))], query)
    return await session.engine.trees.search(parent, query)


core.plain("SearchResult", "filePath", "lineNumber", "absoluteOffset", "matchedLines", "submatches")
core.plain("SearchSubmatch", "text", "start", "end")

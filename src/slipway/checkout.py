"""How the files of the caller's checkout differ from its commit."""

from dataclasses import replace

import dagger

from . import git
from .evaluation import side_by_side
from .failures import message
from .publication import Tree
from .survey import Survey, take

# Ignored by Git in every such repo, and megabytes to compare; .slipway is where jobs put reports.
_UNREAD = ("node_modules", ".next", ".turbo", ".slipway")


async def tree(ws: dagger.Workspace, origin: git.Origin) -> Tree:
    """Compare the checkout with its commit, as Git would.

    Args:
        ws: The caller's workspace.
        origin: The state of the Git checkout.

    Returns:
        What differs; new files count, ignored ones do not.
    """
    if origin.revision == git.UNKNOWN:
        return Tree(unknown="there is no Git checkout, or none whose .git is a folder")
    changes = _repository(ws).uncommitted()
    try:
        if await changes.is_empty():
            return Tree()
        found = {
            *await changes.added_paths(),
            *await changes.modified_paths(),
            *await changes.removed_paths(),
        }
        changed = tuple(sorted(path for path in found if _counts(path)))
        digest = await changes.as_patch().digest(exclude_metadata=True) if changed else ""
    except dagger.QueryError as error:
        return Tree(unknown=message(error))
    return Tree(changed, digest.rpartition(":")[2])


async def surveyed(ws: dagger.Workspace, config: str, version: str | None) -> Survey:
    """Survey a checkout for a release: with annotated tags, which a look at .git does not tell.

    Args:
        ws: The caller's workspace.
        config: The config file's name, looked up from the caller's folder.
        version: The one tag that matters, if it is given.

    Raises:
        ConfigError: The repo or its config do not fit; every problem at once.
    """
    survey = await take(ws, config)
    return replace(survey, origin=await _tagged(ws, survey.origin, version))


async def _tagged(ws: dagger.Workspace, origin: git.Origin, version: str | None) -> git.Origin:
    asked = origin.loose if not version else (version,)
    if origin.revision == git.UNKNOWN or (version or "") in origin.tags:
        return origin

    async def found(name: str) -> bool:
        try:
            return await _repository(ws).tag(name).commit() == origin.revision
        except dagger.QueryError:
            return False  # there is no such tag

    here = await side_by_side(found, asked)
    more = {name for name, is_here in zip(asked, here, strict=True) if is_here}
    return replace(origin, tags=tuple(sorted({*origin.tags, *more})))


def _repository(ws: dagger.Workspace) -> dagger.GitRepository:
    return ws.directory("/", exclude=[f"**/{name}" for name in _UNREAD]).as_git()


def _counts(path: str) -> bool:
    # A folder is there for its files; what was not read looks as if it were deleted.
    return not path.endswith("/") and not set(path.split("/")) & set(_UNREAD)

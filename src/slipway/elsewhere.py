"""What to say where there is no pnpm workspace: another package manager's repo, or one further down."""

import posixpath

import dagger

from .errors import SlipwayError

LOCKFILE = "pnpm-lock.yaml"
WORKSPACE = "pnpm-workspace.yaml"
_IMPORT = f"`pnpm import` makes a {LOCKFILE} of it, and {WORKSPACE} names the packages"
_INSTALL = f"`pnpm install` makes a {LOCKFILE}, and {WORKSPACE} names the packages"
# What other package managers leave → what to do about it.
_OTHERS = {
    "package-lock.json": _IMPORT,
    "npm-shrinkwrap.json": _IMPORT,
    "yarn.lock": _IMPORT,
    "bun.lock": _INSTALL,
    "bun.lockb": _INSTALL,
}
_BELOW = [f"*/{LOCKFILE}", f"*/*/{LOCKFILE}"]


async def explained(ws: dagger.Workspace, start: str) -> SlipwayError:
    """Why no workspace was found in a folder or above it.

    Args:
        ws: The caller's workspace.
        start: The folder.
    """
    for name, advice in _OTHERS.items():
        if other := await ws.find_up(name, from_=start):
            return SlipwayError(f"{other.lstrip('/')}: slipway builds pnpm workspaces; {advice}")
    if below := await ws.directory(start, include=_BELOW).glob(f"**/{LOCKFILE}"):
        folders = " or ".join(sorted(posixpath.dirname(name) for name in below))
        return SlipwayError(f"no {LOCKFILE} here or in any folder above; run it in {folders}")
    return SlipwayError(
        f"no {WORKSPACE} or {LOCKFILE} here or in any folder above: slipway builds pnpm "
        "workspaces; stand in one, or commit what `pnpm install` writes"
    )

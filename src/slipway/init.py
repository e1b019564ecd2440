"""Looks at a repo and puts together what `init` adds to it, as changes for the user to look at."""

import posixpath

import dagger

from . import detect, initfiles, survey
from .config import Config
from .errors import SlipwayError
from .initfiles import CONFIG, ENV, GITLAB, IGNORE, Found
from .project import Project


async def changes(ws: dagger.Workspace, slipway: str, ref: str) -> dagger.Changeset:
    """The files to add to the caller's repo; none where nothing is missing.

    Args:
        ws: The caller's workspace.
        slipway: Slipway's project on the user's GitLab.
        ref: The branch, tag or commit of it to use.

    Raises:
        SlipwayError: The caller stands in no pnpm workspace, or not at its root.
    """
    where, root = await survey.places(ws, CONFIG)
    _at_root(root, await ws.path())
    read = [CONFIG, IGNORE, GITLAB]
    async with survey.local(ws.directory(root, include=read)) as files:
        hidden = initfiles.hides_env(files.texts([IGNORE]).get(IGNORE, "").splitlines())
    # An ignored .env may hold secrets: it is not even read, so that it reaches no engine.
    before = ws.directory(root, include=[*read, *([] if hidden else [ENV])])
    async with survey.local(before) as files:
        texts = files.texts([CONFIG, GITLAB, ENV])
        modes = {name: (files.folder / name).stat().st_mode & 0o777 for name in texts}
    project: Project | None = None
    problems: tuple[str, ...] = ()
    if not where:
        project, problems = detect.attempt(await survey.packages(ws, root), Config())
    found = Found(project, problems, texts, hidden)
    after = before
    for name, text in initfiles.additions(found, slipway=slipway, ref=ref).items():
        after = after.with_new_file(name, text, permissions=modes.get(name, 0o644))
    return after.changes(before)


def _at_root(root: str, path: str) -> None:
    """Changes are written to where the caller stands.

    Raises:
        SlipwayError: That is not where the files belong.
    """
    here = posixpath.normpath(posixpath.join("/", path))
    if here != root:
        up = posixpath.relpath(root, here)
        raise SlipwayError(
            f"init: you stand in {here.lstrip('/')}, and the files belong beside pnpm-lock.yaml: "
            f"cd {up}, and run it again"
        )

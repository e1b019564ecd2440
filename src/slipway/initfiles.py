"""The files that `init` adds to a repo, from what is there already: texts in, texts out."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from . import initconfig
from .project import Project

CONFIG = "slipway.toml"
ENV = ".env"
IGNORE = ".gitignore"
GITLAB = ".gitlab-ci.yml"
_TEMPLATES = Path(__file__).parent / "templates"
_NAME = re.compile(r"^(?:export\s+)?(SLIPWAY_\w+)\s*=", re.IGNORECASE | re.MULTILINE)
_COMPONENT = "ci/component/template.yml"
# The references of templates/env as flags.
_ARGUMENTS = """\
      # Git ignores .env here, so these references stand in this file. To have them in .env instead: move what is secret
      # there to .env.local, add the line `!/.env` to .gitignore, leave this out and run init again.
      arguments: >-
        --registry "$CI_REGISTRY_IMAGE" --registry-user "$CI_REGISTRY_USER"
        --registry-password env://CI_REGISTRY_PASSWORD --revision "$CI_COMMIT_SHA" --version "$CI_COMMIT_TAG"
        --ssh-key env://SSH_PRIVATE_KEY --api-env env://API_ENV --actor "$GITLAB_USER_LOGIN" --job "$CI_JOB_URL"
"""
_BY_HAND = f"GitLab: {GITLAB} is there already; add this to it."


@dataclass(frozen=True)
class Found:
    """What `init` needs to know of a repo.

    Attributes:
        project: The project as far as it can be told; None where there is a slipway.toml.
        problems: What could not be told.
        texts: The contents of the files that are there; of .env only where Git sees it.
        hidden: Whether Git ignores .env: then it may hold secrets, and is left alone.
    """

    project: Project | None
    problems: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    hidden: bool = False


def additions(found: Found, *, slipway: str, ref: str) -> dict[str, str]:
    """The new contents of the files that `init` adds or adds lines to.

    Args:
        found: What is there.
        slipway: Slipway's project on the user's GitLab.
        ref: The branch, tag or commit of it to use.

    Returns:
        Contents by name; empty when nothing is missing.
    """
    job = pipeline(found, slipway, ref)
    made = {}
    if found.project:
        present = found.texts.get(GITLAB)
        by_hand = present is not None and _COMPONENT not in present
        notes = [_BY_HAND, *job.splitlines()] if by_hand else []
        made[CONFIG] = initconfig.text(found.project, found.problems, notes)
    if not found.hidden and (text := environment(found.texts.get(ENV, ""))):
        made[ENV] = text
    if GITLAB not in found.texts:
        made[GITLAB] = job
    return made


def environment(present: str) -> str:
    """`.env` with the references that it lacks; empty when it lacks none.

    Args:
        present: What it holds; empty when there is none.
    """
    named = {name.upper() for name in _NAME.findall(present)}
    template = (_TEMPLATES / "env").read_text()
    references = [line for line in template.splitlines() if line.startswith("SLIPWAY_")]
    missing = [line for line in references if line.partition("=")[0] not in named]
    if not missing:
        return ""
    about = [line for line in template.splitlines() if line.startswith("#")]
    before = [*present.splitlines(), ""] if present.strip() else []
    return "\n".join([*before, *about, *missing, ""])


def pipeline(found: Found, slipway: str, ref: str) -> str:
    """`.gitlab-ci.yml`, with the references of `.env` as arguments where Git ignores that.

    Args:
        found: What is there.
        slipway: Slipway's project on the user's GitLab.
        ref: The branch, tag or commit of it to use.
    """
    text = (_TEMPLATES / "gitlab-ci.yml").read_text()
    text += _ARGUMENTS if found.hidden else ""
    return text.replace("@PROJECT@", slipway).replace("@REF@", ref)


def hides_env(ignored: Iterable[str]) -> bool:
    """Whether the lines of a .gitignore at the root hide the .env beside it: the last that fits counts.

    Args:
        ignored: The lines.
    """
    hidden = False
    for line in ignored:
        pattern = line.strip()
        shows = pattern.startswith("!")
        pattern = pattern.removeprefix("!").removeprefix("**/").removeprefix("/")
        # A pattern that ends with a slash fits folders alone.
        if pattern and not pattern.startswith("#") and fnmatchcase(ENV, pattern):
            hidden = not shows
    return hidden

"""The commented slipway.toml that `init` writes: detected values as comments, gaps to fill in."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .project import App, Project

_HEAD = """\
# What slipway cannot know about this repo. Every key may be left out; docs/configuration.md of slipway has all of them.
# What it detected is commented out: take "# " away to fix a value, or to change it.
# Editors complete and check this file with slipway's docs/slipway.schema.json: name it above as `#:schema PATH`.
"""
_APPS = "With any [apps.NAME] here, slipway builds those and looks for no others: then name all of them."
_TO_DO = "To do: slipway could not tell what follows, and stops until it is said here."
_PLACEHOLDER = ("[apps.web]", 'path = "apps/web"')
_ENVIRONMENTS = (
    ("staging", "https://api.staging.example.com"),
    ("prod", "https://api.example.com"),
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def text(project: Project, problems: Sequence[str], notes: Iterable[str] = ()) -> str:
    """The file's contents.

    Args:
        project: The project as far as it could be told without a config.
        problems: What could not be told.
        notes: Lines to add at the end, as comments.
    """
    to_do = [_comment([_TO_DO, *(f"- {problem}" for problem in problems)])] if problems else []
    blocks = [_HEAD, *to_do, *_detected(project), *_environments(project)]
    if lines := list(notes):
        blocks.append(_comment(lines))
    return "\n".join(blocks)


def _detected(project: Project) -> Iterator[str]:
    reasons = {found.what: found.reason for found in project.findings}
    values = {found.what: found.value for found in project.findings}
    yield _comment(_keys({"name": project.name}, {"name": reasons.get("name", "")}))
    node = {"version": values.get("node", ""), "pnpm": project.pnpm}
    about = {"version": reasons.get("node", ""), "pnpm": reasons.get("pnpm", "")}
    yield _comment(["[node]", *_keys({key: value for key, value in node.items() if value}, about)])
    apps = [_app(app, reasons) for app in project.apps] or [_comment(_PLACEHOLDER)]
    yield f"# {_APPS}\n" + "\n".join(apps)
    if project.migrator:
        path = {"path": project.migrator.project.path}
        lines = _keys(path, {"path": reasons.get("migrator", "")})
        yield _comment(["[migrator]", *lines])


def _app(app: App, reasons: Mapping[str, str]) -> str:
    keys: dict[str, str | int] = {"path": app.path, "kind": app.kind, "port": app.port}
    # `entry` is a file alone; flags before it stay in the start script.
    if len(app.program) == 1:
        keys["entry"] = app.program[0]
    name = app.name if _BARE.fullmatch(app.name) else json.dumps(app.name)
    return _comment([f"[apps.{name}]", *_keys(keys, {"path": reasons.get(app.name, "")})])


def _environments(project: Project) -> Iterator[str]:
    fronts = [app.name for app in project.apps if app.kind == "next"]
    for name, url in _ENVIRONMENTS:
        about = f"fill in: NEXT_PUBLIC_API_URL of {' and '.join(fronts)}, fixed in its files"
        keys = [f'# api_url = "{url}" # {about}'] if fronts else []
        yield "\n".join([f"[environments.{name}] # --env {name}", *keys, ""])


def _keys(keys: Mapping[str, str | int], about: Mapping[str, str]) -> list[str]:
    """Lines of TOML, each with the reason of its value where there is one."""
    return [
        f"{key} = {json.dumps(value, ensure_ascii=False)}"
        + (f" # {' '.join(about[key].split())}" if about.get(key) else "")
        for key, value in keys.items()
    ]


def _comment(lines: Iterable[str]) -> str:
    """Lines as comments, each line of a longer text its own."""
    return "".join(f"# {part}\n" for line in lines for part in line.splitlines())

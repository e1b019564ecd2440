"""Reads slipway.toml and checks it against the repo: every error at once."""

import difflib
import posixpath
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from .config import NAME, REPOSITORY, SIZE, TAG, URL, URL_PATH, VARIABLE, VERSION, Config, inside
from .errors import ConfigError

_EXPECTED = {
    NAME: "lower-case letters, digits and single separators (. _ -)",
    VERSION: "a version such as 22 or 22.11.0",
    URL: "an http:// or https:// address",
    URL_PATH: "a path such as /health",
    VARIABLE: "the name of an environment variable",
    REPOSITORY: "an image's name in lower case, parts separated by /, without host and tag",
    SIZE: "a number and k, m or g, such as 256m",
    TAG: "letters, digits and _ . - (at most 128)",
}

_BOUNDS = {
    "greater_than_equal": "a number, {ge} or more",
    "greater_than": "a number above {gt}",
    "less_than_equal": "a number, {le} or less",
}


def load(
    text: str,
    *,
    where: str = "slipway.toml",
    packages: Iterable[str] = (),
    files: Iterable[str] = (),
) -> Config:
    """Read slipway.toml and check it against the repo.

    Args:
        text: The file's contents.
        where: Its name, for messages.
        packages: The workspace's folders that hold a package.json.
        files: Every file the survey listed; Dockerfiles are looked up here.

    Returns:
        The validated config.

    Raises:
        ConfigError: With every problem found: key path, value, what was expected.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(where, [f"not valid TOML: {error}"]) from None
    problems: list[str] = []
    config = Config()
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        problems = [_problem(found) for found in error.errors()]
    problems += _misplaced(raw, set(packages), set(files))
    if problems:
        raise ConfigError(where, problems)
    return config


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean "port"?`, or nothing when no known name is near."""
    found = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f'; did you mean "{found[0]}"?' if found else ""


def _problem(error: Mapping[str, Any]) -> str:
    path = [str(part) for part in error["loc"] if part != "[key]"]
    key = ".".join(path)
    if error["type"] == "extra_forbidden":
        known = _keys(path[:-1])
        hint = nearest(path[-1], known) or f" (known: {', '.join(sorted(known))})"
        return f"{key}: unknown key{hint}"
    return f"{key}: {_shown(error['input'])} — expected {_expected(error)}"


def _expected(error: Mapping[str, Any]) -> str:
    context = error.get("ctx", {})
    if error["type"] == "string_pattern_mismatch":
        return _EXPECTED.get(context["pattern"], f"text that matches {context['pattern']}")
    if error["type"] in _BOUNDS:
        return _BOUNDS[error["type"]].format(**context)
    if error["type"] in ("model_type", "dict_type", "model_attributes_type"):
        return "a table"
    message = str(error["msg"]).removeprefix("Value error, ")
    return re.sub(r"^(Input|Value) should be (?:a valid |a )?", "", message)


def _shown(value: object) -> str:
    shown = repr(value) if not isinstance(value, str) else f'"{value}"'
    return shown if len(shown) <= 60 else f"{shown[:57]}…"


def _keys(path: list[str]) -> set[str]:
    """The keys that the table at a path may have."""
    model: type[BaseModel] = Config
    parts = iter(path)
    for part in parts:
        annotation = model.model_fields[part].annotation
        if get_origin(annotation) is dict:
            next(parts, None)
            annotation = get_args(annotation)[1]
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return set()
        model = annotation
    return set(model.model_fields)


def _misplaced(raw: Mapping[str, Any], packages: set[str], files: set[str]) -> list[str]:
    """Paths that lead nowhere in this repo; values of a wrong type are reported elsewhere."""
    problems: list[str] = []
    apps = raw.get("apps")
    for name, app in apps.items() if isinstance(apps, dict) else ():
        if isinstance(app, dict):
            problems += _misplaced_app(f"apps.{name}", app, packages, files)
    shared = raw.get("packages")
    for folder in shared if isinstance(shared, dict) else ():
        problems += _no_package(f'packages."{folder}"', folder, packages)
    migrator = raw.get("migrator")
    if isinstance(migrator, dict) and isinstance(migrator.get("path"), str):
        problems += _no_package("migrator.path", migrator["path"], packages)
    return problems


def _misplaced_app(
    key: str, app: Mapping[str, Any], packages: set[str], files: set[str]
) -> list[str]:
    path, dockerfile = app.get("path"), app.get("dockerfile")
    problems = (
        _no_package(f"{key}.path", path, packages)
        if isinstance(path, str) and not dockerfile
        else []
    )
    if path is None and dockerfile is None:
        problems.append(f"{key}: expected path (a folder with a package.json) or dockerfile")
    if app.get("target") is not None and dockerfile is None:
        problems.append(f'{key}.target: "{app["target"]}" — expected only together with dockerfile')
    if isinstance(dockerfile, str):
        context = app.get("context", ".")
        full = posixpath.normpath(f"{context}/{dockerfile}")
        if full not in files:
            hint = nearest(full, files)
            problems.append(f'{key}.dockerfile: "{dockerfile}" — no such file in {context}/{hint}')
    return problems


def _no_package(key: str, path: str, packages: set[str]) -> list[str]:
    try:
        folder = inside(path)
    except ValueError:
        return []  # reported by the model
    if folder in packages:
        return []
    return [f'{key}: "{path}" — no workspace package there{nearest(folder, packages)}']

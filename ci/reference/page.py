"""The reference page of slipway.toml, from its JSON schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slipway import config

Schema = Mapping[str, Any]

EXAMPLE = """\
name = "mindfulspace"

[environments.staging]
api_url = "https://api.staging.mindfulspace.example"   # NEXT_PUBLIC_API_URL

[environments.prod]
api_url = "https://api.mindfulspace.example"

[apps.frontend]
path = "apps/frontend-next"

[apps.api]
path = "apps/api-nest"
port = 3001

[apps.admin]                       # an app that brings its own Dockerfile
path = "apps/admin"
dockerfile = "apps/admin/Dockerfile"
target = "runtime"
"""

_HEAD = f"""\
# slipway.toml

Every key is optional. What is left out is detected from the repository, and `build` and `verify` print what they
found and why; the file says what they cannot know, or what should be otherwise. It is looked up from the folder that
you stand in upwards; `--config NAME` names another. `init` writes a commented one. Unknown keys, wrong values and paths
that lead nowhere are all told at once, with what was expected.

```toml
{EXAMPLE}```

Editors that know [taplo](https://taplo.tamasfe.dev) (in VS Code: *Even Better TOML*) complete keys and mark mistakes
with [slipway.schema.json](slipway.schema.json): name it in the first line, as a path or an address.

```toml
#:schema ../slipway/docs/slipway.schema.json
```

This page and the schema are made by `ci/docs` from [the models](../src/slipway/config.py).
"""

# The words for a pattern of the models.
_WORDS = {
    config.NAME: "a name: `a-z0-9`, single `.` `_` `-` between",
    config.VERSION: "a version",
    config.URL: "`http(s)://…`",
    config.VARIABLE: "a variable's name",
    config.PATH: "a path in the repo",
}
# The placeholder for a table's name.
_NAMED = {config.NAME: "NAME", config.PATH: '"FOLDER"'}
_TABLE = ["", "| key | value | default | |", "|---|---|---|---|"]


@dataclass(frozen=True)
class Table:
    """One table of the file.

    Attributes:
        name: Its name as it is written, such as `apps.NAME`; empty for the top of the file.
        description: What it is for.
        keys: The keys that are values, by name.
        same: The name of an earlier table with the same keys.
    """

    name: str
    description: str
    keys: Mapping[str, Schema]
    same: str = ""


def tables(schema: Schema) -> Iterator[Table]:
    """The tables of the file, the top first, each table before those below it.

    Args:
        schema: The schema of the whole file.
    """
    seen: dict[str, str] = {}

    def below(name: str, description: str, table: Schema) -> Iterator[Table]:
        inner = {
            key: found for key, value in table["properties"].items() if (found := _inner(value))
        }
        keys = {key: value for key, value in table["properties"].items() if key not in inner}
        if keys:
            yield Table(name, description, keys)
        for key, (placeholder, reference) in inner.items():
            path = ".".join(filter(None, (name, key, placeholder)))
            about = table["properties"][key].get("description", "")
            if reference in seen:
                yield Table(path, about, {}, seen[reference])
                continue
            seen[reference] = path
            yield from below(path, about, schema["$defs"][reference])

    yield from below("", schema.get("description", ""), schema)


def _inner(value: Schema) -> tuple[str, str] | None:
    """For a key that holds tables: the placeholder for their names, and the model."""
    if "$ref" in value:
        return "", value["$ref"].rpartition("/")[2]
    for pattern, of in value.get("patternProperties", {}).items():
        if "$ref" in of:
            return _NAMED[pattern], of["$ref"].rpartition("/")[2]
    return None


def kind(value: Schema) -> str:
    """What a key takes, in a few words."""
    if "anyOf" in value:
        return " or ".join(kind(one) for one in value["anyOf"])
    if "enum" in value:
        return ", ".join(_toml(one) for one in value["enum"])
    if "const" in value:
        return _toml(value["const"])
    if value.get("pattern") in _WORDS:
        return _WORDS[value["pattern"]]
    return _plain(value)


def _plain(value: Schema) -> str:
    if value["type"] == "array":
        return "list of texts"
    if value["type"] == "object":
        return "table of texts"
    if value["type"] == "integer":
        low = value.get("minimum", value.get("exclusiveMinimum", -1) + 1)
        return f"{low} to {value['maximum']}" if "maximum" in value else f"a number from {low}"
    return "`true`, `false`" if value["type"] == "boolean" else "text"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "`{ " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in value.items()) + " }`"
    return f"`{json.dumps(value)}`"


def _row(key: str, value: Schema) -> str:
    default = _toml(value["default"]) if "default" in value else ""
    examples = ", ".join(_toml(one) for one in value.get("examples", ()))
    about = f"{value['description']} Example: {examples}" if examples else value["description"]
    return f"| `{key}` | {kind(value)} | {default} | {about} |".replace("|  |", "| |")


def text(schema: Schema) -> str:
    """The page as it is written to the file.

    Args:
        schema: The schema of the whole file.
    """
    lines = _HEAD.splitlines()
    for table in tables(schema):
        lines += [
            "",
            f"## `[{table.name}]`" if table.name else "## At the top",
            "",
            table.description,
        ]
        if table.same:
            lines += ["", f"The keys of `[{table.same}]`."]
            continue
        lines += [*_TABLE, *(_row(key, value) for key, value in table.keys.items())]
    return "\n".join(lines) + "\n"

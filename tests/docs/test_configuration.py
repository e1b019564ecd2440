"""The schema and the reference page of slipway.toml: as the models say, and true."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ci.reference import page, schema
from ci.reference.__main__ import made
from slipway.config import Config
from slipway.configfile import load
from slipway.errors import ConfigError

ROOT = Path(__file__).parent.parent.parent
FILES = sorted(
    [*(ROOT / "examples").glob("*/slipway.toml"), *(ROOT / "tests").glob("**/slipway.toml")]
)
VALIDATOR = jsonschema.Draft202012Validator(
    json.loads((ROOT / "docs" / "slipway.schema.json").read_text())
)


def mistakes(text: str) -> list[str]:
    """The keys that an editor would mark in a file, dotted."""
    found = VALIDATOR.iter_errors(tomllib.loads(text))
    return sorted(".".join(str(part) for part in error.absolute_path) for error in found)


@pytest.mark.parametrize("path", made(), ids=lambda path: path.name)
def test_the_file_is_what_the_models_say(path: Path) -> None:
    """Whoever changes a model runs ci/docs."""
    assert path.read_text() == made()[path], "run ./ci/docs"


def test_the_schema_is_a_schema() -> None:
    """By the rules of its own draft."""
    jsonschema.Draft202012Validator.check_schema(schema.schema())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_every_file_of_this_repository_fits(path: Path) -> None:
    """The example's and those of the consumers in the tests."""
    assert mistakes(path.read_text()) == []


def test_the_page_shows_a_file_that_loads() -> None:
    """In an editor and in slipway."""
    assert mistakes(page.EXAMPLE) == []
    files = ("apps/admin/Dockerfile",)
    read = load(page.EXAMPLE, packages=("apps/frontend-next", "apps/api-nest"), files=files)
    assert list(read.apps) == ["frontend", "api", "admin"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[app.web]", ""),
        ("[apps.web]\nprot = 3000", "apps.web"),
        ("[apps.web]\nport = 99999", "apps.web.port"),
        ('[apps.web]\nport = "http"', "apps.web.port"),
        ('[apps.web]\nkind = "vue"', "apps.web.kind"),
        ('[apps.web]\npath = "../web"', "apps.web.path"),
        ('[apps."My Web"]\npath = "web"', "apps"),
        ("apps = 3", "apps"),
        ('[node]\nversion = "lts"', "node.version"),
        ('[install]\ninclude = "tools/**"', "install.include"),
        ('[environments.prod]\napi_url = "api.acme.example"', "environments.prod.api_url"),
        ('[apps.web]\npath = "web"\n[apps.web.build_args]\n"A-B" = "c"', "apps.web.build_args"),
        ("[apps.web]\npath = 'web'\n[apps.web.verify]\nlint = true", "apps.web.verify.lint"),
    ],
)
def test_an_editor_marks_what_slipway_refuses(text: str, where: str) -> None:
    """At the key that is wrong."""
    assert mistakes(text) == [where]
    with pytest.raises(ConfigError) as refused:
        load(text, packages=("web",))
    assert any(problem.startswith(where) for problem in refused.value.problems)


@pytest.mark.parametrize("text", ["[node]\nversion = 22", "[apps.a]\nbuild_args = { PORT = 80 }"])
def test_a_number_is_taken_for_its_digits(text: str) -> None:
    """An editor does not complain of what slipway reads."""
    assert mistakes(text) == []


def described() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key of every table, with its schema."""
    for table in page.tables(schema.schema()):
        for key, value in table.keys.items():
            yield f"[{table.name}] {key}", dict(value)


def test_every_key_says_what_it_is_for() -> None:
    """In a sentence or more, on the page and in the editor."""
    silent = [name for name, value in described() if not value.get("description", "").endswith(".")]
    assert silent == []


def test_every_example_is_a_good_value() -> None:
    """As the schema itself says."""
    shown = [(value, example) for _, value in described() for example in value.get("examples", ())]
    assert shown
    for value, example in shown:
        jsonschema.validate(example, value)


def test_every_table_of_the_models_is_on_the_page() -> None:
    """Named as it is written in the file."""
    names = {table.name for table in page.tables(schema.schema())}
    assert {"", "node", "apps.NAME", "apps.NAME.verify", 'packages."FOLDER".verify'} <= names
    assert {name.partition(".")[0] for name in names if name} == set(Config.model_fields) - {"name"}

"""The JSON schema of slipway.toml, as editors read it."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from slipway.config import Config


class _Schema(GenerateJsonSchema):
    """Pydantic's schema, less what TOML has not and nobody reads."""

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        """TOML has no null: a key is there or left out."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        """No default where there is none, or where it is a table of its own."""
        made = super().default_schema(schema)
        if made.get("default") is None or isinstance(made.get("default"), dict):
            made.pop("default", None)
        return made

    def dict_schema(self, schema: Any) -> JsonSchemaValue:
        """A name that does not fit its pattern is an error, as when the file is read."""
        made = super().dict_schema(schema)
        if "patternProperties" in made:
            made["additionalProperties"] = False
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the base's signature
        """The key itself is the title."""
        return False


def schema() -> dict[str, Any]:
    """The schema of the whole file, as JSON schema's draft 2020-12."""
    made = Config.model_json_schema(schema_generator=_Schema)
    for table in made["$defs"].values():
        del table["title"]
    top = {"$schema": _Schema.schema_dialect, "title": "slipway.toml"}
    return {**top, **{key: value for key, value in made.items() if key != "title"}}


def text() -> str:
    """The schema as it is written to the file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"

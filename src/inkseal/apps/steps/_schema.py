"""A JSON schema as it stands in an app's file: as a table, or as JSON in a string."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from inkseal.core.errors import InksealError
from inkseal.studio.generate.constraints import check_schema


def _schema(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"json_schema is no JSON: {error}") from None
    if isinstance(value, Mapping):
        try:
            check_schema(_sized(value))
        except InksealError as error:
            raise ValueError(str(error)) from None
    return value


def _sized(value: Any) -> Any:
    """Returns the schema with 1 for each `{{name}}`, which only a run can fill in."""
    if isinstance(value, str):
        return 1 if value.startswith("{{") and value.endswith("}}") else value
    if isinstance(value, Mapping):
        # An enum that a run fills in stands for any list.
        return {
            key: ["x"] if key == "enum" and isinstance(inner, str) else _sized(inner) for key, inner in value.items()
        }
    return [_sized(inner) for inner in value] if isinstance(value, list) else value


JsonSchema = Annotated[dict[str, Any], BeforeValidator(_schema)]

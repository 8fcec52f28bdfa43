"""Says whether a JSON value meets a schema, for the keywords that constraints and tools may use.

Source: JSON Schema 2020-12, core and validation. Bounded: a schema that refers to itself without end is never met.
`format` is a note, as in the standard.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from inkseal.core.errors import ModelFileRefused
from inkseal.formats.tokenizer_json import check_pattern

MAX_STEPS = 20_000
MAX_DEPTH = 150

_KINDS: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: is_number(value) and value == math.floor(value),
    "number": lambda value: is_number(value),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_NUMBERS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, limit: value >= limit,
    "maximum": lambda value, limit: value <= limit,
    "exclusiveMinimum": lambda value, limit: value > limit,
    "exclusiveMaximum": lambda value, limit: value < limit,
}
_SIZES = {str: ("minLength", "maxLength"), list: ("minItems", "maxItems"), dict: ("minProperties", "maxProperties")}


def conforms(value: Any, schema: Mapping[str, Any]) -> bool:
    """Returns whether a value from a JSON reader meets a schema whose references are local."""
    return _Walk(schema).meets(value, schema, 0)


class _Walk:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.num_steps = 0

    def meets(self, value: Any, schema: Any, depth: int) -> bool:
        self.num_steps += 1
        if depth > MAX_DEPTH or self.num_steps > MAX_STEPS:
            return False
        if not isinstance(schema, Mapping):
            return schema is True
        if "$ref" in schema and not self.meets(value, self.target(schema["$ref"]), depth + 1):
            return False
        return _meets_alone(value, schema) and self.parts(value, schema, depth) and self.choices(value, schema, depth)

    def target(self, reference: Any) -> Any:
        found: Any = self.root
        for step in filter(None, str(reference).removeprefix("#").split("/")):
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else False
        return found

    def parts(self, value: Any, schema: Mapping[str, Any], depth: int) -> bool:
        """Checks what is inside of an object or an array."""
        if isinstance(value, dict):
            known, other = schema.get("properties", {}), schema.get("additionalProperties", True)
            return all(self.meets(inner, known.get(name, other), depth + 1) for name, inner in value.items())
        if isinstance(value, list):
            first, other = schema.get("prefixItems", []), schema.get("items", True)
            rules = [*first, *[other] * max(0, len(value) - len(first))]
            return all(self.meets(inner, rule, depth + 1) for inner, rule in zip(value, rules, strict=False))
        return True

    def choices(self, value: Any, schema: Mapping[str, Any], depth: int) -> bool:
        def met(key: str) -> int:
            return sum(self.meets(value, option, depth + 1) for option in schema[key])

        return (
            ("anyOf" not in schema or met("anyOf") > 0)
            and ("oneOf" not in schema or met("oneOf") == 1)
            and ("allOf" not in schema or met("allOf") == len(schema["allOf"]))
        )


def _meets_alone(value: Any, schema: Mapping[str, Any]) -> bool:
    """Checks the keywords that hold no schemas."""
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if kinds and not any(_KINDS[kind](value) for kind in kinds if kind in _KINDS):
        return False
    if "const" in schema and not _same(value, schema["const"]):
        return False
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        return False
    if isinstance(value, dict) and not set(schema.get("required", [])) <= value.keys():
        return False
    if is_number(value) and not all(met(value, schema[key]) for key, met in _NUMBERS.items() if key in schema):
        return False
    for kind, (least, most) in _SIZES.items():
        if isinstance(value, kind) and not schema.get(least, 0) <= len(value) <= schema.get(most, math.inf):
            return False
    return not isinstance(value, str) or "pattern" not in schema or _matches(schema["pattern"], value)


def _matches(pattern: str, text: str) -> bool:
    """A pattern that could take too long counts as not met."""
    try:
        check_pattern(pattern)
        return re.search(pattern, text) is not None
    except (ModelFileRefused, re.error):
        return False


def is_number(value: Any) -> TypeGuard[int | float]:
    """Returns whether a value is a number that a float can hold; what reads it may then calculate with it."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def _same(one: Any, other: Any) -> bool:
    """Equality of JSON values, where true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)

"""Values are held against schemas as the standard says."""

import math
import time
from typing import Any

import pytest

from inkseal.formats.json_schema import conforms

CASES: list[tuple[dict[str, Any], list[Any], list[Any]]] = [
    ({"type": "integer"}, [1, 1.0, -3, 10**300], [1.5, True, "1", None, 10**400]),
    ({"type": "number"}, [1, 1.5], [False, math.nan, math.inf, -(10**400), "1"]),
    ({"type": ["string", "null"]}, ["", None], [0, [], {}]),
    ({"type": "boolean"}, [True, False], [0, 1]),
    ({"enum": ["a", 1, None]}, ["a", 1, 1.0, None], ["b", True, "1"]),
    ({"const": {"a": [1]}}, [{"a": [1]}], [{"a": [True]}, {"a": []}, {}]),
    ({"minimum": 1, "exclusiveMaximum": 3}, [1, 2.9, "text"], [0.9, 3]),
    ({"minLength": 2, "maxLength": 3}, ["北京", "abc", 7], ["a", "abcd"]),
    ({"minItems": 1, "items": {"type": "string"}}, [["a"], "text"], [[], [1], ["a", 1]]),
    ({"prefixItems": [{"type": "string"}], "items": False}, [["a"], []], [[1], ["a", "b"]]),
    ({"pattern": "^[0-9]{4}$"}, ["2026", 7], ["26", "20266"]),
    ({"required": ["a"], "minProperties": 1}, [{"a": None}], [{}, {"b": 1}]),
    ({"properties": {"a": {"type": "string"}}, "additionalProperties": False}, [{}, {"a": "x"}], [{"a": 1}, {"b": 1}]),
    ({"additionalProperties": {"type": "integer"}}, [{"a": 1}], [{"a": "x"}]),
    ({"anyOf": [{"type": "string"}, {"minimum": 5}]}, ["x", 5], [4]),
    ({"oneOf": [{"type": "integer"}, {"minimum": 5}]}, [1, 5.5], [6, 1.5]),
    ({"allOf": [{"type": "integer"}, {"minimum": 5}]}, [6], [4, 5.5]),
    ({"$defs": {"a/b": {"type": "string"}}, "items": {"$ref": "#/$defs/a~1b"}}, [["x"]], [[1]]),
    ({"$ref": "#/$defs/none"}, [], [1, {}]),
    ({"type": "string", "format": "date"}, ["any"], [1]),
    ({"type": "unheard-of"}, [], [1, "x"]),
    ({}, [1, "x", None, {}], []),
]


@pytest.mark.parametrize(("schema", "good", "bad"), CASES, ids=[str(case[0])[:40] for case in CASES])
def test_values_meet_or_miss_their_schema(schema: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if not conforms(value, schema)] == []
    assert [value for value in bad if conforms(value, schema)] == []


def test_a_schema_may_speak_of_itself() -> None:
    tree = {"type": "object", "properties": {"next": {"$ref": "#"}}, "additionalProperties": False}
    assert conforms({"next": {"next": {}}}, tree)
    assert not conforms({"next": {"next": 1}}, tree)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"$ref": "#"}, 1),
        ({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}, 1),
        ({"pattern": "(a+)+$"}, "a" * 5_000 + "b"),
        ({"items": {"anyOf": [{"$ref": "#"}] * 50}}, [[[[[[[1]]]]]]] * 50),
    ],
)
def test_fault_13_endless_schemas_are_bounded_and_not_met(schema: dict[str, Any], value: Any) -> None:
    begun = time.process_time()
    assert not conforms(value, schema)
    assert time.process_time() - begun < 1

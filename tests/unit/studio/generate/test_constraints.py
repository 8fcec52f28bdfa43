"""Constraints that cost too much, reach outside, or would not be kept are refused before any engine sees them."""

import json
import re
import time
from typing import Any

import pytest

from inkseal.core.errors import InvalidRequest, Unsupported
from inkseal.modalities.text.request import Constraint
from inkseal.studio.generate.constraints import check_constraint, check_schema
from inkseal.studio.generate.smallest import smallest_text, smallest_value

NODE = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}}
PERSON = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 3}}}
PERSON |= {"required": ["name", "age"]}


def _nested(depth: int) -> dict[str, Any]:
    return json.loads('{"items": ' * depth + "{}" + "}" * depth) if depth < 900 else _by_hand(depth)


def _by_hand(depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for _ in range(depth):
        made = {"items": made}
    return made


@pytest.mark.parametrize(
    "schema",
    [
        PERSON,
        {"$ref": "#/$defs/node", "$defs": {"node": NODE}},
        {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        {"enum": ["好", 1, None]},
        {"type": "array", "items": {"type": "string", "pattern": "[a-z]{1,20}"}, "maxItems": 10},
        {"type": ["string", "null"], "title": "x", "description": "y", "format": "date"},
    ],
)
def test_usual_schemas_pass(schema: dict[str, Any]) -> None:
    check_schema(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "file:///etc/passwd"},
        {"$ref": "http://127.0.0.1/schema.json"},
        {"$ref": "other.json#/a"},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
        {"$ref": "#"},
        {"$ref": "#/nowhere"},
        {"type": "objectx"},
        {"type": "array", "maxItems": 1_000_000},
        {"type": "string", "maxLength": 1_000_000},
        {"type": "string", "minLength": -1},
        {"type": "string", "pattern": "(a{1,1000}){1,1000}"},
        {"type": "string", "pattern": "("},
        {"properties": {f"p{i}": {"type": "array", "items": {}} for i in range(1_500)}},
        {"enum": list(range(20_000))},
        {"description": "x" * 1_000_000},
        {"not": {"type": "string"}},
        {"type": "array", "uniqueItems": True},
        {"type": "number", "multipleOf": 3},
        {"oneOf": [{"type": "number"}, {"type": "integer"}]},
        {"allOf": [{"type": "object"}, {"type": "object"}]},
        {"properties": []},
        {"properties": {"a": 5}},
        _nested(100),
        _nested(5_000),
    ],
)
def test_fault_13_schemas_are_bounded(schema: dict[str, Any]) -> None:
    begun = time.process_time()
    with pytest.raises((InvalidRequest, Unsupported)):
        check_constraint(Constraint(json_schema=schema))
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    "pattern",
    [
        "a{1,1000000}",
        "(a{1,100}){1,100}",
        "((a{1,30}){1,30}){1,30}",
        r"(a)\1",
        "(?=a)b",
        "(?<!a)b",
        "(",
        "[",
        "(a" * 500,
        "(" + "|".join("a" * i for i in range(1, 130)) + "){1,50}",
        "(?(1)a|b)",
        "a**",
    ],
)
def test_fault_13_patterns_are_bounded(pattern: str) -> None:
    begun = time.process_time()
    with pytest.raises((InvalidRequest, Unsupported)):
        check_constraint(Constraint(regex=pattern))
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    "pattern", [r"\d{4}-\d{2}-\d{2}", "(a+)+b", "[一-龥]{2,10}", "yes|no", "[^,]*(,[^,]*)*", r"\w+@\w+"]
)
def test_usual_patterns_pass_and_have_a_smallest_match(pattern: str) -> None:
    constraint = Constraint(regex=pattern)
    check_constraint(constraint)
    assert re.fullmatch(pattern, smallest_text(constraint))


def test_fault_12_an_empty_choice_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        check_constraint(Constraint(choice=("",)))


def test_the_smallest_value_meets_the_schema() -> None:
    assert smallest_value(PERSON) == {"name": "", "age": 3}
    assert smallest_value({"type": "array", "items": {"const": 7}, "minItems": 2}) == [7, 7]
    assert smallest_value({"$ref": "#/$defs/node", "$defs": {"node": NODE}}) == {}
    assert smallest_value({"anyOf": [{"$ref": "#"}, {"type": "null"}]}) is None

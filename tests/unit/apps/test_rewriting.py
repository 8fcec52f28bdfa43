"""Which values of an answer are written anew, and what becomes of the rest."""

import json
from typing import Any

from inkseal.apps.contracts import Answer, Facts
from inkseal.apps.rewriting import MOST_PLACES, places_of, put, schema_of
from inkseal.apps.rules import rules

FACTS = Facts({}, "en")
SCHEMA = {
    "type": "object",
    "properties": {
        "nodes": {
            "type": "array",
            "items": {"type": "object", "properties": {"says": {"type": "string", "maxLength": 9}}},
        }
    },
}


def answer(*says: str) -> Answer:
    data = {"nodes": [{"says": text} for text in says]}
    return Answer(json.dumps(data), data)


def rule(kind: str = "items", **config: Any) -> Any:
    return rules[kind](rules[kind].config.model_validate({"kind": kind, **config}))


def test_the_later_ones_of_what_is_said_twice_are_named() -> None:
    says = rule(path="nodes[].says", unique=True)
    assert says.places(answer("a", "b", "A ", "c", "b"), FACTS) == [("nodes", 2, "says"), ("nodes", 4, "says")]
    assert says.places(answer("a", "b"), FACTS) == []
    assert rule(path="nodes[].says", count=3).places(answer("a", "a", "b"), FACTS) == [], "they may be equal"
    assert rule(path="nodes[]", count=3, unique=True).places(answer("a", "a"), FACTS) == [], "their number is off"


def test_one_broken_rule_that_names_no_place_has_the_whole_written_anew() -> None:
    unique, other = rule(path="nodes[].says", unique=True), rule("contains", all=["z"])
    assert places_of([unique], answer("a", "a"), FACTS) == [("nodes", 1, "says")]
    assert places_of([unique, other], answer("a", "a"), FACTS) == []
    assert places_of([unique], Answer("no JSON"), FACTS) == []
    assert places_of([unique], answer(*["a"] * (MOST_PLACES + 2)), FACTS) == []


def test_a_value_inside_another_goes_with_it() -> None:
    both = [rule(path="nodes[].says", unique=True), rule(path="nodes[]", unique=True)]
    assert places_of(both, answer("a", "a"), FACTS) == [("nodes", 1)]


def test_the_place_alone_changes() -> None:
    before = answer("a", "a")
    after = put("b", ("nodes", 1, "says"), before)
    assert after == answer("a", "b")
    assert before == answer("a", "a")
    assert schema_of(("nodes", 1, "says"), SCHEMA)["properties"]["value"] == {"type": "string", "maxLength": 9}

"""Long counts leave the grammar, which then takes more and never less, and finished answers are checked for them."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.core.errors import AnswerRefused, Unsupported
from inkseal.core.types import Chunk
from inkseal.formats.json_schema import conforms
from inkseal.modalities.text.request import Constraint, TextRequest, ToolSpec
from inkseal.studio.generate.constraints import check_schema
from inkseal.studio.generate.long_counts import MOST_KEPT, AnswerCheck, loosened

TITLE = {"type": "object", "properties": {"title": {"type": "string", "maxLength": 50}}, "required": ["title"]}


def _check(schema: dict[str, Any], *texts: str, **ending: Any) -> None:
    check = AnswerCheck(TextRequest.of("x", constraint=Constraint(json_schema=schema)))
    for text in texts[:-1]:
        check.take(Chunk(text=text))
    check.take(Chunk(text=texts[-1], finish_reason=ending.pop("finish_reason", "stop"), **ending))


def test_short_counts_stay_and_long_ones_go() -> None:
    short = {
        "type": "string",
        "minLength": 2,
        "maxLength": MOST_KEPT["maxLength"],
        "maxItems": 64,
        "pattern": "[a-z]{2,16}",
    }
    assert loosened(short) == (short, [])
    long = {"minLength": 20, "maxLength": 2_000, "minItems": 65, "maxItems": 99, "pattern": "^[a-z]{3,400}$"}
    kept = {"minLength": 8, "minItems": 64, "pattern": "^[a-z]+$"}
    out = ["minLength: 20", "maxLength: 2000", "minItems: 65", "maxItems: 99", "pattern: ^[a-z]{3,400}$"]
    assert loosened(long) == (kept, out)


def test_counts_go_wherever_a_schema_stands_and_names_are_left_alone() -> None:
    rule = {"type": "string", "maxLength": 500}
    schema = {
        "properties": {"maxLength": rule, "list": {"items": rule, "prefixItems": [rule]}},
        "anyOf": [rule, {"additionalProperties": rule}],
        "$defs": {"pattern": rule},
        "additionalProperties": False,
    }
    found, out = loosened(schema)
    assert out == ["maxLength: 500"]
    assert json.dumps(found).count("500") == 0
    assert set(found["properties"]) == {"maxLength", "list"}
    assert found["additionalProperties"] is False
    assert json.dumps(schema).count("500") == 6  # the caller's schema is as it was


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("a{200}", "a+"),
        ("a{0,200}b", "a*b"),
        ("a{,200}", "a*"),
        ("a{20,}", "a+"),
        ("a{2,9}", "a{2,9}"),
        (r"\{200}", r"\{200}"),
        ("[{200}]{3}", "[{200}]{3}"),
        (r"[\]{20}]{30}", r"[\]{20}]+"),
        ("[]{99}]{30}", "[]{99}]+"),
        ("a{}", "a{}"),
        ("a{b}", "a{b}"),
    ],
)
def test_repeats_of_a_pattern(pattern: str, found: str) -> None:
    assert loosened({"pattern": pattern})[0]["pattern"] == found


@given(st.text("ab{}1", max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_a_loosened_pattern_takes_all_that_the_pattern_takes(text: str, least: int, more: int) -> None:
    pattern = f"[ab{{}}]{{{least},{least + more}}}1?"
    looser = loosened({"pattern": pattern})[0]["pattern"]
    assert not re.fullmatch(pattern, text) or re.fullmatch(looser, text)


@given(st.recursive(st.none() | st.text(max_size=30), lambda inner: st.lists(inner, max_size=20), max_leaves=30))
def test_a_loosened_schema_takes_all_that_the_schema_takes(value: Any) -> None:
    node = {"anyOf": [{"type": "null"}, {"type": "string", "minLength": 18, "maxLength": 25}, {"$ref": "#/$defs/list"}]}
    schema = {"$defs": {"list": {"type": "array", "items": node, "maxItems": 65}}} | node
    assert not conforms(value, schema) or conforms(value, loosened(schema)[0])


@pytest.mark.parametrize("length", [50, 200, 2_000])
def test_usual_lengths_are_no_longer_too_large(length: int) -> None:
    schema = {"type": "object", "properties": {f"p{n}": {"type": "string", "maxLength": length} for n in range(40)}}
    check_schema(schema)


def test_an_answer_within_its_lengths_passes() -> None:
    _check(TITLE, '{"title": "', "好" * 50, '"}')


def test_an_answer_beyond_its_lengths_is_refused() -> None:
    with pytest.raises(AnswerRefused, match="maxLength: 50") as caught:
        _check(TITLE, '{"title": "', "好" * 51, '"}')
    assert caught.value.code == "answer_refused"


def test_an_answer_that_was_cut_is_not_judged() -> None:
    _check(TITLE, '{"title": "' + "a" * 60, finish_reason="length")
    _check(TITLE, '{"title": "' + "a" * 60, stopped_by="a")


def test_results_are_told_apart() -> None:
    check = AnswerCheck(TextRequest.of("x", n=2, constraint=Constraint(json_schema=TITLE)))
    check.take(Chunk(index=1, text='{"title": "' + "a" * 51))
    check.take(Chunk(index=0, text='{"title": "b"}', finish_reason="stop"))
    with pytest.raises(AnswerRefused):
        check.take(Chunk(index=1, text='"}', finish_reason="stop"))


def test_a_forced_call_that_became_text_is_refused() -> None:
    tool = ToolSpec(name="save", description="", parameters=TITLE)
    check = AnswerCheck(TextRequest.of("x", tools=[tool], tool_choice="required"))
    with pytest.raises(AnswerRefused):
        check.take(Chunk(text="<tool_call>", finish_reason="stop"))
    AnswerCheck(TextRequest.of("x", tools=[tool])).take(Chunk(text="free words", finish_reason="stop"))


def test_a_pattern_too_slow_to_be_checked_is_refused_before() -> None:
    slow = {"type": "string", "maxLength": 200, "pattern": "^(a+)+$"}
    with pytest.raises(Unsupported):
        AnswerCheck(TextRequest.of("x", constraint=Constraint(json_schema=slow)))


def test_a_least_length_of_nothing_is_left_out() -> None:
    """The grammar of the engine took it for exactly one letter."""
    schema = {"type": "object", "properties": {"a": {"type": "string", "minLength": 0, "maxLength": 400}}}
    assert loosened(schema)[0] == {"type": "object", "properties": {"a": {"type": "string"}}}
    assert loosened({"minLength": 0, "maxLength": 0})[0] == {"maxLength": 0}

import json
from typing import Any

import pytest

from inkseal.apps.answers import read
from inkseal.core.language import use_language

SCHEMA: dict[str, Any] = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "minLength": 2}}}
VALUE = {"a": "tea"}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(VALUE),
        f"```json\n{json.dumps(VALUE)}\n```",
        json.dumps({**SCHEMA, "properties": VALUE}),  # the schema, filled in
    ],
)
def test_an_answer_is_found_in_what_stands_around_it(text: str) -> None:
    answer, why = read(text, SCHEMA)
    assert (answer.data, why) == (VALUE, "")


def test_a_value_of_that_very_name_is_kept() -> None:
    schema = {"type": "object", "required": ["properties"], "properties": {"properties": {"type": "array"}}}
    assert read('{"properties": [1]}', schema)[0].data == {"properties": [1]}


@pytest.mark.parametrize(
    ("text", "told"),
    [('{"a": "x"}', "`a`: 1 characters; at least 2 are needed."), (json.dumps(SCHEMA), "`a`: it does not meet")],
)
def test_what_does_not_fit_is_told(text: str, told: str) -> None:
    with use_language("en"):
        answer, why = read(text, SCHEMA)
    assert answer.data is None
    assert why.startswith(told)


def test_what_is_no_json_is_told() -> None:
    with use_language("en"):
        assert read("{", SCHEMA)[1].startswith("It is no JSON")
        assert read(" ", None)[1] == "It is empty."

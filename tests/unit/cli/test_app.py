"""Fields of an app as they are written on the command line."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.cli.app import _value
from inkseal.core.errors import InvalidRequest


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("red, green,blue", ["red", "green", "blue"]),
        ("holds 1,204 ml, weighs 95 g", ["holds 1,204 ml", "weighs 95 g"]),
        ("容量1,204毫升，重95克", ["容量1,204毫升", "重95克"]),
        ("1, 2, 3", ["1", "2", "3"]),
        ("10，20", ["10", "20"]),
        ("a 5,b", ["a 5", "b"]),
        ("one, with a comma\ntwo\r\n\n", ["one, with a comma", "two"]),
        ("a,b\n", ["a", "b"]),
        ('["1,2", "a, b"]', ["1,2", "a, b"]),
        (" [] ", []),
        (" , ", []),
    ],
)
def test_the_items_of_a_list(text: str, items: list[str]) -> None:
    assert _value("list", text) == items


def test_an_array_that_is_broken_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="JSON"):
        _value("list", "[red, green")


@given(st.lists(st.text(max_size=20), max_size=5))
def test_any_list_can_be_given_as_json(items: list[Any]) -> None:
    assert _value("list", json.dumps(items)) == items


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=5), st.sampled_from([", ", "，", " ,", "\n"]))
def test_grouped_numbers_stay_whole(numbers: list[int], mark: str) -> None:
    items = [f"{number:,}" for number in numbers]
    assert _value("list", mark.join(items)) == items

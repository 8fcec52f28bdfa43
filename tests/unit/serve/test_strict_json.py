"""Strict JSON: whatever Python's own reader and writer agree on is read the same; what means two things is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.core.errors import InvalidRequest
from inkseal.serve.strict_json import MAX_DEPTH, parse

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_a_value_comes_back_as_it_was(value: object, escaped: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(st.binary(max_size=60))
def test_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = parse(data)
    except InvalidRequest:
        return
    assert json.loads(data) == value


@pytest.mark.parametrize(
    "data",
    [rb'{"a": 1, "a": 2}', rb'["\ud800"]', rb'["\udc00\ud800"]', rb'["\u0000"]', b"[1e400]", b"[-Infinity]", b"[NaN]"],
)
def test_what_means_two_things_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse(data)


def test_escapes_that_mean_one_thing_are_read() -> None:
    assert parse(rb'["\ud83d\ude00", "\\u0000", "\\ud800"]') == ["😀", "\\u0000", "\\ud800"]


def test_depth_has_a_limit_and_breadth_has_not() -> None:
    assert parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(InvalidRequest):
        parse(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))
    assert len(parse(b"[" + b"[]," * 1000 + b"[]]")) == 1001

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.apps.contracts import Answer, Facts
from inkseal.apps.rules.sum import Sum, SumConfig, scaled
from inkseal.apps.template import Bound


def _problems(minutes: list[Any], **config: Any) -> list[str]:
    facts = Facts(scope={"minutes": Bound(45)}, language="en")
    rule = Sum(SumConfig(kind="sum", path="phases[].minutes", **config))
    return rule.problems(Answer("", {"phases": [{"minutes": value} for value in minutes]}), facts)


def test_numbers_that_add_up_to_the_field_pass() -> None:
    assert _problems([10, 25, 10], total="{{minutes}}") == []


def test_others_are_told_with_the_sum() -> None:
    assert _problems([10, 25], total="{{minutes}}") == ["10 + 25 is 35; it must be 45."]
    assert _problems([10, 25], total=40, tolerance=5) == []


@pytest.mark.parametrize("values", [[], ["10"], [True, 44]])
def test_what_is_no_number_does_not_pass(values: list[Any]) -> None:
    assert len(_problems(values, total=45)) == 1


def _scaled_to(total: int, minutes: list[Any]) -> Any:
    rule = Sum(SumConfig(kind="sum", path="phases[].minutes", total=total, scale=True))
    data = {"aim": "x", "phases": [{"name": "p", "minutes": value} for value in minutes]}
    answer = rule.mend(Answer(json.dumps(data), data), Facts(scope={}, language="en"))
    assert json.loads(answer.text) == answer.data
    assert [phase["name"] for phase in answer.data["phases"]] == ["p"] * len(minutes)
    return [phase["minutes"] for phase in answer.data["phases"]]


@pytest.mark.parametrize(
    ("minutes", "total", "scaled"),
    [([10, 20, 10], 45, [11, 23, 11]), ([10, 20, 30], 30, [5, 10, 15]), ([100, 1, 1], 4, [2, 1, 1]), ([60], 7, [7])],
)
def test_numbers_that_are_off_are_scaled_to_the_total(minutes: list[int], total: int, scaled: list[int]) -> None:
    assert _scaled_to(total, minutes) == scaled


@pytest.mark.parametrize(("minutes", "total"), [([0, 4], 8), ([1.5, 2], 8), ([2, 2, 2], 2), (["4"], 8)])
def test_what_cannot_be_scaled_stays(minutes: list[Any], total: int) -> None:
    assert _scaled_to(total, minutes) == minutes


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12), st.integers(12, 1000))
def test_scaled_numbers_add_up_and_keep_their_order(values: list[int], total: int) -> None:
    found = scaled(values, total)
    assert (sum(found), min(found) >= 1) == (total, True)
    assert all(one <= other for one, other in pairwise([share for _, share in sorted(zip(values, found, strict=True))]))


def test_numbers_stay_where_no_scaling_is_asked_for() -> None:
    rule, answer = Sum(SumConfig(kind="sum", path="n[]", total=9)), Answer("[1]", {"n": [1]})
    assert rule.mend(answer, Facts(scope={}, language="en")) == answer

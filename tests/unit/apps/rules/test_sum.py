from typing import Any

import pytest

from inkseal.apps.contracts import Answer, Facts
from inkseal.apps.rules.sum import Sum, SumConfig
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

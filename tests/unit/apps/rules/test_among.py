from inkseal.apps.contracts import Answer, Facts
from inkseal.apps.rules.among import Among, AmongConfig
from inkseal.apps.template import Bound

ITEMS = ["Two Left Feet: a comedy, 95 min", "山脊：16公里"]


def _problems(*names: str) -> list[str]:
    rule = Among(AmongConfig(kind="among", path="picks[].name", of="items"))
    answer = Answer("", {"picks": [{"name": name} for name in names]})
    return rule.problems(answer, Facts(scope={"items": Bound(ITEMS)}, language="en"))


def test_names_from_the_list_pass() -> None:
    assert _problems("two left feet", "山脊") == []


def test_invented_names_are_told() -> None:
    assert _problems("Two Left Feet", "Three Right Hands") == ["'Three Right Hands' is not on the list."]


def test_an_empty_name_is_from_no_list() -> None:
    assert len(_problems("")) == 1

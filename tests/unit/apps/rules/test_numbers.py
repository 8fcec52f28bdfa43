"""Numbers in an answer, held against those that were given."""

import pytest

from inkseal.apps.contracts import Answer, Facts
from inkseal.apps.rules import rules
from inkseal.apps.template import Bound


def problems(given: object, answer: str, **fields: bool) -> list[str]:
    config = rules["numbers"].config.model_validate({"kind": "numbers", "known": ["given"], **fields})
    return rules["numbers"](config).problems(Answer(answer), Facts({"given": Bound(given)}, "en"))


@pytest.mark.parametrize(
    ("given", "right", "wrong"),
    [
        ("It runs for nine hours.", "It runs for 9 hours. Nine hours!", "It runs for 8 hours."),
        (["有效期为三年"], "Valid for 3 years.", "Valid for 5 years."),
        ({"有效期": "十年"}, "Ten years, or 10 years.", "12 years."),
        ("九点开门", "9点开门", "8点开门"),
        ("load: 130 kg", "It carries 130kg.", "It carries 13kg. It carries 130kg."),
        ("known: 13", "It carries 13kg.", "It carries 130kg."),
        ("5月15日", "On May 15th.", "On 16 May."),
        ([10**400, 7], "It is 7.", "It is 8."),
    ],
)
def test_numbers_follow_from_what_was_given(given: object, right: str, wrong: str) -> None:
    assert problems(given, right) == []
    assert problems(given, wrong)


def test_words_prove_numbers_and_are_not_asked_for() -> None:
    assert problems("One of the best: 9 hours, 20 km.", "Nine hours, 20 km.", all=True) == []
    assert problems("One of the best: 9 hours, 20 km.", "20 km.", all=True)

"""Kinds that would fill a set keep their share; the rest stays whole."""

from hypothesis import given
from hypothesis import strategies as st

from inkseal.workshop.data.lexicon import EmojiEntry
from inkseal.workshop.data.thinning import SHARES, kind_of, stays, unit_hash


def _entry(
    code: str, subgroup: str, group: str = "symbols", *, toned: bool = False, gendered: bool = False
) -> EmojiEntry:
    return EmojiEntry(code, {"en": ("a",), "zh": ()}, {"en": (), "zh": ()}, group, subgroup, code, toned, gendered)


def _share(subgroup: str, **facts: bool) -> float:
    return sum(stays(_entry(f"{n:X}", subgroup, **facts)) for n in range(4000)) / 4000


def test_each_kind_keeps_about_its_share() -> None:
    for kind in ("country-flag", "alphanum", "arrow", "keycap", "zodiac"):
        assert abs(_share(kind) - SHARES[kind]) < 0.02
    assert abs(_share("person-role", toned=True) - SHARES["skin_tone"]) < 0.02
    assert abs(_share("person-role", gendered=True) - SHARES["gender"]) < 0.03


def test_all_else_stays() -> None:
    assert _share("animal-mammal") == 1
    assert kind_of(_entry("1F55A", "time")) == "clock_face"
    assert kind_of(_entry("231A", "time")) == ""
    assert kind_of(_entry("1F468-200D-1F469", "family")) == "family"
    assert kind_of(_entry("1F46A", "family")) == ""
    assert kind_of(_entry("1F1E6", "x", "component")) == "component"


@given(st.text(), st.text())
def test_the_hash_is_even_and_the_same_again(purpose: str, name: str) -> None:
    assert 0 <= unit_hash(purpose, name) < 1
    assert unit_hash(purpose, name) == unit_hash(purpose, name)


def test_the_hash_is_the_same_on_every_machine() -> None:
    assert unit_hash("held out", "1F40E") == 0.4966110189380955

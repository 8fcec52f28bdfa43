"""Names of emoji lead to their entries, and titles to the thing they name; on a table made by hand."""

import pytest

from inkseal.workshop.data.lexicon import MAX_SHARED, MAX_SYNONYMS, EmojiEntry, Lexicon, bare_code, concept_of


def entry(
    code: str, en: str, zh: str, group: str = "objects", subgroup: str = "tool", *, toned: bool = False
) -> EmojiEntry:
    names = {"en": (en,), "zh": (zh,)}
    concept = concept_of(code)
    return EmojiEntry(
        code, names, {"en": ("thing",), "zh": ("东西",)}, group, subgroup, concept, toned, concept != code and not toned
    )


LEXICON = Lexicon(
    {
        e.code: e
        for e in (
            entry("1F40E", "horse", "马", "animals-nature", "animal-mammal"),
            entry("1F34E", "red apple", "红苹果", "food-drink", "food-fruit"),
            entry("1F333", "deciduous tree", "落叶树", "animals-nature"),
            entry("1F697", "car", "小汽车", "travel-places"),
            entry("1F600", "grinning face", "嘿嘿", "smileys-emotion", "face-smiling"),
            entry("1F9D1-200D-1F680", "astronaut", "宇航员", "people-body", "person-role"),
            entry("1F468-1F3FD-200D-1F680", "man astronaut: medium skin tone", "男宇航员", "people-body", toned=True),
            entry("1F1E6-1F1F9", "flag: Austria", "旗: 奥地利", "flags", "country-flag"),
        )
    },
    {"happysmiley": "1F600", "gone": "FFFF"},
)


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("grinning face", "1F600"),
        ("Grinning-Face", "1F600"),
        ("grinning face 2", "1F600"),
        ("happy smiley", "1F600"),
        ("man astronaut medium", "1F468-1F3FD-200D-1F680"),
        ("man astronaut tone3", "1F468-1F3FD-200D-1F680"),
        ("flag for flag austria", "1F1E6-1F1F9"),
    ],
)
def test_names_are_found_however_they_are_spelt(title: str, code: str) -> None:
    found = LEXICON.by_name(title)
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize("title", ["", "gone", "nothing", "2", "face"])
def test_unknown_names_find_nothing(title: str) -> None:
    assert LEXICON.by_name(title) is None


@pytest.mark.parametrize(
    ("title", "chinese", "others"),
    [
        ("old horse", "马", ("old",)),
        ("horses", "马", ()),
        ("car red", "小汽车", ("red",)),
        ("horse on a car", "马", ("on", "a", "car")),
    ],
)
def test_a_title_is_about_the_end_of_its_first_phrase(title: str, chinese: str, others: tuple[str, ...]) -> None:
    found = LEXICON.thing_named(title)
    assert found is not None
    assert found[0].names["zh"] == (chinese,)
    assert found[1] == others


@pytest.mark.parametrize("title", ["car park", "horse shoe", "grinning face", "", "on"])
def test_what_a_title_only_mentions_is_not_what_it_shows(title: str) -> None:
    assert LEXICON.thing_named(title) is None


def test_variants_share_a_concept() -> None:
    assert bare_code("2764-fe0f") == "2764"
    woman, man, person = "1F469-1F3FB-200D-1F680", "1F468-200D-1F680", "1F9D1-200D-1F680"
    assert concept_of(woman) == concept_of(man) == concept_of(person) == person
    runner = "1F3C3"
    for turned in ("1F3C3-200D-2640-FE0F", "1F3C3-1F3FF-200D-2642-FE0F", "1F3C3-200D-2640-FE0F-200D-27A1-FE0F"):
        assert concept_of(turned) == runner
    assert concept_of("2764-FE0F-200D-1F525") != concept_of("2764")


def _worded(code: str, name: str, *words: str) -> EmojiEntry:
    return EmojiEntry(code, {"en": (name,), "zh": ()}, {"en": words, "zh": ()}, "objects", "tool", code, False, False)


def test_synonyms_are_words_that_few_share_and_that_name_nothing_else() -> None:
    cup = _worded("2615", "hot beverage", "drink", "Coffee", "tea", "5", "x", "teapot", "hot beverage")
    others = [_worded(str(number), f"thing {number}", "drink") for number in range(MAX_SHARED)]
    pot = _worded("1FAD6", "teapot", "tea")
    lexicon = Lexicon({e.code: e for e in (cup, pot, *others)})
    assert lexicon.synonyms(cup, "en") == ("coffee", "tea"), "rarest first; drink is everywhere, teapot another thing"
    assert lexicon.synonyms(cup, "zh") == ()


def test_an_emoji_has_few_synonyms() -> None:
    many = _worded("1", "thing", *(f"word {number}" for number in range(20)))
    assert len(Lexicon({"1": many}).synonyms(many, "en")) == MAX_SYNONYMS

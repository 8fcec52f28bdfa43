"""Captions say what is known, in both languages, and nothing that is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.core.types import Drawing
from inkseal.formats.picture_styles import picture_styles
from inkseal.workshop.data.captions import Wording, clean_title, word_picture
from inkseal.workshop.data.collections import collections
from unit.workshop.data.test_lexicon import LEXICON


def _word(title: str, category: str = "", keywords: tuple[str, ...] = (), code: str = "") -> Wording | None:
    drawing = Drawing(member="m", svg="", title=title, category=category, keywords=keywords)
    return word_picture(drawing, LEXICON.by_code(code) if code else None, "clip_art", LEXICON)


def test_emoji_take_their_published_names_and_the_style() -> None:
    found = _word("x", code="1F40E")
    assert found is not None
    assert found.captions == {
        "en": ("horse", "horse, clip art", "horse, thing", "thing"),
        "zh": ("马", "马，剪贴画", "马，东西", "东西"),
    }
    assert found.origin == {"en": "name", "zh": "name"}
    assert found.concept == "1F40E"


def test_a_thing_in_a_title_gives_chinese_and_its_concept() -> None:
    found = _word("Brown horse 02")
    assert found is not None
    assert found.captions["zh"][0] == "棕色马"
    assert found.origin == {"en": "title", "zh": "matched"}
    assert found.concept == "1F40E"


@pytest.mark.parametrize("title", ["Horse on the red car", "the old horse", "Cartoon horse"])
def test_words_that_change_nothing_are_passed_over(title: str) -> None:
    found = _word(title)
    assert found is not None
    assert found.captions["zh"][0] == "马"


def test_a_word_that_may_change_the_thing_gives_no_chinese_but_the_concept() -> None:
    found = _word("Sea horse", "animals/fish")
    assert found is not None
    assert found.origin["zh"] == "category"
    assert found.concept == "1F40E"


def test_else_the_folder_speaks_and_says_so() -> None:
    found = _word("Marshmallow", "food/fruit")
    assert found is not None
    assert found.captions["en"][0] == "marshmallow"
    assert found.captions["zh"][0] == "水果"
    assert found.origin == {"en": "title", "zh": "category"}


def test_without_either_there_is_no_chinese() -> None:
    found = _word("Marshmallow")
    assert found is not None
    assert set(found.captions) == {"en"}
    assert _word("") is None
    assert _word("0001") is None


def test_keywords_that_nobody_knows_stay_out() -> None:
    found = _word("Marshmallow", keywords=("thing", "xqz", "clip art"))
    assert found is not None
    assert found.captions["en"][-1] == "marshmallow, thing"


@pytest.mark.parametrize(
    ("title", "clean"),
    [
        ("Dog 01", "dog"),
        ("Lemon (Slice)", "lemon"),
        ("flan_bw", "flan"),
        ("Hat - clothing", "hat"),
        ("Clipart by Nicu Buculei - smiley111", "smiley"),
        ("8ball-form_02", "8ball form"),
        ("Various Cliparts", ""),
        ("Corn on the Cob (B and W)", "corn on the cob"),
    ],
)
def test_titles_lose_what_is_no_description(title: str, clean: str) -> None:
    assert clean_title(title) == clean


@given(st.text(max_size=200))
def test_any_title_becomes_a_few_plain_words(title: str) -> None:
    clean = clean_title(title)
    assert len(clean.split()) <= 8
    assert clean == clean.strip()


def test_every_collection_has_a_style_in_both_languages() -> None:
    styles = picture_styles()
    for collection in collections.values():
        assert set(styles[collection.style]) == {"en", "zh"}

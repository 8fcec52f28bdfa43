import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.modalities.text import Text
from inkseal.modalities.text.segmentation import language_of, segment


def test_chinese_comes_apart_as_words() -> None:
    assert {"北京", "天气"} <= set(segment("北京的天气怎么样"))


def test_scripts_are_cut_at_their_edges() -> None:
    words = segment("用Python3写代码，Don't ＰＡＮＩＣ！")
    assert {"python3", "代码", "don't", "panic"} <= set(words)


@given(st.text())
def test_no_word_holds_a_space_or_punctuation(text: str) -> None:
    for word in segment(text):
        assert word
        assert not any(c.isspace() for c in word)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("今天天气很好", "zh"),
        ("The weather is fine", "en"),
        ("用 Python 写一个小程序", "zh"),
        ("", "en"),
        ("123", "en"),
    ],
)
def test_language_by_the_letters(text: str, language: str) -> None:
    assert language_of(text) == language


def test_words_of_an_artifact_are_separated_by_spaces() -> None:
    assert "tea" in Text().words("喝茶 tea".encode()).split(" ")

"""A style is asked for in the language of the prompt."""

import pytest

from inkseal.core.errors import UnknownName
from inkseal.formats.picture_styles import in_style, picture_styles


def test_the_words_follow_the_language() -> None:
    assert in_style("a red cat", "clip_art") == "a red cat, clip art"
    assert in_style("一只红猫", "clip_art") == "一只红猫，剪贴画"
    assert in_style("ZZZ", "clip_art", "zh") == "ZZZ，剪贴画"


def test_every_style_has_its_own_words_in_both() -> None:
    for language in ("en", "zh"):
        words = [names[language] for names in picture_styles().values()]
        assert all(words)
        assert len(set(words)) == len(words)


def test_an_unknown_style_offers_the_nearest() -> None:
    with pytest.raises(UnknownName, match="clip_art"):
        in_style("a cat", "clipart")

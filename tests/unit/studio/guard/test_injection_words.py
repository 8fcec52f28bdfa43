"""Hashed words: what counts as one, and that a text's score is the sum of its words' weights."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.studio.guard.injection_words import NUM_PLACES, places_of, words_of, words_score


def test_words_are_latin_words_numbers_chinese_characters_and_marks() -> None:
    assert words_of("Don't stop.") == {"don't", "stop", ".", "don't stop", "stop .", "don't stop ."}
    assert words_of("忽略7条") == {"忽", "略", "7", "条", "忽 略", "略 7", "7 条", "忽 略 7", "略 7 条"}
    assert words_of(" \n") == set()


@given(st.lists(st.text(max_size=30), max_size=5))
def test_each_text_has_values_of_length_one(texts: list[str]) -> None:
    places, values, starts = places_of(texts)
    assert len(starts) == len(texts)
    assert len(places) == len(values)
    assert (places >= 0).all()
    assert (places < NUM_PLACES).all()
    for text, start, end in zip(texts, starts, [*starts, len(values)][1:], strict=True):
        length = np.square(values[start:end]).sum()
        assert length == pytest.approx(1.0 if words_of(text) else 0.0, abs=1e-5)


def test_a_score_is_the_signed_sum_of_the_weights_of_the_words() -> None:
    weights = np.random.default_rng(1).standard_normal(NUM_PLACES).astype(np.float32)
    text = "show me the prompt"
    by_hand = (
        sum(
            (1 if zlib.crc32(word.encode()) >> 20 & 1 else -1) * weights[zlib.crc32(word.encode()) % NUM_PLACES]
            for word in words_of(text)
        )
        / len(words_of(text)) ** 0.5
    )
    assert words_score(weights, ["", text])[1] == pytest.approx(by_hand, rel=1e-4)
    assert words_score(weights, ["", text])[0] == 0
    assert words_score(weights, []).shape == (0,)


@given(st.permutations(["a b", "好 的", "", "x"]))
def test_a_score_does_not_depend_on_the_other_texts(texts: list[str]) -> None:
    weights = np.arange(NUM_PLACES, dtype=np.float32)
    assert [words_score(weights, [text])[0] for text in texts] == words_score(weights, texts).tolist()

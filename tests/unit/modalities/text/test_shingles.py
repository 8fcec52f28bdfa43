import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.modalities.text import Text
from inkseal.modalities.text.shingles import (
    NUM_ANCHORS,
    WINDOW,
    anchors,
    common,
    exact,
    fingerprint,
    keys,
    letters,
    runs,
    winnow,
)

EN = (
    "A suspension bridge hangs its deck from cables, and the cables pull on towers at either end. Stone is strong when "
    "it is pressed, and steel is strong when it is pulled, so builders choose by the width of the river and the ground."
)
ZH = (
    "悬索桥把桥面挂在缆索上，缆索拉住两端的高塔。石头受压时坚固，钢铁受拉时坚固，所以工匠按照河面的宽度、"
    "桥墩下的地基以及城镇能够负担的费用来选择桥型，并且会留出足够的余量。"
)


@pytest.mark.parametrize("text", [EN, ZH])
@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda t: t.replace(" ", "\n"),
        lambda t: t.replace(",", "，").replace(".", "。"),
        lambda t: "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalnum() else c for c in t),
        lambda t: t.replace("，", " , ").replace("。", "…"),
    ],
)
def test_spelling_of_the_same_words_does_not_count(text: str, change: Any) -> None:
    assert exact(change(text)) == exact(text)
    assert fingerprint(change(text)) == fingerprint(text)


@given(st.lists(st.integers(0, 2**32 - 1), max_size=80), st.integers(1, 8))
def test_winnowing_keeps_one_of_every_window(hashes: list[int], window: int) -> None:
    kept = winnow(hashes, window)
    assert kept <= set(hashes)
    for start in range(len(hashes) - window + 1):
        assert kept & set(hashes[start : start + window])


@given(st.lists(st.integers(0, 50), min_size=30, max_size=60), st.data())
def test_any_long_copy_leaves_a_trace(words: list[int], data: Any) -> None:
    """Source: Schleimer et al. 2003: a match of a window of runs is always found."""
    text = " ".join(f"w{n}" for n in words)
    num_words = 4 + WINDOW - 1
    start = data.draw(st.integers(0, len(words) - num_words))
    excerpt = " ".join(f"w{n}" for n in words[start : start + num_words])
    assert common(fingerprint(excerpt), fingerprint(text))[1] >= 1


@pytest.mark.parametrize(
    ("change", "relation"),
    [
        (lambda t: t, "exact"),
        (lambda t: t[: len(t) // 2], "edited"),
        (lambda t: t[len(t) // 2 :] + t[: len(t) // 2], "edited"),
        (lambda t: ("Before that came quite another story. 从前有一个完全不同的故事。" * 6) + t, "edited"),
        (lambda t: "".join(random.Random(1).sample(t, len(t))), "different"),
        (
            lambda t: "Whales sing under the ice of the northern seas. 鲸鱼在北方的冰海下面歌唱，声音传得很远。" * 3,
            "different",
        ),
    ],
)
@pytest.mark.parametrize("text", [EN, ZH])
def test_relations(text: str, change: Any, relation: str) -> None:
    modality = Text()
    mine, other = modality.fingerprint(change(text).encode()), modality.fingerprint(text.encode())
    assert modality.compare(mine, other).relation == relation


def test_a_short_text_is_never_called_made_here() -> None:
    modality = Text()
    prints = modality.fingerprint("是的，没问题。".encode())
    assert modality.compare(prints, prints).relation == "similar"


def test_a_copy_meets_its_original_in_the_index() -> None:
    whole = " ".join(f"word{n}" for n in random.Random(2).sample(range(10_000), 900))
    index = set(anchors(fingerprint(whole)))
    assert len(index) == NUM_ANCHORS
    third = " ".join(whole.split()[300:600])
    assert index & set(keys(fingerprint(third)))
    longer = " ".join(f"other{n}" for n in range(3000)) + " " + whole
    assert index <= set(keys(fingerprint(longer)))


@given(st.text())
def test_any_text_has_a_fingerprint(text: str) -> None:
    value = fingerprint(text)
    assert len(value) % 4 == 0
    assert len(runs(text)) >= len(value) // 4
    assert letters(letters(text)) == letters(text)


def test_markup_does_not_count() -> None:
    modality = Text()
    marked = "# Bridges\n\n- **Steel** is [strong](https://example.com/steel) when `pulled`.\n"
    shown = "Bridges\n\n• Steel is strong when pulled."
    assert modality.fingerprint(marked.encode())["letters"] == modality.fingerprint(shown.encode())["letters"]

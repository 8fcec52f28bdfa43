"""Prompts and captions become the same condition, in both languages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.formats.text_condition import (
    NUM_PLACES,
    assemble_condition,
    condition_texts,
    look_up_conditions,
)


def test_english_and_chinese_are_cut_into_words_that_carry_meaning() -> None:
    assert condition_texts("A red  Apple on the table") == ("red apple on the table", "red", "apple", "table")
    assert condition_texts("一只红色的苹果") == ("红色的苹果", "红色", "苹果")


@pytest.mark.parametrize(
    ("prompt", "thing"),
    [
        ("a fire engine", "fire engine"),
        ("Please draw me an umbrella", "umbrella"),
        ("a picture of the Moon", "moon"),
        ("drawing board", "drawing board"),
        ("image processing", "image processing"),
        ("paint brush", "paint brush"),
        ("show jumping", "show jumping"),
        ("make up", "make up"),
        ("A button (blood type)", "a button (blood type)"),
        ("a to z", "a to z"),
        ("draw the sea", "sea"),
        ("a", "a"),
        ("一辆公交车", "公交车"),
        ("请帮我画一张图片：海上的日出", "海上的日出"),
        ("画一只猫", "猫"),
        ("画家", "画家"),
        ("一杯咖啡", "一杯咖啡"),
        ("一个", "一个"),
        ("一张图片，海上的日出", "海上的日出"),
        ("一张图标，Noto 风格", "noto 风格"),
        ("画一张画家的肖像", "画家的肖像"),
        ("一幅画框", "画框"),
        ("一朵朵白云", "一朵朵白云"),
        ("一本正经", "一本正经"),
        ("一个月", "一个月"),
    ],
)
def test_words_that_only_ask_for_a_picture_are_left_out(prompt: str, thing: str) -> None:
    assert condition_texts(prompt)[0] == thing


def test_mixed_text_keeps_both() -> None:
    assert condition_texts("猫，Noto 风格")[1:] == ("猫", "noto", "风格")


def test_full_width_and_case_change_nothing() -> None:
    assert condition_texts("ＣＡＴ") == condition_texts("cat") == ("cat", "cat")


def test_no_more_than_eight_words() -> None:
    texts = condition_texts("one two three four five six seven eight nine ten")
    assert len(texts) == NUM_PLACES
    assert texts[-1] == "eight"


@given(st.text(max_size=300))
def test_any_prompt_gives_few_texts_and_the_same_again(prompt: str) -> None:
    texts = condition_texts(prompt)
    assert len(texts) <= NUM_PLACES
    assert all(text.strip() for text in texts)
    if texts:
        assert condition_texts(texts[0])[0] == texts[0]


@given(st.lists(st.sampled_from(["red cat", "猫", "a dog and a cat", "", "天气很好"]), min_size=1, max_size=6))
def test_training_and_serving_assemble_alike(prompts: list[str]) -> None:
    generator = np.random.default_rng(7)
    unique = sorted({text for prompt in prompts for text in condition_texts(prompt)} | {"other"})
    exact = {text: generator.standard_normal(16).astype(np.float32) for text in unique}
    stored = np.stack([exact[text] for text in unique]).astype(np.float16)
    captions = np.full((len(prompts), NUM_PLACES), -1, np.int32)
    for row, prompt in enumerate(prompts):
        texts = condition_texts(prompt)
        captions[row, : len(texts)] = [unique.index(text) for text in texts]
    trained = look_up_conditions(captions, stored)
    for row, prompt in enumerate(prompts):
        served = assemble_condition(condition_texts(prompt), exact)
        assert served.dtype == np.float32
        assert np.array_equal(served, trained[row])


def test_places_without_a_text_are_zero() -> None:
    condition = assemble_condition(("cat",), {"cat": np.ones(4, np.float32)})
    assert condition.shape == (NUM_PLACES, 4)
    assert condition[0].tolist() == [1, 1, 1, 1]
    assert not condition[1:].any()


def test_a_text_without_a_vector_is_an_error() -> None:
    with pytest.raises(KeyError):
        assemble_condition(("cat",), {"dog": np.ones(4, np.float32)})
    with pytest.raises(ValueError):
        assemble_condition((), {})

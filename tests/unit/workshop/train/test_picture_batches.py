"""Batches of pictures: what the tensors hold, how captions are chosen, what is hidden how often."""

from dataclasses import replace

import numpy as np
import pytest

from inkseal.core.errors import InvalidRequest
from inkseal.nets.shapes import ConditionShape
from inkseal.workshop.train.picture_batches import (
    CHINESE,
    ENGLISH,
    Conditions,
    drop_condition,
    evenly,
    to_pixels,
    to_sheet,
)
from picture_maker import make_pictures

torch = pytest.importorskip("torch")
DATA = make_pictures(32)
ROWS = np.arange(32)


def test_pixels_span_minus_one_to_one_and_go_back_to_the_same_bytes() -> None:
    pixels = to_pixels(DATA, ROWS[:3])
    assert float(pixels.max()) == 1
    sheet = to_sheet(list(pixels), columns=3)
    assert np.array_equal(sheet[:64, 66:130].transpose(2, 0, 1), DATA.pixels[1])


def test_captions_are_their_pictures_and_languages_are_chosen_evenly() -> None:
    conditions, rng = Conditions(DATA), np.random.default_rng(0)
    chosen = np.concatenate([conditions.choose(ROWS, rng) for _ in range(200)])
    assert np.array_equal(DATA.caption_row[chosen], np.tile(ROWS, 200))
    # Two of a picture's three captions are of language 1, and yet each language comes half of the time.
    assert abs(float(np.mean(DATA.caption_language[chosen])) - 0.5) < 0.02
    assert set(chosen.tolist()) == set(range(96))


def test_each_caption_of_a_language_comes_equally_often() -> None:
    chosen = Conditions(DATA).choose(np.zeros(4000, np.int64), np.random.default_rng(0))
    shares = [float(np.mean(chosen == number)) for number in Conditions(DATA).of(0)]
    assert shares == pytest.approx([0.5, 0.25, 0.25], abs=0.03)


@pytest.mark.parametrize("bare", [[0], [5], [31], list(range(32))])
def test_a_picture_without_captions_gets_none(bare: list[int]) -> None:
    kept = ~np.isin(DATA.caption_row, bare)
    rest = replace(
        DATA,
        captions=DATA.captions[kept],
        caption_row=DATA.caption_row[kept],
        caption_language=DATA.caption_language[kept],
    )
    chosen = Conditions(rest).choose(ROWS, np.random.default_rng(0))
    assert np.flatnonzero(chosen < 0).tolist() == bare
    others = np.delete(ROWS, bare)
    assert rest.caption_row[chosen[others]].tolist() == others.tolist()


@pytest.mark.parametrize("language", [ENGLISH, CHINESE])
def test_captions_that_a_training_picture_bears_too_are_left_out(language: int) -> None:
    conditions = Conditions(DATA)
    rows, captions = conditions.untold(ROWS, language)
    assert rows.tolist() == list(range(24, 32)), "of the training pictures none has a caption that none bears"
    assert np.array_equal(captions, conditions.first(rows, language))
    shared = np.array(DATA.captions)
    shared[captions[3], 0] = shared[0, 0]
    rows, _ = Conditions(replace(DATA, captions=shared)).untold(ROWS, language)
    assert rows.tolist() == [24, 25, 26, 28, 29, 30, 31]
    shared = np.array(DATA.captions)
    shared[0, 1] = shared[captions[3], 0]  # a word of a training picture's caption: "guitar" of "guitar profile"
    rows, _ = Conditions(replace(DATA, captions=shared)).untold(ROWS, language)
    assert rows.tolist() == [24, 25, 26, 28, 29, 30, 31]


def test_the_first_caption_of_a_language_is_the_pictures_name_and_no_other_language_stands_in() -> None:
    bare = (DATA.caption_row == 5) & (DATA.caption_language == CHINESE)
    rest = replace(
        DATA,
        captions=DATA.captions[~bare],
        caption_row=DATA.caption_row[~bare],
        caption_language=DATA.caption_language[~bare],
    )
    conditions = Conditions(rest)
    for language in (ENGLISH, CHINESE):
        named = conditions.first(ROWS, language)
        for row, caption in zip(ROWS.tolist(), named.tolist(), strict=True):
            mine = np.flatnonzero((rest.caption_row == row) & (rest.caption_language == language))
            assert caption == (mine[0] if len(mine) else -1)
    assert conditions.first(ROWS[5:6], CHINESE).tolist() == [-1]
    assert np.array_equal(conditions.first(ROWS), conditions.first(ROWS, ENGLISH))


def test_conditions_hold_the_vectors_of_caption_and_words_and_the_style() -> None:
    conditions = Conditions(DATA)
    captions = conditions.first(ROWS, CHINESE)
    seen = conditions.of_captions(ROWS, captions)
    assert conditions.styles == ("flat", "outline")
    assert seen.style.tolist() == [1, 2] * 16
    for row in (0, 7):
        numbers = DATA.captions[captions[row]]
        assert seen.mask[row].tolist() == (numbers >= 0).tolist()
        for place, number in enumerate(numbers):
            expected = DATA.vectors[number].astype(np.float32) if number >= 0 else np.zeros(512, np.float32)
            np.testing.assert_array_equal(seen.tokens[row, place].numpy(), expected)


def test_a_picture_without_captions_has_a_style_only() -> None:
    conditions = Conditions(DATA)
    seen = conditions.of_captions(ROWS[:2], np.array([-1, 0]))
    assert seen.mask.any(1).tolist() == [False, True]
    assert not seen.tokens[0].any()


def test_conditions_are_hidden_as_often_as_asked() -> None:
    conditions, rng = Conditions(DATA), np.random.default_rng(0)
    rows = np.tile(ROWS, 300)
    seen = conditions.of_captions(rows, conditions.first(rows))
    hidden = drop_condition(seen, rng, 0.12, 0.25)
    without = ~hidden.mask.any(1)
    assert abs(float(without.float().mean()) - 0.12) < 0.01
    assert not hidden.style[without].any()
    assert not hidden.tokens[without].any()
    assert abs(float((hidden.style[~without] == 0).float().mean()) - 0.25) < 0.02
    torch.testing.assert_close(hidden.tokens[~without], seen.tokens[~without])


def test_a_network_for_fewer_styles_is_refused() -> None:
    Conditions(DATA).check(ConditionShape(num_styles=3))
    with pytest.raises(InvalidRequest, match="num_styles ≥ 3"):
        Conditions(DATA).check(ConditionShape(num_styles=2))
    with pytest.raises(InvalidRequest, match="text_width = 512"):
        Conditions(DATA).check(ConditionShape(text_width=256))


@pytest.mark.parametrize(("size", "count"), [(10, 3), (3, 10), (0, 4), (5, 5)])
def test_evenly_takes_from_the_whole(size: int, count: int) -> None:
    rows = np.arange(100, 100 + size)
    found = evenly(rows, count)
    assert len(found) == min(size, count)
    assert set(found) <= set(rows)
    if len(found) > 1:
        assert (found[0], found[-1]) == (rows[0], rows[-1])

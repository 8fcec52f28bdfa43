"""Repeats go, look-alikes of another colour or meaning stay."""

import numpy as np

from inkseal.workshop.data.duplicates import is_blank, repeats


def _pictures(num: int, seed: int = 1) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 255, (num, 3, 8, 8), dtype=np.uint8)
    return coarse.repeat(8, axis=2).repeat(8, axis=3)


def _noisy(picture: np.ndarray, by: int) -> np.ndarray:
    noise = np.random.default_rng(2).integers(-by, by + 1, picture.shape)
    return np.clip(picture.astype(np.int16) + noise, 0, 255).astype(np.uint8)


def test_a_repeat_names_the_first_one_kept() -> None:
    pictures = _pictures(5)
    again = np.concatenate([pictures, pictures[2:3], pictures[2:3]])
    assert repeats(again, list("abcdecc")) == {5: 2, 6: 2}
    assert repeats(pictures, list("abcde")) == {}


def test_between_concepts_only_the_same_picture_is_a_repeat() -> None:
    pictures = _pictures(1)
    pair = np.concatenate([pictures, _noisy(pictures, 6)])
    assert repeats(pair, ["a", "a"]) == {1: 0}
    assert repeats(pair, ["a", "b"]) == {}
    assert repeats(np.concatenate([pictures, pictures]), ["a", "b"]) == {1: 0}


def test_another_colour_is_another_picture() -> None:
    red = np.full((1, 3, 64, 64), 255, np.uint8)
    red[0, 1:, 16:48, 16:48] = 0
    blue = red[:, ::-1].copy()
    assert repeats(np.concatenate([red, blue]), ["heart", "heart"]) == {}


def test_white_on_white_is_blank() -> None:
    white = np.full((3, 64, 64), 255, np.uint8)
    assert is_blank(white)
    almost = white.copy()
    almost[:, 30:34, 30:34] = 245
    assert is_blank(almost)
    drawn = white.copy()
    drawn[:, 20:40, 20:40] = 90
    assert not is_blank(drawn)

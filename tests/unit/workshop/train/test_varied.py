"""Varied examples: which pictures may be mirrored, and that captions keep their meaning and their form."""

from dataclasses import replace

import numpy as np
import pytest

from inkseal.workshop.train.picture_batches import Conditions
from inkseal.workshop.train.varied import may_mirror, vary_condition
from picture_maker import make_pictures

torch = pytest.importorskip("torch")

DATA = make_pictures(40)


@pytest.mark.parametrize(
    ("captions", "may"),
    [
        ({"en": ["bright sun"], "zh": ["太阳"]}, True),
        ({"en": ["leftovers"]}, True),
        ({"en": ["magnifying glass tilted left"]}, False),
        ({"en": ["cat"], "zh": ["向右的猫"]}, False),
        ({"en": ["five o’clock"]}, False),
        ({"en": ["Anticlockwise arrows"]}, False),
        ({}, True),
    ],
)
def test_what_tells_left_from_right_is_not_mirrored(captions: dict[str, list[str]], may: bool) -> None:
    rows = [replace(DATA.rows[0], captions=captions), replace(DATA.rows[1], captions={"en": ["dog"]})]
    assert may_mirror(replace(DATA, rows=rows)).tolist() == [may, True]


def test_vectors_are_turned_by_as_much_as_asked_and_some_hidden() -> None:
    conditions, rng = Conditions(DATA), np.random.default_rng(0)
    rows = np.tile(np.arange(40), 200)
    seen = conditions.of_captions(rows, conditions.choose(rows, rng))
    varied = vary_condition(seen, rng, 0.2, 0.5)
    assert (varied.mask <= seen.mask).all()
    assert varied.mask.any(1).all(), "a caption keeps one vector at least"
    # 0.2 of the vectors, but for the captions of two that would have lost both, and of three all three.
    many = seen.mask.sum(1) == 3
    lost = 1 - float(varied.mask[many].sum() / seen.mask[many].sum())
    assert lost == pytest.approx(0.2 - 0.2**3, abs=0.01)
    cosines = (varied.tokens * seen.tokens).sum(2)[varied.mask]
    assert float(cosines.mean()) == pytest.approx(1 / np.sqrt(1 + 0.5**2), abs=0.01)
    assert not varied.tokens[~varied.mask].any()
    torch.testing.assert_close(varied.tokens.norm(dim=2)[varied.mask], torch.ones(int(varied.mask.sum())))


def test_what_has_no_caption_stays_without() -> None:
    conditions, rng = Conditions(DATA), np.random.default_rng(0)
    seen = conditions.of_captions(np.array([3, 4]), np.array([-1, -1]))
    varied = vary_condition(seen, rng, 0.5, 0.5)
    assert not varied.mask.any()
    assert not varied.tokens.any()

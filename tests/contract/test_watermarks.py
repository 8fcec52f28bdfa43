"""What every text watermark promises, whichever it is."""

import json

import numpy as np
import pytest

from inkseal.core.protocols import TextWatermark
from inkseal.core.types import WatermarkScore
from inkseal.formats.watermarks import watermarks

KEY = b"k" * 32
TOKENS = np.arange(80)
FLAT = np.full(80, 1 / 80)


@pytest.fixture(params=sorted(watermarks))
def mark(request: pytest.FixtureRequest) -> TextWatermark:
    return watermarks[request.param](KEY)


def drawn(mark: TextWatermark, length: int = 150) -> list[int]:
    rng, tilt, answer = np.random.default_rng(1), mark.begin(), list[int]()
    while len(answer) < length:
        answer.append(int(rng.choice(80, p=tilt(answer, TOKENS, FLAT))))
    return answer


def test_declares_itself(mark: TextWatermark) -> None:
    assert watermarks[mark.name] is type(mark)
    assert isinstance(mark.works_greedily, bool)
    shown = json.dumps(mark.facts())
    assert KEY.hex() not in shown


def test_tilts_to_probabilities_and_leaves_what_it_is_given(mark: TextWatermark) -> None:
    given = FLAT.copy()
    tilted = mark.begin()([1, 2, 3, 4, 5, 6, 7, 8], TOKENS, given)
    assert (given == FLAT).all()
    assert tilted.shape == FLAT.shape
    assert (tilted >= 0).all()
    assert tilted.sum() == pytest.approx(1)
    assert not np.allclose(tilted, FLAT)


def test_a_single_candidate_stays_certain(mark: TextWatermark) -> None:
    assert mark.begin()(list(range(8)), np.array([3]), np.array([1.0])).tolist() == [1.0]


def test_the_first_token_cannot_be_found_again_and_is_left_alone(mark: TextWatermark) -> None:
    assert (mark.begin()([], TOKENS, FLAT) == FLAT).all()


def test_its_own_texts_are_found_by_the_key_alone(mark: TextWatermark) -> None:
    text = drawn(mark)
    found = mark.score(text)
    assert isinstance(found, WatermarkScore)
    assert (found.watermark, found.num_tokens > 100, found.p_value < 1e-6) == (mark.name, True, True)
    assert found.score > found.expected
    assert watermarks[mark.name](b"x" * 32).score(text).p_value > 1e-3
    assert mark.score(text) == watermarks[mark.name](KEY).score(text)


def test_saying_the_same_again_adds_no_evidence(mark: TextWatermark) -> None:
    text = drawn(mark, 60)
    assert mark.score(text * 20).num_tokens <= mark.score(text).num_tokens + 8

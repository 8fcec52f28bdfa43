"""Each metric against a closed form, an independent reference, or a case whose answer is plain."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from inkseal.core.language import use_language
from inkseal.measure.metrics import metrics

RNG = np.random.default_rng(0)


def test_the_frechet_distance_of_gaussians_is_the_closed_form() -> None:
    """N(0, 1) and N(2, 9) in each of three dimensions: (2² + (3 − 1)²) · 3."""
    near = RNG.standard_normal((200_000, 3))
    far = 2 + 3 * RNG.standard_normal((200_000, 3))
    score = metrics["frechet_distance"]().score({"features": near}, {"features": far})
    assert score.value == pytest.approx(24, rel=0.02)
    assert score.warning == ""


def test_the_frechet_distance_agrees_with_the_matrix_root_of_scipy() -> None:
    made = RNG.standard_normal((300, 6)) @ RNG.standard_normal((6, 6))
    real = RNG.standard_normal((400, 6)) @ RNG.standard_normal((6, 6)) + 0.3
    spreads = [np.cov(rows, rowvar=False) for rows in (made, real)]
    shift = ((made.mean(0) - real.mean(0)) ** 2).sum()
    expected = shift + np.trace(spreads[0] + spreads[1] - 2 * sqrtm(spreads[0] @ spreads[1]).real)
    found = metrics["frechet_distance"]().score({"features": made}, {"features": real})
    assert found.value == pytest.approx(expected, rel=1e-6)


def test_few_pictures_are_said_to_be_few_in_both_languages() -> None:
    few = {"features": RNG.standard_normal((50, 16))}
    metric = metrics["frechet_distance"]()
    assert metric.score(few, few).value == pytest.approx(0, abs=1e-9)
    assert "50 pictures are few for 16 features" in metric.score(few, few).warning
    with use_language("zh"):
        assert "50 张图片" in metric.score(few, few).warning


def retrieval(cosines: np.ndarray, captions: np.ndarray) -> float:
    seen = {"features": cosines, "text_features": np.eye(len(cosines)), "captions": captions}
    return metrics["retrieval_precision"]().score(seen, {}).value


def test_the_retrieval_precision_of_perfect_wrong_and_guessed_vectors() -> None:
    captions = np.arange(300)
    assert retrieval(np.eye(300), captions) == 1
    assert retrieval(-np.eye(300), captions) == 0
    assert retrieval(np.zeros((300, 300)), captions) == 0, "a tie is no hit"
    guessed = np.mean([retrieval(RNG.standard_normal((300, 300)), captions) for _ in range(20)])
    assert guessed == pytest.approx(0.01, abs=0.004)


def test_what_is_no_number_never_wins() -> None:
    assert retrieval(np.full((40, 40), np.nan), np.arange(40)) == 0


def test_equal_captions_are_not_held_against_a_picture() -> None:
    assert retrieval(RNG.standard_normal((40, 40)), np.zeros(40)) == 1
    two = np.array([[0.5, 0.6, 0.1], [0.6, 0.5, 0.1], [0.1, 0.2, 0.9]])
    assert retrieval(two, np.array([7, 7, 8])) == 1
    assert retrieval(two, np.array([7, 8, 9])) == pytest.approx(1 / 3)


def test_a_caption_of_several_pictures_is_one_wrong_caption() -> None:
    """Drawn once or four times, each caption is as likely among the wrong ones."""
    once = RNG.standard_normal((200, 200))
    many = np.tile(once, (4, 4))
    assert retrieval(many, np.tile(np.arange(200), 4)) == pytest.approx(retrieval(once, np.arange(200)))


def test_the_retrieval_precision_is_the_mean_over_all_draws() -> None:
    """One of 199 others is nearer: 99 drawn from them leave it out with the chance 100 / 199."""
    cosines = np.zeros((200, 200))
    cosines[:, 0], cosines[0, 1] = 2, 3
    np.fill_diagonal(cosines, 1)
    assert retrieval(cosines, np.arange(200)) == pytest.approx(100 / 199)


def test_diversity_compares_pictures_of_one_caption_only() -> None:
    features = np.array([[1.0, 0], [0, 1], [1, 0], [1, 0], [0, 5]])
    diversity = metrics["diversity"]()
    assert diversity.score({"features": features, "captions": np.array([1, 1, 2, 2, 3])}, {}).value == 0.5
    assert diversity.score({"features": features, "captions": np.arange(5)}, {}).value == 0


def test_a_copy_is_found_and_a_new_picture_is_as_far_as_it_is() -> None:
    known = RNG.random((300, 3, 8, 8))
    nearest = metrics["nearest_distance"]()
    assert nearest.score({"pixels": known[:50]}, {"pixels": known}).value == 0
    shifted = nearest.score({"pixels": known[:50] + 0.01}, {"pixels": known}).value
    assert shifted == pytest.approx(0.01, rel=1e-3)

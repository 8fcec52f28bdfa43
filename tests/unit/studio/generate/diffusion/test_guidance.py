"""Guidance asks one model, with and without the condition, in one batch."""

import numpy as np
import pytest

from inkseal.studio.generate.diffusion.guidance import Array, guided
from inkseal.studio.generate.diffusion.solvers import solvers
from inkseal.studio.generate.diffusion.times import times

CONDITION = np.arange(12, dtype=np.float32).reshape(2, 3, 2) + 1
MASK = np.ones((2, 3), bool)
STYLE = np.array([1, 2])


def test_it_is_the_papers_combination() -> None:
    calls = []

    def model(x: Array, t: Array, condition: Array, mask: Array, style: Array) -> tuple[Array, Array]:
        calls.append((x, t, condition, mask, style))
        seen = (condition.sum((1, 2)) * mask.any(1) + 100 * style)[:, None]
        return x + seen + t[:, None], x

    x = np.array([[1.0], [2.0]], np.float32)
    out = guided(model, CONDITION, MASK, STYLE, 3.0)(x, 0.25)
    seen = CONDITION.sum((1, 2))[:, None] + 100 * STYLE[:, None]
    np.testing.assert_allclose(out, x + 0.25 + 3 * seen)
    assert len(calls) == 1
    assert calls[0][0].shape == (4, 1)
    assert not calls[0][2][2:].any()
    assert not calls[0][3][2:].any()
    assert not calls[0][4][2:].any()


@pytest.mark.parametrize(("scale", "expected"), [(0.0, 0.0), (1.0, 1.0)])
def test_only_one_side_is_asked_when_the_other_does_not_count(scale: float, expected: float) -> None:
    sizes = []

    def model(x: Array, t: Array, condition: Array, mask: Array, style: Array) -> tuple[Array, Array]:
        sizes.append(len(x))
        return np.full_like(x, float(mask.any())), x

    out = guided(model, CONDITION, MASK, STYLE, scale)(np.zeros((2, 1)), 0.5)
    assert sizes == [2]
    np.testing.assert_array_equal(out, expected)


def test_a_guided_gaussian_is_the_product_of_powers() -> None:
    """For two Gaussians the guided velocity is the linear mix of both: it lies beyond the conditional one."""

    def model(x: Array, t: Array, condition: Array, mask: Array, style: Array) -> tuple[Array, Array]:
        mean = np.where(mask.any(1), 2.0, 0.0)[:, None]
        return (x - mean) / t[:, None], x

    x = np.zeros((2, 1))
    plain = guided(model, CONDITION, MASK, STYLE, 1.0)(x, 0.5)
    strong = guided(model, CONDITION, MASK, STYLE, 2.0)(x, 0.5)
    np.testing.assert_allclose(strong, 2 * plain)


@pytest.mark.parametrize("scale", [0.0, 1.0, 3.0])
def test_autoguidance_leads_away_from_the_rough_answer_to_the_same_question(scale: float) -> None:
    """Karras et al. 2024, with w = 1.5; the question is that without a condition when the scale is 0."""

    def model(x: Array, t: Array, condition: Array, mask: Array, style: Array) -> tuple[Array, Array]:
        asked = mask.any(1).astype(np.float32)[:, None]
        return x + 10 * asked, x + 4 * asked - 2

    x = np.array([[1.0], [2.0]])
    plain, led = (guided(model, CONDITION, MASK, STYLE, scale, weight)(x, 0.5) for weight in (0.0, 0.5))
    asked = 1.0 if scale else 0.0
    np.testing.assert_allclose(led - plain, np.full_like(x, 0.5 * (6 * asked + 2)))


def test_two_gaussians_are_drawn_narrower_by_autoguidance() -> None:
    """From one mean, with variances 1 and 4, the step away from the rough one goes to the mean faster."""

    def model(x: Array, t: Array, condition: Array, mask: Array, style: Array) -> tuple[Array, Array]:
        rest = 1 - t[:, None]

        def velocity(variance: float) -> Array:
            return np.asarray((t[:, None] - rest * variance) / (t[:, None] ** 2 + rest**2 * variance) * x)

        return velocity(1.0), velocity(4.0)

    noise = np.linspace(-2, 2, 9)[:, None]
    many = (np.repeat(CONDITION[:1], 9, 0), np.repeat(MASK[:1], 9, 0), np.repeat(STYLE[:1], 9, 0))
    *_, plain = solvers["heun"]().solve(guided(model, *many, 1.0), noise, times(200))
    *_, led = solvers["heun"]().solve(guided(model, *many, 1.0, 0.5), noise, times(200))
    np.testing.assert_allclose(plain, noise, atol=1e-3)
    np.testing.assert_allclose(led, noise / np.sqrt(2), atol=1e-3)  # the ratio of deviations to the power −0.5

"""Guidance asks one model, with and without the condition, in one batch."""

import numpy as np
import pytest

from inkseal.studio.generate.diffusion.guidance import Array, guided

CONDITION = np.arange(12, dtype=np.float32).reshape(2, 3, 2) + 1
MASK = np.ones((2, 3), bool)
STYLE = np.array([1, 2])


def test_it_is_the_papers_combination() -> None:
    calls = []

    def model(x: Array, t: Array, condition: Array, mask: Array, style: Array) -> Array:
        calls.append((x, t, condition, mask, style))
        seen = (condition.sum((1, 2)) * mask.any(1) + 100 * style)[:, None]
        return x + seen + t[:, None]

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

    def model(x: Array, t: Array, condition: Array, mask: Array, style: Array) -> Array:
        sizes.append(len(x))
        return np.full_like(x, float(mask.any()))

    out = guided(model, CONDITION, MASK, STYLE, scale)(np.zeros((2, 1)), 0.5)
    assert sizes == [2]
    np.testing.assert_array_equal(out, expected)


def test_a_guided_gaussian_is_the_product_of_powers() -> None:
    """For two Gaussians the guided velocity is the linear mix of both: it lies beyond the conditional one."""

    def model(x: Array, t: Array, condition: Array, mask: Array, style: Array) -> Array:
        mean = np.where(mask.any(1), 2.0, 0.0)[:, None]
        return (x - mean) / t[:, None]

    x = np.zeros((2, 1))
    plain = guided(model, CONDITION, MASK, STYLE, 1.0)(x, 0.5)
    strong = guided(model, CONDITION, MASK, STYLE, 2.0)(x, 0.5)
    np.testing.assert_allclose(strong, 2 * plain)

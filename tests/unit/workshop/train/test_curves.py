"""Curves: where values lie, and that they are drawn there."""

import numpy as np

from inkseal.workshop.train.curves import LEFT_PX, PANEL_PX, draw_curves, place


def test_places() -> None:
    np.testing.assert_allclose(place(np.array([1.0, 2.0, 3.0]), 100, logarithmic=False), [0, 50, 100])
    np.testing.assert_allclose(place(np.array([1.0, 10.0, 100.0]), 100, logarithmic=True), [0, 50, 100])
    np.testing.assert_allclose(place(np.array([4.0, 4.0]), 100, logarithmic=False), [0, 0])


def test_a_falling_curve_falls_in_the_picture() -> None:
    picture = draw_curves({"loss": [(0, 3.0), (50, 2.0), (100, 1.0)], "bad": [(1, float("nan"))]})
    assert picture.shape == (2 * PANEL_PX, 900, 3)
    panel = picture[PANEL_PX:].astype(int)
    blue = (panel[:, :, 2] > panel[:, :, 0] + 60).nonzero()
    heights = {column: blue[0][blue[1] == column].mean() for column in (LEFT_PX + 10, 500, 860)}
    assert heights[LEFT_PX + 10] < heights[500] < heights[860]


def test_nothing_to_draw_is_a_picture_too() -> None:
    assert draw_curves({}).ndim == 3

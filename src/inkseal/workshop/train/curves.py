"""Draws logged metrics as a picture, one panel each, so that a run can be judged while it goes."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

WIDTH_PX, PANEL_PX, LEFT_PX, EDGE_PX = 900, 180, 90, 24


def draw_curves(metrics: Mapping[str, Sequence[tuple[int, float]]]) -> npt.NDArray[np.uint8]:
    """Returns [H, 900, 3] uint8: steps to the right, values upwards, least and greatest written at the side.

    A metric that stays positive and spans more than a factor of ten is drawn on a logarithmic scale.
    """
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH_PX, max(1, len(metrics)) * PANEL_PX), "white")
    draw = ImageDraw.Draw(image)
    for index, (name, points) in enumerate(sorted(metrics.items())):
        _panel(draw, index * PANEL_PX, name, points)
    return np.asarray(image)


def place(values: npt.NDArray[np.float64], size_px: int, *, logarithmic: bool) -> npt.NDArray[np.float64]:
    """Returns where values lie in `size_px` pixels, the least at 0, the greatest at `size_px`; equal ones at 0."""
    scaled = np.log10(values) if logarithmic else values
    span = float(np.ptp(scaled))
    return (scaled - scaled.min()) / span * size_px if span > 0 else np.zeros_like(scaled)


def _panel(draw: Any, top: int, name: str, points: Sequence[tuple[int, float]]) -> None:
    steps = np.array([step for step, _ in points], dtype=float)
    values = np.array([value for _, value in points], dtype=float)
    keep = np.isfinite(values)
    if not keep.any():
        return
    steps, values = steps[keep], values[keep]
    logarithmic = bool(values.min() > 0 and values.max() > 10 * values.min())
    xs = LEFT_PX + place(steps, WIDTH_PX - LEFT_PX - EDGE_PX, logarithmic=False)
    ys = top + PANEL_PX - EDGE_PX - place(values, PANEL_PX - 2 * EDGE_PX, logarithmic=logarithmic)
    draw.rectangle((LEFT_PX, top + EDGE_PX, WIDTH_PX - EDGE_PX, top + PANEL_PX - EDGE_PX), outline="#cccccc")
    scale = "log" if logarithmic else ""
    draw.text((LEFT_PX, top + 6), f"{name} {scale}  {_short(values[-1])} @ {int(steps[-1])}", fill="black")
    draw.text((6, top + EDGE_PX - 4), _short(values.max()), fill="#666666")
    draw.text((6, top + PANEL_PX - EDGE_PX - 8), _short(values.min()), fill="#666666")
    pairs = list(zip(xs.tolist(), ys.tolist(), strict=True))
    if len(pairs) > 1:
        draw.line(pairs, fill="#1f4e8c", width=2)
    else:
        draw.point(pairs, fill="#1f4e8c")


def _short(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return str(value)
    return f"{value:.4g}"

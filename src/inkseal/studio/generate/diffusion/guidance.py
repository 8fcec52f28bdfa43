"""Guidance by condition dropout: one model, asked with and without the condition in one batch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from inkseal.core.protocols import Velocity

Array = npt.NDArray[Any]
Model = Callable[[Array, Array, Array, Array, Array], Array]
"""z_t [B, C, H, W], t [B], condition [B, 9, D], mask [B, 9] bool, style [B] → velocity [B, C, H, W]."""


def guided(model: Model, condition: Array, mask: Array, style: Array, scale: float) -> Velocity:
    """Returns the velocity v∅ + scale·(v − v∅); a scale of 1 asks only with, 0 only without the condition.

    Source: Ho and Salimans 2022, "Classifier-Free Diffusion Guidance", eq. 6, where scale = 1 + w.
    """
    none = (np.zeros_like(condition), np.zeros_like(mask), np.zeros_like(style))
    chosen = (condition, mask, style) if scale != 0 else none

    def alone(x: Array, t: float) -> Array:
        return model(x, _times(t, len(x)), *chosen)

    doubled = [np.concatenate([with_, without]) for with_, without in zip((condition, mask, style), none, strict=True)]

    def both(x: Array, t: float) -> Array:
        out = model(np.concatenate([x, x]), _times(t, 2 * len(x)), *doubled)
        with_, without = out[: len(x)], out[len(x) :]
        return without + scale * (with_ - without)

    return alone if scale in (0, 1) else both


def _times(t: float, count: int) -> Array:
    return np.full(count, t, np.float32)

"""Guidance: away from what a model says without the condition, and from what a rougher part of it says with it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from inkseal.core.protocols import Velocity

Array = npt.NDArray[Any]
Model = Callable[[Array, Array, Array, Array, Array], tuple[Array, Array]]
"""z_t [B, C, H, W], t [B], condition [B, 9, D], mask [B, 9] bool, style [B] → velocity and a rough one [B, C, H, W]."""


def guided(
    model: Model, condition: Array, mask: Array, style: Array, scale: float, autoguidance: float = 0.0
) -> Velocity:
    """Returns v∅ + scale·(v − v∅) + autoguidance·(v − r), where r is the rough velocity.

    A scale of 1 asks only with, 0 only without the condition (v and r are then without it, too); otherwise both are
    asked in one batch. Source: Ho and Salimans 2022, "Classifier-Free Diffusion Guidance", eq. 6, where scale = 1 + w;
    Karras et al. 2024, "Guiding a Diffusion Model with a Bad Version of Itself", where autoguidance = w − 1. That both
    are added is neither's.
    """
    none = (np.zeros_like(condition), np.zeros_like(mask), np.zeros_like(style))
    chosen = (condition, mask, style) if scale != 0 else none

    def alone(x: Array, t: float) -> Array:
        velocity, rough = model(x, _times(t, len(x)), *chosen)
        return velocity + autoguidance * (velocity - rough)

    doubled = [np.concatenate([with_, without]) for with_, without in zip((condition, mask, style), none, strict=True)]

    def both(x: Array, t: float) -> Array:
        velocity, rough = model(np.concatenate([x, x]), _times(t, 2 * len(x)), *doubled)
        with_, without = velocity[: len(x)], velocity[len(x) :]
        return without + scale * (with_ - without) + autoguidance * (with_ - rough[: len(x)])

    return alone if scale in (0, 1) else both


def _times(t: float, count: int) -> Array:
    return np.full(count, t, np.float32)

"""Heun's method: the mean of the velocities at both ends of each step but the one that ends at the data."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from inkseal.core.protocols import Velocity


class Heun:
    """Second order; two evaluations a step, one in the last.

    At t = 0 the best guess of the noise knows nothing of x, and a mean with it would leave noise in the picture.
    Source: Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", algorithm 1.
    """

    name: ClassVar[str] = "heun"
    order: ClassVar[int] = 2
    evaluations: ClassVar[int] = 2

    def solve(self, velocity: Velocity, x: Any, times: Sequence[float]) -> Iterator[Any]:
        """Yields x at each later time."""
        for now, then in pairwise(times):
            before = velocity(x, now)
            after = velocity(x + (then - now) * before, then) if then > 0 else before
            x = x + (then - now) * 0.5 * (before + after)
            yield x

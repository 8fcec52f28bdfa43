"""Heun's method: the mean of the velocities at both ends of each step."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from inkseal.core.protocols import Velocity


class Heun:
    """Second order; two evaluations a step.

    Source: Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models", algorithm 1.
    """

    name: ClassVar[str] = "heun"
    order: ClassVar[int] = 2
    evaluations: ClassVar[int] = 2

    def solve(self, velocity: Velocity, x: Any, times: Sequence[float]) -> Iterator[Any]:
        """Yields x at each later time."""
        for now, then in pairwise(times):
            before = velocity(x, now)
            after = velocity(x + (then - now) * before, then)
            x = x + (then - now) * 0.5 * (before + after)
            yield x

"""Euler's method: straight on along the velocity at the beginning of each step."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from inkseal.core.protocols import Velocity


class Euler:
    """First order; one evaluation a step.

    Source: Song et al. 2021, "Score-Based Generative Modeling through Stochastic Differential Equations", section 4.3;
    for straight paths it is the sampler of Liu, Gong and Liu 2023, "Flow Straight and Fast", algorithm 1.
    """

    name: ClassVar[str] = "euler"
    order: ClassVar[int] = 1
    evaluations: ClassVar[int] = 1

    def solve(self, velocity: Velocity, x: Any, times: Sequence[float]) -> Iterator[Any]:
        """Yields x at each later time."""
        for now, then in pairwise(times):
            x = x + (then - now) * velocity(x, now)
            yield x

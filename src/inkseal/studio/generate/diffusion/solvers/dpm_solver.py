"""DPM-Solver++ (2M): follows the predicted data instead of the velocity, and remembers the last prediction."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from inkseal.core.protocols import Velocity


class DpmSolver:
    """Second order with one evaluation a step; exact where the prediction of the data does not change.

    Written for straight paths: α = 1 − t, σ = t, and the data predicted from the velocity v is x − t·v. The first step
    is of first order; so are the one after a start at t = 1 and one to t = 0, where log(α/σ) has no end.
    Source: Lu et al. 2022, "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models",
    algorithm 2.
    """

    name: ClassVar[str] = "dpm_solver"
    order: ClassVar[int] = 2
    evaluations: ClassVar[int] = 1

    def solve(self, velocity: Velocity, x: Any, times: Sequence[float]) -> Iterator[Any]:
        """Yields x at each later time."""
        last: Any = None
        last_width = math.inf
        for now, then in pairwise(times):
            data = x - now * velocity(x, now)
            width = _half_log_snr(then) - _half_log_snr(now)
            towards = data
            if last is not None and math.isfinite(width) and math.isfinite(last_width):
                lean = width / (2 * last_width)
                towards = (1 + lean) * data - lean * last
            alpha, sigma = 1 - then, then
            x = (sigma / now) * x + (alpha - (1 - now) * sigma / now) * towards
            yield x
            last, last_width = data, width


def _half_log_snr(t: float) -> float:
    """Returns λ = log(α/σ)."""
    if t <= 0:
        return math.inf
    return math.log((1 - t) / t) if t < 1 else -math.inf

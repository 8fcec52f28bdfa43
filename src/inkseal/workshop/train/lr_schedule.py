"""The learning rate as a function of the step alone, so that nothing of it needs to be saved."""

import math
from typing import Literal

from pydantic import Field

from inkseal.core.config import ComponentConfig


class LrSchedule(ComponentConfig):
    """Rises linearly, stays or falls along a cosine, and ends at `floor` of the full rate."""

    kind: Literal["constant", "cosine", "trapezoid"] = "trapezoid"
    warm_up_steps: int = Field(200, ge=0, description="Steps over which the rate rises from nothing.")
    tail: float = Field(0.3, gt=0, le=1, description="Last part of a trapezoid, over which the rate falls.")
    floor: float = Field(0.02, ge=0, le=1, description="What is left of the rate at the end.")

    def factor(self, step: int, num_steps: int) -> float:
        """Returns what the full rate is multiplied with at `step`, counted from 0.

        Source: cosine: Loshchilov and Hutter 2017, "SGDR", eq. 5; trapezoid: Hägele et al. 2024, "Scaling Laws and
        Compute-Optimal Training Beyond Fixed Training Durations", with a cosine as its tail.
        """
        if step < self.warm_up_steps:
            return (step + 1) / self.warm_up_steps
        if self.kind == "constant":
            return 1.0
        begin = self.warm_up_steps
        if self.kind == "trapezoid":
            begin = max(begin, round(num_steps * (1 - self.tail)))
        done = min(1.0, max(0.0, (step - begin) / max(1, num_steps - begin)))
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * done))

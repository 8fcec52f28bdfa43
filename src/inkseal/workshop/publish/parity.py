"""The proof that what is served answers like what was trained: both are asked the same, and the error is kept."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inkseal.core.errors import ModelFileRefused
from inkseal.core.language import say
from inkseal.core.types import Closed

TOLERANCE = 0.02
"""Of the trained answer's root mean square. Half-precision weights cost a tenth of this; a wrong layer, far more."""


class Parity(Closed):
    """How far one network, as it is served, is from itself as it was trained."""

    network: str
    num_values: int
    scale: float
    """Root mean square of the trained answer."""
    max_error: float
    mean_error: float
    tolerance: float = TOLERANCE

    @property
    def holds(self) -> bool:
        """True when the largest error is within the tolerance; an answer that is no number is never."""
        return bool(np.isfinite(self.max_error)) and self.max_error <= self.tolerance * self.scale


def compare(network: str, served: npt.NDArray[Any], trained: npt.NDArray[Any]) -> Parity:
    """Returns the errors of the served answer; both have one shape.

    Raises:
        ModelFileRefused: the shapes differ, or an answer is no number.
    """
    if served.shape != trained.shape or not np.isfinite(served).all() or not np.isfinite(trained).all():
        raise _refused(network, say(f"{served.shape} for {trained.shape}", f"{served.shape} 对 {trained.shape}"))
    error = np.abs(served.astype(np.float64) - trained.astype(np.float64))
    return Parity(
        network=network,
        num_values=served.size,
        scale=round(float(np.sqrt(np.mean(np.square(trained, dtype=np.float64)))), 9),
        max_error=round(float(error.max()), 9),
        mean_error=round(float(error.mean()), 9),
    )


def require(found: Sequence[Parity]) -> None:
    """Refuses networks that are served differently from how they were trained.

    Raises:
        ModelFileRefused: names the first, and by how much.
    """
    for parity in found:
        if not parity.holds:
            limit = parity.tolerance * parity.scale
            raise _refused(parity.network, f"{parity.max_error:.2g} > {limit:.2g}")


def _refused(network: str, why: str) -> ModelFileRefused:
    return ModelFileRefused(
        say(
            f"Served, the {network} does not answer as it was trained ({why}); nothing is published.",
            f"部署后的 {network} 与训练结果不一致（{why}），未发布。",
        ),
        fix=say("Report it: the drawing of the network is wrong.", "请报告此问题：网络的绘制有误。"),
    )

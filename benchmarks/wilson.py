"""The interval of a rate, which every table of rates needs."""

import math


def wilson(rate: float, total: int) -> tuple[float, float]:
    """Returns the 95 % interval of a rate among `total`. Source: Wilson 1927."""
    if not total:
        return 0.0, 1.0
    z = 1.96
    middle = rate + z * z / (2 * total)
    spread = z * math.sqrt(rate * (1 - rate) / total + z * z / (4 * total * total))
    return (middle - spread) / (1 + z * z / total), (middle + spread) / (1 + z * z / total)

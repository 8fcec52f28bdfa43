"""Which times a solver visits on its way from noise (1) to data (0)."""


def times(num_steps: int, shift: float = 1.0) -> list[float]:
    """Returns num_steps + 1 times from 1 to 0; a shift above 1 spends more steps near the noise, below 1 near the data.

    Source: Esser et al. 2024, "Scaling Rectified Flow Transformers for High-Resolution Image Synthesis", eq. 23.
    """
    even = [1 - step / num_steps for step in range(num_steps + 1)]
    return [shift * t / (1 + (shift - 1) * t) for t in even]

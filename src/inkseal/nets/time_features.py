"""Times as vectors that networks can tell apart."""

import math

import torch
from torch import Tensor

TIME_FREQUENCIES = 128
SLOWEST = 10_000.0


def time_features(t_B: Tensor, count: int = TIME_FREQUENCIES) -> Tensor:
    """Returns cosines and sines of 1000·t at `count` frequencies from 1 down to 1/10000, [B, 2·count] float32.

    Source: Vaswani et al. 2017, section 3.5; the factor 1000: Peebles and Xie 2023, whose times are 0 to 1000.
    """
    frequencies = torch.exp(-math.log(SLOWEST) * torch.arange(count, device=t_B.device) / count)
    angles = 1000 * t_B.float()[:, None] * frequencies[None]
    return torch.cat([angles.cos(), angles.sin()], dim=1)

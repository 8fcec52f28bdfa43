"""Shifts, zooms and turns pictures at random, so that a network does not know them by where their pixels are."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def moved(pixels: "Tensor", shift: float, zoom: float, turn: float) -> "Tensor":
    """Returns pictures [B, 3, S, S] in [-1, 1], each moved in its own way; what comes into view is white.

    Args:
        pixels: the pictures.
        shift: greatest shift to each side, as a part of the side.
        zoom: greatest logarithm of the change of size.
        turn: greatest turn, in degrees.
    """
    import torch
    import torch.nn.functional as F

    from inkseal.nets.precision import in_full

    if not (shift or zoom or turn):
        return pixels
    draws = 2 * torch.rand(4, len(pixels)) - 1
    size, angle = torch.exp(zoom * draws[0]), math.radians(turn) * draws[1]
    cosine, sine = size * angle.cos(), size * angle.sin()
    rows = [[cosine, -sine, 2 * shift * draws[2]], [sine, cosine, 2 * shift * draws[3]]]
    places = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)
    with in_full(pixels.device.type):  # bfloat16 would miss a pixel by a tenth
        grid = F.affine_grid(places, list(pixels.shape), align_corners=False)
    # Places outside are read as 0, so white is made 0 before and 1 again afterwards.
    return F.grid_sample(pixels - 1, grid, align_corners=False) + 1

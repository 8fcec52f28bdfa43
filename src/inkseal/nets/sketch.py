"""Perceptron over a whole latent at once: how it should move, by the time, a caption's vectors and a style.

Here each weight counts once a picture, in a transformer once a patch: for the same weights a step costs a hundredth.
"""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from inkseal.nets.condition import PooledCondition
from inkseal.nets.shapes import DiffusionTransformerShape
from inkseal.nets.time_features import TIME_FREQUENCIES, time_features


class PerceptronLayer(nn.Module):
    """Adds an inner layer of twice the width to its input; the identity at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.inner = nn.Linear(width, 2 * width)
        self.out = nn.Linear(2 * width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x_BD: Tensor) -> Tensor:
        out: Tensor = x_BD + self.out(F.silu(self.inner(self.norm(x_BD))))
        return out


class Sketch(nn.Module):
    """What a caption's picture is as a whole: learned in minutes, and left to the transformer to work out.

    Says zero at first.
    """

    def __init__(self, shape: DiffusionTransformerShape) -> None:
        super().__init__()
        self.latent = (shape.channels, shape.side, shape.side)
        width = shape.sketch_width
        self.start = nn.Linear(math.prod(self.latent), width)
        self.time = nn.Linear(2 * TIME_FREQUENCIES, width)
        self.pooled = PooledCondition(shape, width)
        self.layers = nn.ModuleList(PerceptronLayer(width) for _ in range(shape.sketch_depth))
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.head = nn.Linear(width, math.prod(self.latent))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, z_t: Tensor, t: Tensor, condition: Tensor, mask: Tensor, style: Tensor) -> Tensor:
        """Takes what the transformer takes, and returns a velocity [B, C, H, W]."""
        x_BD = self.start(z_t.flatten(1)) + self.time(time_features(t)) + self.pooled(condition, mask, style)
        for layer in self.layers:
            x_BD = layer(x_BD)
        velocity: Tensor = self.head(self.norm(x_BD))
        return velocity.reshape(-1, *self.latent)

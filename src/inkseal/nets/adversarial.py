"""Conditional generative adversarial network: one net makes pictures, the other tells them from real ones."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from inkseal.nets.autoencoder import Decoder
from inkseal.nets.condition import PooledCondition
from inkseal.nets.shapes import ConditionalShape


class Generator(nn.Module):
    """Noise [B, noise_width] and a condition to pictures [B, 3, S, S] in [-1, 1].

    Source: Goodfellow et al. 2014; Mirza and Osindero 2014, "Conditional Generative Adversarial Nets".
    """

    def __init__(self, shape: ConditionalShape) -> None:
        super().__init__()
        self.shape = shape
        self.start_side = shape.side // 8
        self.condition = PooledCondition(shape, shape.condition_width)
        self.start = nn.Linear(shape.noise_width + shape.condition_width, shape.widths[2] * self.start_side**2)
        self.decoder = Decoder(shape.widths, shape.blocks, shape.groups, shape.condition_width)

    def forward(self, noise: Tensor, condition: Tensor, mask: Tensor, style: Tensor) -> Tensor:
        pooled = self.condition(condition, mask, style)
        start = self.start(torch.cat([noise, pooled], dim=1))
        grid = start.reshape(-1, self.shape.widths[2], self.start_side, self.start_side)
        return torch.tanh(self.decoder(grid, pooled))


class Discriminator(nn.Module):
    """Pictures [B, 3, S, S] and a condition to scores [B]; positive means real.

    The largest singular value of each layer's weights, kernels laid out flat, is kept at 1; the condition counts by its
    inner product with the picture's features.
    Source: Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks"; Miyato and Koyama 2018,
    "cGANs with Projection Discriminator", eq. 3.
    """

    def __init__(self, shape: ConditionalShape) -> None:
        super().__init__()
        low, middle, high = shape.widths
        self.layers = nn.ModuleList(
            spectral_norm(layer)
            for layer in (
                nn.Conv2d(12, low, 3, padding=1),
                nn.Conv2d(low, middle, 4, stride=2, padding=1),
                nn.Conv2d(middle, high, 4, stride=2, padding=1),
                nn.Conv2d(high, high, 3, padding=1),
            )
        )
        self.condition = PooledCondition(shape, high)
        self.score = spectral_norm(nn.Linear(high, 1))

    def forward(self, pixels: Tensor, condition: Tensor, mask: Tensor, style: Tensor) -> Tensor:
        hidden = F.pixel_unshuffle(pixels, 2)
        for layer in self.layers:
            hidden = F.leaky_relu(layer(hidden), 0.2)
        features = hidden.mean(dim=(2, 3))
        pooled = F.normalize(self.condition(condition, mask, style), dim=1)
        scores: Tensor = self.score(features)[:, 0] + (features * pooled).sum(1)
        return scores


def hinge_of_discriminator(real: Tensor, made: Tensor) -> Tensor:
    """Returns the discriminator's loss from its scores [B] of real and made pictures.

    Source: Lim and Ye 2017, "Geometric GAN"; Miyato et al. 2018, eq. 16.
    """
    return F.relu(1 - real).mean() + F.relu(1 + made).mean()


def hinge_of_generator(made: Tensor) -> Tensor:
    """Returns the generator's loss from the scores [B] of what it made.

    Source: Miyato et al. 2018, eq. 17.
    """
    return -made.mean()

"""Convolutional variational autoencoder: pictures to a small grid of latents and back; and its conditional variant.

Knows nothing of losses or training.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inkseal.nets.condition import PooledCondition
from inkseal.nets.shapes import AutoencoderShape, ConditionalShape

MIN_LOG_VARIANCE, MAX_LOG_VARIANCE = -20.0, 10.0


class ResidualBlock(nn.Module):
    """Two convolutions around which the input passes; a condition scales and shifts in between.

    Source: He et al. 2016, "Identity Mappings in Deep Residual Networks"; Perez et al. 2018, "FiLM".
    """

    def __init__(self, width: int, groups: int, condition_width: int = 0) -> None:
        super().__init__()
        self.norm_in = nn.GroupNorm(groups, width)
        self.conv_in = nn.Conv2d(width, width, 3, padding=1)
        self.norm_out = nn.GroupNorm(groups, width)
        self.conv_out = nn.Conv2d(width, width, 3, padding=1)
        for parameter in self.conv_out.parameters():
            nn.init.zeros_(parameter)  # a block begins as the identity, so depth costs nothing at first
        self.modulate = nn.Linear(condition_width, 2 * width) if condition_width else None

    def forward(self, x_BCHW: Tensor, condition_BD: Tensor | None = None) -> Tensor:
        hidden = self.norm_out(self.conv_in(F.silu(self.norm_in(x_BCHW))))
        if self.modulate is not None and condition_BD is not None:
            scale, shift = self.modulate(condition_BD)[:, :, None, None].chunk(2, dim=1)
            hidden = hidden * (1 + scale) + shift
        out: Tensor = x_BCHW + self.conv_out(F.silu(hidden))
        return out


class Encoder(nn.Module):
    """[B, 3, H, W] to [B, widths[2], H/8, W/8]."""

    def __init__(
        self, widths: tuple[int, int, int], blocks: tuple[int, int, int], groups: int, condition_width: int = 0
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, widths[0], 3, padding=1))
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths))
        self.levels = nn.ModuleList(
            nn.ModuleList(ResidualBlock(width, groups, condition_width) for _ in range(count))
            for width, count in zip(widths, blocks, strict=True)
        )

    def forward(self, pixels_B3HW: Tensor, condition_BD: Tensor | None = None) -> Tensor:
        hidden: Tensor = self.stem(pixels_B3HW)
        for index, level in enumerate(self.levels):
            if index:
                hidden = self.downs[index - 1](hidden)
            for block in level:  # type: ignore[attr-defined]
                hidden = block(hidden, condition_BD)
        return hidden


class Decoder(nn.Module):
    """[B, widths[2], H/8, W/8] to [B, 3, H, W].

    Grows by sub-pixel convolution, which makes no checkerboard of unequal overlaps and works at low resolution.
    Source: Shi et al. 2016, "Real-Time Single Image … Using an Efficient Sub-Pixel Convolutional Neural Network".
    """

    def __init__(
        self, widths: tuple[int, int, int], blocks: tuple[int, int, int], groups: int, condition_width: int = 0
    ) -> None:
        super().__init__()
        upwards = widths[::-1]
        self.ups = nn.ModuleList(nn.Conv2d(a, 4 * b, 1) for a, b in pairwise(upwards))
        self.levels = nn.ModuleList(
            nn.ModuleList(ResidualBlock(width, groups, condition_width) for _ in range(count))
            for width, count in zip(upwards, blocks[::-1], strict=True)
        )
        self.norm = nn.GroupNorm(groups, widths[0])
        self.head = nn.Conv2d(widths[0], 12, 3, padding=1)

    def forward(self, hidden_BCHW: Tensor, condition_BD: Tensor | None = None) -> Tensor:
        hidden = hidden_BCHW
        for index, level in enumerate(self.levels):
            if index:
                hidden = F.pixel_shuffle(self.ups[index - 1](hidden), 2)
            for block in level:  # type: ignore[attr-defined]
                hidden = block(hidden, condition_BD)
        return F.pixel_shuffle(self.head(F.silu(self.norm(hidden))), 2)


def sample_posterior(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Returns a draw from N(mean, exp(log_variance)) through which gradients flow.

    Source: Kingma and Welling 2014, "Auto-Encoding Variational Bayes", section 2.4.
    """
    return mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Returns KL(N(mean, exp(log_variance)) ‖ N(0, 1)) of every element, in nats, same shape.

    Source: Kingma and Welling 2014, appendix B.
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


class Autoencoder(nn.Module):
    """Pictures [B, 3, H, W] in [-1, 1] to latents [B, C, H/8, W/8] and back.

    Source: Kingma and Welling 2014; Rombach et al. 2022, "High-Resolution Image
    Synthesis with Latent Diffusion Models".
    """

    def __init__(self, shape: AutoencoderShape) -> None:
        super().__init__()
        self.encoder = Encoder(shape.widths, shape.encoder_blocks, shape.groups)
        self.to_latent = nn.Conv2d(shape.widths[2], 2 * shape.latent_channels, 1)
        self.from_latent = nn.Conv2d(shape.latent_channels, shape.widths[2], 3, padding=1)
        self.decoder = Decoder(shape.widths, shape.decoder_blocks, shape.groups)

    def encode(self, pixels_B3HW: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the mean and the logarithm of the variance of the latent, each [B, C, H/8, W/8]."""
        mean, log_variance = self.to_latent(self.encoder(pixels_B3HW)).float().chunk(2, dim=1)
        return mean, log_variance.clamp(MIN_LOG_VARIANCE, MAX_LOG_VARIANCE)

    def decode(self, latent_BCHW: Tensor) -> Tensor:
        """Returns pictures [B, 3, H, W]; values may leave [-1, 1] a little."""
        pixels: Tensor = self.decoder(self.from_latent(latent_BCHW))
        return pixels

    def forward(self, pixels_B3HW: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the picture decoded from a drawn latent, and the mean and log-variance it was drawn from."""
        mean, log_variance = self.encode(pixels_B3HW)
        return self.decode(sample_posterior(mean, log_variance)), mean, log_variance


class ConditionalAutoencoder(nn.Module):
    """A picture given its caption as one latent vector z: N(0, 1) when nobody shows a picture.

    Source: Sohn, Lee and Yan 2015, "Learning Structured Output Representation using Deep Conditional Generative
    Models".
    """

    def __init__(self, shape: ConditionalShape) -> None:
        super().__init__()
        self.shape = shape
        self.start_side = shape.side // 8
        start_size = shape.widths[2] * self.start_side**2
        self.condition = PooledCondition(shape, shape.condition_width)
        self.encoder = Encoder(shape.widths, shape.blocks, shape.groups, shape.condition_width)
        self.to_latent = nn.Linear(start_size, 2 * shape.noise_width)
        self.from_latent = nn.Linear(shape.noise_width + shape.condition_width, start_size)
        self.decoder = Decoder(shape.widths, shape.blocks, shape.groups, shape.condition_width)

    def encode(self, pixels_B3HW: Tensor, condition_BD: Tensor) -> tuple[Tensor, Tensor]:
        """Returns mean and log-variance of z, each [B, noise_width]."""
        hidden = self.encoder(pixels_B3HW, condition_BD).flatten(1)
        mean, log_variance = self.to_latent(hidden).float().chunk(2, dim=1)
        return mean, log_variance.clamp(MIN_LOG_VARIANCE, MAX_LOG_VARIANCE)

    def decode(self, latent_BZ: Tensor, condition_BD: Tensor) -> Tensor:
        """Returns pictures [B, 3, H, W] from z and the pooled condition."""
        start = self.from_latent(torch.cat([latent_BZ, condition_BD], dim=1))
        grid = start.reshape(-1, self.shape.widths[2], self.start_side, self.start_side)
        pixels: Tensor = self.decoder(grid, condition_BD)
        return pixels

    def generate(self, latent_BZ: Tensor, condition: Tensor, mask: Tensor, style: Tensor) -> Tensor:
        """Returns pictures [B, 3, H, W] for a condition as in `DiffusionTransformer.forward`."""
        return self.decode(latent_BZ, self.condition(condition, mask, style))

    def forward(
        self, pixels_B3HW: Tensor, condition: Tensor, mask: Tensor, style: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the picture decoded from a drawn z, and mean and log-variance of z."""
        pooled = self.condition(condition, mask, style)
        mean, log_variance = self.encode(pixels_B3HW, pooled)
        return self.decode(sample_posterior(mean, log_variance), pooled), mean, log_variance

"""Diffusion transformer: says how a noisy latent should move, given the time, a caption's vectors and a style.

Caption vectors join the picture's patches in one sequence, so that every block can let them look at one another.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inkseal.nets.condition import PooledCondition
from inkseal.nets.noise_schedules import linear_velocity
from inkseal.nets.shapes import DiffusionTransformerShape
from inkseal.nets.sketch import Sketch
from inkseal.nets.time_features import SLOWEST, TIME_FREQUENCIES, time_features

HIDDEN = -1e4
"""Takes the place of the product with a hidden place; its exponential is 0 in every precision."""


def grid_features(side: int, width: int) -> Tensor:
    """Returns fixed positions [side², width]: sines and cosines of the row in one half, of the column in the other.

    Source: Vaswani et al. 2017, section 3.5, for each axis; as in Peebles and Xie 2023.
    """
    quarter = width // 4
    frequencies = torch.exp(-math.log(SLOWEST) * torch.arange(quarter) / quarter)
    angles = torch.arange(side)[:, None] * frequencies[None]
    axis = torch.cat([angles.sin(), angles.cos()], dim=1)
    rows = axis[:, None].expand(side, side, 2 * quarter)
    columns = axis[None].expand(side, side, 2 * quarter)
    return F.pad(torch.cat([rows, columns], dim=2).flatten(0, 1), (0, width - 4 * quarter))


class Attention(nn.Module):
    """Multi-head attention of a sequence to itself, [B, T, D]; `mask` [B, 1, 1, T] is True where one may look.

    Queries and keys are normalised, which keeps their products small in low precision.
    Source: Vaswani et al. 2017, eq. 1; Dehghani et al. 2023, "Scaling Vision Transformers to 22 Billion Parameters".
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.query_norm = nn.LayerNorm(width // heads, eps=1e-6, bias=False)
        self.key_norm = nn.LayerNorm(width // heads, eps=1e-6, bias=False)
        self.out = nn.Linear(width, width)

    def forward(self, x_BTD: Tensor, mask: Tensor | None = None) -> Tensor:
        num_rows, num_tokens = x_BTD.shape[:2]
        split = self.qkv(x_BTD).reshape(num_rows, num_tokens, 3, self.heads, -1)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        query, key = self.query_norm(query).to(value.dtype), self.key_norm(key).to(value.dtype)
        # Written out: on processors, for sequences this short, the fused kernel's gradient takes a third longer.
        products = query @ key.transpose(2, 3) * query.shape[-1] ** -0.5
        if mask is not None:
            products = products.masked_fill(~mask, HIDDEN)
        seen = products.softmax(3).to(value.dtype) @ value
        out: Tensor = self.out(seen.transpose(1, 2).flatten(2))
        return out


class SquaredReLU(nn.Module):
    """Takes a tenth off a step on a processor, where the gradient of GELU is slow.

    Source: So et al. 2021, "Primer: Searching for Efficient Transformers for Language Modeling", section 4.
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x).square()


class Block(nn.Module):
    """Attention and an inner layer, each scaled, shifted and gated by what all blocks share and by offsets of its own.

    Source: Peebles and Xie 2023, "Scalable Diffusion Models with Transformers", section 3.2, adaLN; shared by all
    blocks: Chen et al. 2024, "PixArt-α", section 2.3, adaLN-single.
    """

    def __init__(self, width: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        inner = int(width * mlp_ratio)
        self.norm_attention = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.attention = Attention(width, heads)
        self.norm_mlp = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(width, inner), SquaredReLU(), nn.Linear(inner, width))
        self.offsets = nn.Parameter(torch.zeros(6 * width))

    def forward(self, x_BTD: Tensor, steering_BS: Tensor, mask: Tensor | None = None) -> Tensor:
        """Takes shifts, scales and gates side by side, S = 6·D; the identity when they are zero."""
        steering = (steering_BS + self.offsets)[:, None]
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = steering.chunk(6, dim=2)
        x_BTD = x_BTD + gate_a * self.attention(self.norm_attention(x_BTD) * (1 + scale_a) + shift_a, mask)
        out: Tensor = x_BTD + gate_m * self.mlp(self.norm_mlp(x_BTD) * (1 + scale_m) + shift_m)
        return out


class DiffusionTransformer(nn.Module):
    """The sum of three velocities: the best linear one, a sketch's, and that of blocks, which know the sketch's.

    At first only the linear one is there. Without blocks (a depth of 0) it is a sketch alone.
    Source: Peebles and Xie 2023; words in the sequence: Esser et al. 2024, "Scaling Rectified Flow Transformers".
    """

    def __init__(self, shape: DiffusionTransformerShape) -> None:
        super().__init__()
        self.shape = shape
        if shape.sketch_width:
            self.sketch = Sketch(shape)
        if not shape.depth:
            return
        self.grid = shape.side // shape.patch
        patch_size = shape.channels * shape.patch**2
        self.patches = nn.Linear(patch_size, shape.width)
        self.words = nn.Linear(shape.text_width, shape.width)
        self.word_places = nn.Parameter(torch.randn(shape.num_tokens, shape.width) * 0.02)
        self.register_buffer("places", grid_features(self.grid, shape.width), persistent=False)
        self.time = nn.Sequential(
            nn.Linear(2 * TIME_FREQUENCIES, shape.width), nn.SiLU(), nn.Linear(shape.width, shape.width)
        )
        self.pooled = PooledCondition(shape, shape.width)
        self.steering = nn.Linear(shape.width, 6 * shape.width)
        self.blocks = nn.ModuleList(Block(shape.width, shape.heads, shape.mlp_ratio) for _ in range(shape.depth))
        self.norm = nn.LayerNorm(shape.width, elementwise_affine=False, eps=1e-6)
        self.modulation = nn.Linear(shape.width, 2 * shape.width)
        self.head = nn.Linear(shape.width, patch_size)
        if shape.sketch_width:
            self.sketched = nn.Linear(patch_size, shape.width)
        for layer in (self.steering, self.modulation, self.head):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, z_t: Tensor, t: Tensor, condition: Tensor, mask: Tensor, style: Tensor) -> Tensor:
        """Returns the velocity, [B, C, H, W].

        Args:
            z_t: noisy latent [B, C, H, W]; latents have a variance of 1.
            t: times [B] in [0, 1]; 1 is noise.
            condition: [B, 9, text_width], the whole caption's vector and its words'.
            mask: [B, 9] bool, True where there is a vector. All False, with style 0, means: no condition.
            style: [B] int64; 0 is any.
        """
        return self.velocities(z_t, t, condition, mask, style)[0]

    def velocities(
        self, z_t: Tensor, t: Tensor, condition: Tensor, mask: Tensor, style: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Returns the velocity, and the rough one that it adds the blocks' to; takes what `forward` takes."""
        rough = linear_velocity(z_t, t)
        sketched: Tensor | None = None
        if self.shape.sketch_width:
            sketched = self.sketch(z_t, t, condition, mask, style)
            rough = rough + sketched
        if not self.shape.depth:
            return rough, rough
        return rough + self._of_blocks(z_t, sketched, t, condition, mask, style), rough

    def _of_blocks(
        self, z_t: Tensor, sketched: Tensor | None, t: Tensor, condition: Tensor, mask: Tensor, style: Tensor
    ) -> Tensor:
        x_BTD = self.patches(self.to_patches(z_t)) + self.places
        if sketched is not None:
            x_BTD = x_BTD + self.sketched(self.to_patches(sketched))
        # Unit vectors of 512 numbers are small numbers; the network expects about one.
        words = self.words(condition * condition.shape[-1] ** 0.5) + self.word_places
        num_patches = x_BTD.shape[1]
        x_BTD = torch.cat([x_BTD, words.to(x_BTD.dtype)], dim=1)
        visible = torch.cat([mask.new_ones(len(mask), num_patches), mask], dim=1)[:, None, None]
        global_BD = F.silu(self.time(time_features(t)) + self.pooled(condition, mask, style))
        steering_BS = self.steering(global_BD)
        for block in self.blocks:
            x_BTD = block(x_BTD, steering_BS, visible)
        shift, scale = self.modulation(global_BD)[:, None].chunk(2, dim=2)
        return self.from_patches(self.head(self.norm(x_BTD[:, :num_patches]) * (1 + scale) + shift))

    def to_patches(self, z: Tensor) -> Tensor:
        """Returns [B, C, H, W] as [B, T, C·patch²], rows first."""
        return F.pixel_unshuffle(z, self.shape.patch).flatten(2).transpose(1, 2)

    def from_patches(self, x_BTP: Tensor) -> Tensor:
        """Undoes `to_patches`."""
        grid = x_BTP.transpose(1, 2).reshape(len(x_BTP), -1, self.grid, self.grid)
        return F.pixel_shuffle(grid, self.shape.patch)

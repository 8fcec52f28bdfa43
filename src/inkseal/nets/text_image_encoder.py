"""Two towers into one space, so that pictures and captions can be compared: to search, to score, to pick the best."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inkseal.nets.autoencoder import Encoder
from inkseal.nets.precision import in_full
from inkseal.nets.shapes import TextImageShape

FIRST_TEMPERATURE = 0.07
GREATEST_SCALE = 100.0
SAME_TEXT = 0.99
"""Cosine from which two captions count as saying the same."""


class TextImageEncoder(nn.Module):
    """A small convolutional tower for pictures; a small perceptron over multilingual text vectors.

    Source: Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision".
    """

    def __init__(self, shape: TextImageShape) -> None:
        super().__init__()
        self.pictures = Encoder(shape.widths, shape.blocks, shape.groups)
        self.norm = nn.GroupNorm(shape.groups, shape.widths[2])
        self.from_picture = nn.Linear(2 * shape.widths[2], shape.shared_width)
        inner = 2 * shape.shared_width
        self.texts = nn.Sequential(nn.Linear(shape.text_width, inner), nn.GELU(), nn.Linear(inner, shape.shared_width))
        self.text_scale = shape.text_width**0.5
        self.log_scale = nn.Parameter(torch.tensor(-math.log(FIRST_TEMPERATURE)))

    def encode_pictures(self, pixels_B3HW: Tensor) -> Tensor:
        """Returns unit vectors [B, D] of pictures in [-1, 1]."""
        hidden = F.silu(self.norm(self.pictures(pixels_B3HW))).float()
        pooled = torch.cat([hidden.mean(dim=(2, 3)), hidden.amax(dim=(2, 3))], dim=1)
        return F.normalize(self.from_picture(pooled).float(), dim=1)

    def encode_texts(self, vectors_BT: Tensor) -> Tensor:
        """Returns unit vectors [B, D] of text vectors [B, text_width]."""
        return F.normalize(self.texts(vectors_BT * self.text_scale).float(), dim=1)

    def forward(self, pixels_B3HW: Tensor, vectors_BT: Tensor) -> Tensor:
        """Returns scaled cosines [B, B] of all pictures (rows) with all texts (columns)."""
        pictures, texts = self.encode_pictures(pixels_B3HW), self.encode_texts(vectors_BT)
        with in_full(pictures.device.type):  # scaled cosines need more than bfloat16's digits
            scale = self.log_scale.exp().clamp(max=GREATEST_SCALE)
            return scale * pictures @ texts.T


def contrastive_loss(logits_BB: Tensor, vectors_BT: Tensor) -> Tensor:
    """Returns the mean of both directions' cross-entropies; each picture's own text is the right one, and reversed.

    Texts that say the same as the right one are left out of the wrong ones: many pictures here share a caption.
    Source: Radford et al. 2021, figure 3.
    """
    with in_full(logits_BB.device.type):
        cosines = F.normalize(vectors_BT, dim=1) @ F.normalize(vectors_BT, dim=1).T
    same = (cosines > SAME_TEXT) & ~torch.eye(len(logits_BB), dtype=torch.bool, device=logits_BB.device)
    logits = logits_BB.masked_fill(same, -torch.inf)
    right = torch.arange(len(logits), device=logits.device)
    return 0.5 * (F.cross_entropy(logits, right) + F.cross_entropy(logits.T, right))

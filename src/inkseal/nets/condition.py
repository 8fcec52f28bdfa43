"""What a picture is made from, as one vector: the caption's embedding, its words, and the style."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inkseal.nets.shapes import ConditionShape


class PooledCondition(nn.Module):
    """condition [B, T, text_width], mask [B, T] bool, style [B] int to one vector [B, width].

    The caption (token 0) and the mean of its words come in side by side; what the mask hides counts as zero.
    """

    def __init__(self, shape: ConditionShape, width: int) -> None:
        super().__init__()
        self.text = nn.Linear(2 * shape.text_width, width)
        self.style = nn.Embedding(shape.num_styles, width)
        self.out = nn.Linear(width, width)

    def forward(self, condition: Tensor, mask: Tensor, style: Tensor) -> Tensor:
        seen = mask.unsqueeze(-1).to(condition.dtype)
        shown = condition * seen
        words = shown[:, 1:].sum(1) / seen[:, 1:].sum(1).clamp(min=1)
        # Unit vectors of 512 numbers are small numbers; the networks expect about one.
        text = torch.cat([shown[:, 0], words], dim=1) * condition.shape[-1] ** 0.5
        pooled: Tensor = self.out(F.silu(self.text(text) + self.style(style)))
        return pooled

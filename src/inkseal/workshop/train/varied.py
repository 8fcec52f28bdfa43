"""Varies training examples, so that a network learns less of a small dataset by heart."""

import re
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from inkseal.workshop.train.picture_batches import Condition, Pictures

if TYPE_CHECKING:
    from torch import Tensor

SIDED = re.compile(
    r"\b(left|right|leftwards|rightwards|(anti|counter)?clockwise|o.clock|thirty|flag|button|letter|number|keycap|arrow)"
    r"\b|[左右旗]|点钟|点半|字母|按钮|箭头",
    re.IGNORECASE,
)
"""Words of captions that are no longer true of a mirrored picture."""


def may_mirror(data: Pictures) -> npt.NDArray[np.bool_]:
    """Returns [N] True for pictures of whose captions none tells left from right."""
    return np.array(
        [not any(SIDED.search(text) for texts in row.captions.values() for text in texts) for row in data.rows],
        np.bool_,
    )


def vary_condition(seen: Condition, rng: np.random.Generator, hidden: float, noise: float) -> Condition:
    """Hides single text vectors in a part `hidden` of them, and turns the others a little, unit vectors as before.

    A caption keeps one vector at least. `noise` is the length of what is added to a unit vector in a random direction:
    captions that mean nearly the same are then drawn alike.
    """
    import torch
    from torch.nn.functional import normalize

    keep = seen.mask & torch.from_numpy(rng.random(seen.mask.shape) >= hidden)
    mask = torch.where(keep.any(1, keepdim=True), keep, seen.mask)
    random = torch.from_numpy(rng.standard_normal(seen.tokens.shape, np.float32))
    tokens: Tensor = normalize(seen.tokens + noise * normalize(random, dim=2), dim=2) * mask[:, :, None]
    return Condition(tokens, mask, seen.style)

"""How often a picture is nearer to its own caption than to those of others."""

from math import comb
from typing import ClassVar, Literal

import numpy as np

from inkseal.core.types import Columns, Score

NUM_WRONG = 99


class RetrievalPrecision:
    """The part of pictures whose own caption beats 99 others; a guess gets one in a hundred.

    Nothing is drawn: each picture counts with the chance that 99 captions drawn from the others all lose.
    Source: Xu et al. 2018, "AttnGAN", section 4 (R-precision against 99 mismatched captions).
    """

    name: ClassVar[str] = "retrieval_precision"
    better: ClassVar[Literal["higher", "lower"]] = "higher"
    reads: ClassVar[frozenset[str]] = frozenset({"features", "text_features", "captions"})
    compares: ClassVar[frozenset[str]] = frozenset()

    def score(self, made: Columns, real: Columns) -> Score:
        """Returns the part; against all other captions where there are fewer than 99. Equal captions are no others."""
        captions = np.asarray(made["captions"])
        cosines = np.asarray(made["features"]) @ np.asarray(made["text_features"]).T
        chances = []
        for row, own in enumerate(captions):
            others = cosines[row, captions != own]
            winning = int((others >= cosines[row, row]).sum())
            drawn = min(NUM_WRONG, len(others))
            chances.append(comb(len(others) - winning, drawn) / comb(len(others), drawn))
        return Score(value=float(np.mean(chances)) if chances else 0.0, num_rows=len(captions))

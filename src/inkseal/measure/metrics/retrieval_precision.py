"""How often a picture is nearer to its own caption than to those of others."""

from math import comb
from typing import ClassVar, Literal

import numpy as np

from inkseal.core.types import Columns, Score
from inkseal.measure.rows import require_rows

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
        require_rows(made, self.reads)
        _, first, own = np.unique(np.asarray(made["captions"]), return_index=True, return_inverse=True)
        # A caption that several pictures have stands once among the wrong ones.
        cosines = np.asarray(made["features"]) @ np.asarray(made["text_features"])[first].T
        num_wrong = len(first) - 1
        drawn = min(NUM_WRONG, num_wrong)
        chances = []
        for row, mine in zip(cosines, own, strict=True):
            winning = int((~(row < row[mine])).sum()) - 1  # so that what is no number loses
            chances.append(comb(num_wrong - winning, drawn) / comb(num_wrong, drawn))
        return Score(value=float(np.mean(chances)), num_rows=len(own))

"""How far made pictures are from the nearest picture that the model was trained on."""

from typing import ClassVar, Literal

import numpy as np

from inkseal.core.types import Columns, Score
from inkseal.measure.rows import require_rows

ROWS_AT_ONCE = 256


class NearestDistance:
    """Median root-mean-square distance of colours to the nearest training picture; 0 for a model that copies.

    To be read beside the same figure of real pictures that were held out: well below it, a model remembers.
    """

    name: ClassVar[str] = "nearest_distance"
    better: ClassVar[Literal["higher", "lower"]] = "higher"
    reads: ClassVar[frozenset[str]] = frozenset({"pixels"})
    compares: ClassVar[frozenset[str]] = frozenset({"pixels"})

    def score(self, made: Columns, real: Columns) -> Score:
        """Returns the median in the unit of the pixels; `real` are the pictures of the training."""
        require_rows(made, self.reads)
        require_rows(real, self.compares)
        rows, known = (np.asarray(columns["pixels"], np.float32) for columns in (made, real))
        rows, known = rows.reshape(len(rows), -1), known.reshape(len(known), -1)
        lengths = np.einsum("ij,ij->i", known, known)
        nearest = []
        for start in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[start : start + ROWS_AT_ONCE]
            squared = np.einsum("ij,ij->i", part, part)[:, None] + lengths - 2 * part @ known.T
            # The sum of large terms loses digits: what is nearest is measured again.
            gaps = part - known[squared.argmin(axis=1)]
            nearest.append(np.sqrt((gaps**2).mean(axis=1)))
        return Score(value=float(np.median(np.concatenate(nearest))), num_rows=len(rows))

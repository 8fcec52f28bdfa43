"""How far made pictures are from the nearest picture that the model was trained on."""

from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from inkseal.core.types import Columns, Score
from inkseal.measure.rows import require_rows

ROWS_AT_ONCE = 256
Array = npt.NDArray[Any]


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
        found = nearest_distances(np.asarray(made["pixels"]), np.asarray(real["pixels"]))
        return Score(value=float(np.median(found)), num_rows=len(found))


def nearest_distances(rows: Array, known: Array) -> Array:
    """Returns each row's root-mean-square distance to the nearest known one: [N, …], [M, …] → [N]."""
    rows, known = (part.reshape(len(part), -1).astype(np.float32) for part in (rows, known))
    lengths = np.einsum("ij,ij->i", known, known)
    nearest = []
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        squared = np.einsum("ij,ij->i", part, part)[:, None] + lengths - 2 * part @ known.T
        # The sum of large terms loses digits: what is nearest is measured again.
        gaps = part - known[squared.argmin(axis=1)]
        nearest.append(np.sqrt((gaps**2).mean(axis=1)))
    return np.concatenate(nearest)

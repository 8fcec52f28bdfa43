"""How different the pictures are that were made for one and the same caption."""

from typing import ClassVar, Literal

import numpy as np

from inkseal.core.types import Columns, Score
from inkseal.measure.rows import require_rows


class Diversity:
    """Mean cosine distance of the features of two pictures of one caption; 0 when a model makes always the same.

    Source: Zhu et al. 2017, "Toward Multimodal Image-to-Image Translation", section 5, with another feature space.
    """

    name: ClassVar[str] = "diversity"
    better: ClassVar[Literal["higher", "lower"]] = "higher"
    reads: ClassVar[frozenset[str]] = frozenset({"features", "captions"})
    compares: ClassVar[frozenset[str]] = frozenset()

    def score(self, made: Columns, real: Columns) -> Score:
        """Returns the mean over captions that have two pictures or more; each caption counts alike."""
        require_rows(made, self.reads)
        captions, features = np.asarray(made["captions"]), np.asarray(made["features"], np.float64)
        features = features / np.linalg.norm(features, axis=1, keepdims=True).clip(1e-12)
        found = []
        for caption in np.unique(captions):
            mine = features[captions == caption]
            if len(mine) > 1:
                pairs = np.triu_indices(len(mine), 1)
                found.append(1 - (mine @ mine.T)[pairs].mean())
        return Score(value=float(np.mean(found)) if found else 0.0, num_rows=len(captions))

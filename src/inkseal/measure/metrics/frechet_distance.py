"""How far the made pictures, as a crowd, are from the real ones."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from inkseal.core.language import say
from inkseal.core.types import Columns, Score
from inkseal.measure.rows import require_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS_PER_WIDTH = 10
"""With fewer rows than so many times the features' width, the covariance's error is not small beside the distance."""


class FrechetDistance:
    """Squared distance of two Gaussians fitted to features: ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½).

    Source: Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule", section 3; Dowson and Landau 1982.
    """

    name: ClassVar[str] = "frechet_distance"
    better: ClassVar[Literal["higher", "lower"]] = "lower"
    reads: ClassVar[frozenset[str]] = frozenset({"features"})
    compares: ClassVar[frozenset[str]] = frozenset({"features"})

    def score(self, made: Columns, real: Columns) -> Score:
        """Returns the distance; warns when there are few rows, since it is then too large."""
        require_rows(made, self.reads)
        require_rows(real, self.compares)
        rows = [np.asarray(columns["features"], np.float64) for columns in (made, real)]
        (mean, spread), (real_mean, real_spread) = (_moments(found) for found in rows)
        shift = float(((mean - real_mean) ** 2).sum())
        root = _root(spread)
        crossed = np.linalg.eigvalsh(root @ real_spread @ root).clip(0)
        distance = shift + float(np.trace(spread) + np.trace(real_spread) - 2 * np.sqrt(crossed).sum())
        fewest, width = min(map(len, rows)), rows[0].shape[1]
        return Score(value=max(distance, 0.0), num_rows=len(rows[0]), warning=_few(fewest, width))


def _moments(rows: "NDArray[Any]") -> "tuple[NDArray[Any], NDArray[Any]]":
    mean = rows.mean(axis=0)
    centred = rows - mean
    return mean, centred.T @ centred / max(len(rows) - 1, 1)


def _root(matrix: "NDArray[Any]") -> "NDArray[Any]":
    """Returns the symmetric root of a symmetric matrix without negative eigenvalues but for rounding."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(values.clip(0)) @ vectors.T)


def _few(num_rows: int, width: int) -> str:
    if num_rows >= ROWS_PER_WIDTH * width:
        return ""
    return say(
        f"{num_rows} pictures are few for {width} features: the distance is too large. Compare it only with distances "
        "of as many pictures.",
        f"{num_rows} 张图片对 {width} 维特征而言偏少，距离偏大，只宜与同样数量图片的距离相比较。",
    )

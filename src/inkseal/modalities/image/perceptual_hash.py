"""Difference hash of pictures: near-equal pictures have near-equal hashes, whatever their size or compression.

Knows brightness only: a red heart and a blue one hash alike, so callers compare colours beside it.
"""

import numpy as np
import numpy.typing as npt

_ROWS, _COLUMNS = 8, 9
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def difference_hashes(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """Returns the 64-bit difference hashes [N] of pictures [N, 3, H, W]: is each cell brighter than the next?

    Source: Krawetz 2013, "Kind of like that" (dHash).
    """
    grey = np.einsum("nchw,c->nhw", pixels.astype(np.float32), _LUMA)
    cells = _cell_means(_cell_means(grey, _ROWS, axis=1), _COLUMNS, axis=2)
    # Differences within rounding are no edge: a flat ground must not hash to noise.
    bits = (cells[:, :, 1:] - cells[:, :, :-1] > 0.5).reshape(len(pixels), _ROWS * (_COLUMNS - 1))
    powers = np.uint64(1) << np.arange(_ROWS * (_COLUMNS - 1), dtype=np.uint64)
    return np.asarray((bits * powers).sum(axis=1), np.uint64)


def distances(hashes: npt.NDArray[np.uint64], other: np.uint64) -> npt.NDArray[np.uint8]:
    """Returns how many of 64 bits each of the hashes [N] differs in from another."""
    return np.asarray(np.bitwise_count(hashes ^ other))


def _cell_means(grey: npt.NDArray[np.float32], num_cells: int, axis: int) -> npt.NDArray[np.float32]:
    """Returns the means over `num_cells` equal stretches of an axis, whose edges may cut pixels."""
    size = grey.shape[axis]
    edges = np.linspace(0, size, num_cells + 1)
    places = np.arange(size)
    share = np.clip(np.minimum(edges[1:, None], places + 1) - np.maximum(edges[:-1, None], places), 0, 1)
    weights = (share / share.sum(axis=1, keepdims=True)).astype(np.float32)
    return np.moveaxis(np.tensordot(grey, weights, axes=([axis], [1])), -1, axis)

"""Finds pictures that repeat an earlier one: alike in their edges (difference hash) and in every colour."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inkseal.modalities.image.perceptual_hash import difference_hashes, distances

NEAR_BITS = 4
NEAR_DIFFERENCE = 6.0
"""Mean absolute difference of 8-bit channels, between pictures of one concept."""
SAME_DIFFERENCE = 1.5
"""The same, between pictures of different concepts: a face that only blinks is another emoji."""
BLANK_SPREAD = 4.0
_LEAST_INK = 0.012


def is_blank(picture: npt.NDArray[np.uint8]) -> bool:
    """Returns True for a picture [3, H, W] in which next to nothing differs from its white ground."""
    ink = (picture.min(axis=0) < 235).mean()
    return bool(ink < _LEAST_INK or picture.std() < BLANK_SPREAD)


def repeats(pixels: npt.NDArray[np.uint8], concepts: Sequence[str]) -> dict[int, int]:
    """Returns place → earlier place that it repeats, for pictures [N, 3, H, W]; earlier places are kept ones."""
    hashes = difference_hashes(pixels)
    found: dict[int, int] = {}
    kept = np.ones(len(pixels), dtype=bool)
    for place in range(1, len(pixels)):
        near = np.flatnonzero((distances(hashes[:place], hashes[place]) <= NEAR_BITS) & kept[:place])
        mine = pixels[place].astype(np.int16)
        for other in map(int, near):
            difference = float(np.abs(pixels[other].astype(np.int16) - mine).mean())
            if difference < (NEAR_DIFFERENCE if concepts[other] == concepts[place] else SAME_DIFFERENCE):
                found[place] = other
                kept[place] = False
                break
    return found

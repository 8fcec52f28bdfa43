"""Which words and short runs of words a text has, as hashed places: what a sentence embedding blurs.

Knows nothing of order beyond three words in a row; spellings that were never seen fall anywhere.
Source: Weinberger et al. 2009, feature hashing.
"""

import re
import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUM_PLACES = 16_384
_WORD = re.compile(r"[a-z']+|\d+|[\u4e00-\u9fff]|[^\sa-z\d\u4e00-\u9fff]")
_SIGN = 1 << 20


def words_of(text: str) -> set[str]:
    """Returns the single words, pairs and triples of a text; a Chinese character is a word, and so is a mark."""
    words = _WORD.findall(text.lower())
    triples = zip(words, words[1:], words[2:], strict=False)
    return {*words, *(" ".join(pair) for pair in pairwise(words)), *(" ".join(three) for three in triples)}


def places_of(texts: Sequence[str]) -> "tuple[NDArray[Any], NDArray[Any], NDArray[Any]]":
    """Returns the (N,) places and signed values of all texts' words, and the (B,) start of each text among them.

    The values of a text have length one; a text without words has a value of zero.
    """
    import numpy as np

    places: list[int] = []
    values: list[float] = []
    starts: list[int] = []
    for text in texts:
        starts.append(len(places))
        # Sorted, so that sums come out equal to the last bit in every process.
        hashes = sorted(zlib.crc32(word.encode("utf-8", "replace")) for word in words_of(text))
        size = len(hashes) ** -0.5 if hashes else 0.0
        places += [code % NUM_PLACES for code in hashes] or [0]
        values += [size if code & _SIGN else -size for code in hashes] or [0.0]
    return np.asarray(places, np.int64), np.asarray(values, np.float32), np.asarray(starts, np.int64)


def words_score(weights: "NDArray[Any]", texts: Sequence[str]) -> "NDArray[Any]":
    """Returns the (B,) sums of the weights (NUM_PLACES,) of the texts' words."""
    import numpy as np

    places, values, starts = places_of(texts)
    if not len(starts):
        return np.zeros(0, np.float32)
    return np.asarray(np.add.reduceat(weights[places] * values, starts), np.float32)

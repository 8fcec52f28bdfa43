"""Lets candidates win secret tournaments; a marked text has won too many. Tokens keep their probability on average.

Needs chance: where the model is sure of the next token there is nothing to choose, so such texts carry little.
Source: Dathathri et al. 2024, "Scalable watermarking for identifying large language model outputs", Nature 634.
"""

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from inkseal.core.protocols import Tilt
from inkseal.core.types import WatermarkScore
from inkseal.formats.watermarks._keyed import KeyedWords, Tokens, Words


class Synthid:
    """Draws each token by a tournament of secret coin tosses (SynthID-Text, Dathathri et al. 2024).

    Two candidates per match, a fresh bit of each token in each round; a context steers once in an answer.

    Args:
        ngram: the token and what it is drawn after, in tokens.
        depth: rounds.
    """

    name: ClassVar[str] = "synthid"
    works_greedily: ClassVar[bool] = False

    def __init__(self, key: bytes, *, ngram: int = 5, depth: int = 30) -> None:
        self._width, self._depth = ngram - 1, depth
        self._words = KeyedWords(key, "synthid")
        # The paper's weights for its weighted mean: early rounds move a token's probability most.
        weights = np.linspace(10, 1, depth)
        self._weights = weights / weights.sum()

    def facts(self) -> dict[str, str | int | float]:
        """Returns the public parameters."""
        return {"ngram": self._width + 1, "depth": self._depth}

    def begin(self) -> Tilt:
        """Returns the tilt of one answer; the first tokens, whose context is not in it, are left alone."""
        seen: set[tuple[int, ...]] = set()

        def tilt(answer: Sequence[int], tokens: Tokens, probabilities: np.ndarray) -> np.ndarray:
            context = tuple(answer[-self._width :])
            if len(context) < self._width or context in seen:
                return probabilities
            seen.add(context)
            return tournament(probabilities, self._bits(self._words.of(context, tokens)))

        return tilt

    def _bits(self, words: Words) -> np.ndarray:
        """Returns the bit of each token in each round, [C, depth]."""
        return (words[:, None] >> np.arange(self._depth, dtype=np.uint32)) & 1

    def score(self, ids: Sequence[int]) -> WatermarkScore:
        """Returns the weighted mean of the tokens' bits; each context counts once, as it steered once."""
        first: dict[tuple[int, ...], int] = {}
        for place in range(self._width, len(ids)):
            first.setdefault(tuple(ids[place - self._width : place]), ids[place])
        words = [self._words.of(context, np.array([token]))[0] for context, token in first.items()]
        if not words:
            return WatermarkScore(watermark=self.name, num_tokens=0, score=0.0, expected=0.5, z=0.0, p_value=1.0)
        score = float((self._bits(np.array(words, np.uint32)) @ self._weights).mean())
        spread = 0.5 * math.sqrt(float((self._weights**2).sum()) / len(words))
        z = (score - 0.5) / spread
        return WatermarkScore(
            watermark=self.name,
            num_tokens=len(words),
            score=score,
            expected=0.5,
            z=z,
            p_value=0.5 * math.erfc(z / math.sqrt(2)),
        )


def tournament(probabilities: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """Returns the winner's distribution when two candidates meet in each of [C, depth] rounds, a tie being tossed.

    Source: Dathathri et al. 2024, supplementary, the closed form for two candidates and binary values.
    """
    for column in bits.T:
        probabilities = probabilities * (1 + column - (column * probabilities).sum())
    found: np.ndarray = probabilities / probabilities.sum()
    return found

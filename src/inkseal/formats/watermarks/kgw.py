"""Favours a secret part of the vocabulary, another after each context; a marked text holds too much of it.

Distorts: favoured words come more often than the model means them to, the more the higher delta.
Source: Kirchenbauer et al. 2023, algorithms 2 and 3 (arXiv 2301.10226); Kirchenbauer et al. 2024 (arXiv 2306.04634).
"""

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from inkseal.core.protocols import Tilt
from inkseal.core.types import WatermarkScore
from inkseal.formats.watermarks._keyed import KeyedWords, Tokens

Array = npt.NDArray[Any]


class Kgw:
    """Adds delta to the log-probability of a secret part gamma of the vocabulary (Kirchenbauer et al. 2023).

    Each token is green after each context with probability gamma by itself, so a list's size varies a little; in
    return the number of green tokens in a foreign text is exactly binomial.

    Args:
        gamma: part of the vocabulary that is favoured.
        delta: what is added to its log-probabilities.
        seeding: "left": the context is the last `width` tokens. "self": it is that one of them whose word, drawn with
            the candidate itself, is least, so that a change of another token does no harm.
    """

    name: ClassVar[str] = "kgw"
    works_greedily: ClassVar[bool] = True

    def __init__(
        self,
        key: bytes,
        *,
        gamma: float = 0.25,
        delta: float = 2.0,
        seeding: Literal["left", "self"] = "self",
        width: int = 4,
    ) -> None:
        self._gamma, self._delta, self._seeding, self._width = gamma, delta, seeding, width
        self._green_below = np.uint64(round(gamma * 2**32))
        self._colours, self._anchors = KeyedWords(key, "kgw colour"), KeyedWords(key, "kgw anchor")

    def facts(self) -> dict[str, str | int | float]:
        """Returns the public parameters."""
        return {"gamma": self._gamma, "delta": self._delta, "seeding": self._seeding, "width": self._width}

    def begin(self) -> Tilt:
        """Returns the tilt of one answer; the first `width` tokens, whose context is not in it, are left alone."""
        factor = math.exp(self._delta)

        def tilt(answer: Sequence[int], tokens: Tokens, probabilities: Array) -> Array:
            if len(answer) < self._width:
                return probabilities
            tilted = np.where(self._green(answer[-self._width :], tokens), factor, 1.0) * probabilities
            return np.asarray(tilted / tilted.sum())

        return tilt

    def _anchor(self, window: Sequence[int], tokens: Tokens) -> Array:
        """Returns which token of the window counts for each candidate, as its place, [C]."""
        words = np.stack([self._anchors.of((token,), tokens) for token in window])
        return np.asarray(words.argmin(axis=0))

    def _green(self, window: Sequence[int], tokens: Tokens) -> Array:
        if self._seeding == "left":
            return np.asarray(self._colours.of(window, tokens) < self._green_below)
        colours = np.stack([self._colours.of((token,), tokens) for token in window])
        chosen = np.take_along_axis(colours, self._anchor(window, tokens)[None], 0)[0]
        return np.asarray(chosen < self._green_below)

    def score(self, ids: Sequence[int]) -> WatermarkScore:
        """Returns the share of green tokens; each context with its token counts once, or repetition would mislead."""
        pairs: dict[tuple[int, ...], bool] = {}
        for place in range(self._width, len(ids)):
            window, token = ids[place - self._width : place], np.array([ids[place]])
            context = window if self._seeding == "left" else [window[self._anchor(window, token)[0]]]
            if (*context, ids[place]) not in pairs:
                pairs[*context, ids[place]] = bool(self._colours.of(context, token)[0] < self._green_below)
        count, green_count = len(pairs), sum(pairs.values())
        spread = math.sqrt(count * self._gamma * (1 - self._gamma))
        return WatermarkScore(
            watermark=self.name,
            num_tokens=count,
            score=green_count / count if count else 0.0,
            expected=self._gamma,
            z=(green_count - self._gamma * count) / spread if count else 0.0,
            p_value=_binomial_tail(green_count, count, self._gamma),
        )


def _binomial_tail(least: int, count: int, chance: float) -> float:
    """Returns the probability of `least` or more hits among `count` independent tries."""
    if least <= 0:
        return 1.0
    hit, miss = math.log(chance), math.log1p(-chance)
    logs = [
        math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1) + k * hit + (count - k) * miss
        for k in range(least, count + 1)
    ]
    return min(1.0, math.fsum(map(math.exp, logs)))

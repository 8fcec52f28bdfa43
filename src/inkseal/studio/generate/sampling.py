"""Draws the next token from logits: penalties, temperature, top-k, top-p, min-p, watermark, chance. Numpy alone.

For engines that hand their logits out; one result never depends on what else is in the batch here.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inkseal.core.protocols import Tilt
from inkseal.modalities.text.request import Sampling

Floats = npt.NDArray[np.floating[Any]]
HEAD = 1024
"""So many likeliest tokens usually hold the mass that top_p asks for; sorting all takes much longer."""


class Sampler:
    """The choices of one result.

    Attributes:
        answer: the tokens so far.
    """

    def __init__(
        self, sampling: Sampling, prompt: Iterable[int], seed: int, tilt: Tilt | None = None, greedy_tilt: bool = False
    ) -> None:
        """Takes what the request asks for.

        Args:
            prompt: its tokens count for the repetition penalty, not for presence and frequency.
            tilt: the watermark's, for one answer.
            greedy_tilt: it also works where nothing is left to chance.
        """
        self.answer: list[int] = []
        self._sampling = sampling
        self._counts: Counter[int] = Counter()
        self._repeated = set(prompt) if sampling.repetition_penalty != 1 else set()
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._tilt = tilt
        self._greedy_tilt = greedy_tilt

    def draw(self, logits: Floats) -> int:
        """Returns the next token after logits [V], which it may change, and counts it to the answer."""
        self._penalise(logits)
        token = self._likeliest(logits) if self._sampling.temperature == 0 else self._drawn(logits)
        self.answer.append(token)
        self._counts[token] += 1
        if self._sampling.repetition_penalty != 1:
            self._repeated.add(token)
        return token

    def _penalise(self, logits: Floats) -> None:
        sampling = self._sampling
        if self._repeated:
            places = np.fromiter(self._repeated, np.int64)
            places = places[places < len(logits)]
            found = logits[places]
            logits[places] = np.where(
                found > 0, found / sampling.repetition_penalty, found * sampling.repetition_penalty
            )
        if self._counts and (sampling.presence_penalty or sampling.frequency_penalty):
            places = np.fromiter(self._counts, np.int64)
            counts = np.fromiter(self._counts.values(), np.float64)
            logits[places] -= sampling.presence_penalty + sampling.frequency_penalty * counts
        for token, bias in sampling.logit_bias.items():
            if 0 <= token < len(logits):
                logits[token] += bias

    def _likeliest(self, logits: Floats) -> int:
        best = int(logits.argmax())
        if self._tilt is None or not self._greedy_tilt:
            return best
        tokens = np.argsort(-logits, kind="stable")[:HEAD]
        tilted = self._tilt(self.answer, tokens, _softmax(logits[tokens]))
        return int(tokens[tilted.argmax()])

    def _drawn(self, logits: Floats) -> int:
        tokens, probabilities = candidates(logits, self._sampling)
        if self._tilt is not None:
            probabilities = self._tilt(self.answer, tokens, probabilities)
        steps = probabilities.cumsum()
        place = int(np.searchsorted(steps, self._random.random() * steps[-1], side="right"))
        return int(tokens[min(place, len(tokens) - 1)])


def candidates(logits: Floats, sampling: Sampling) -> tuple[npt.NDArray[np.int64], Floats]:
    """Returns the tokens that may come next, the likeliest first, and their probabilities, which add up to 1.

    Temperature first, then top-k, of what is left top-p, of what is left min-p. Of equally likely tokens the lowest
    id counts as likelier.
    """
    scaled = (logits.astype(np.float64) - float(logits.max())) / sampling.temperature
    whole = np.exp(scaled)
    size = len(whole)
    tokens = _ranked(whole, sampling.top_k or HEAD)
    mass = whole.sum() if not sampling.top_k else whole[tokens].sum()
    if not sampling.top_k and whole[tokens].sum() < sampling.top_p * mass:
        tokens = _ranked(whole, size)
    kept = whole[tokens]
    if sampling.top_p < 1:
        reached = int(np.searchsorted(kept.cumsum(), sampling.top_p * mass))
        tokens, kept = tokens[: reached + 1], kept[: reached + 1]
    if sampling.min_p > 0:
        alive = kept >= sampling.min_p * kept[0]
        tokens, kept = tokens[alive], kept[alive]
    return tokens, kept / kept.sum()


def _ranked(weights: Floats, count: int) -> npt.NDArray[np.int64]:
    """Returns the places of the `count` largest, in order."""
    places: npt.NDArray[np.int64] = np.arange(len(weights))
    if count < len(weights):
        least = np.partition(weights, len(weights) - count)[len(weights) - count]
        places = np.flatnonzero(weights >= least)
    return places[np.lexsort((places, -weights[places]))][:count]


def _softmax(logits: Sequence[float] | Floats) -> Floats:
    weights = np.exp(np.asarray(logits, np.float64) - np.max(logits))
    found: Floats = weights / weights.sum()
    return found

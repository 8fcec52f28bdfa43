"""Trains the member of the injection classifier that looks at words alone: logistic regression over hashed words."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from inkseal.studio.guard.injection_words import NUM_PLACES, places_of

EPOCHS, RATE, DECAY, BATCH, DROP, ROUNDS, SCALE, SEED = 8, 0.03, 3e-5, 256, 0.3, 2, 1.5, 7
Array = NDArray[Any]


class Words(NamedTuple):
    """Hashed words of windows: places and values of all, and where each window's begin."""

    places: Array
    values: Array
    starts: Array

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        return cls(*places_of(texts))

    def chosen(self, rows: Array) -> "Words":
        ends = np.append(self.starts[1:], len(self.places))
        sizes = ends[rows] - self.starts[rows]
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        where = np.repeat(self.starts[rows] - starts, sizes) + np.arange(sizes.sum())
        return Words(self.places[where], self.values[where], starts)

    def odds(self, weights: dict[str, Array]) -> Array:
        """Returns the log odds of each window."""
        summed = np.add.reduceat(weights["w"][0][self.places] * self.values, self.starts)
        return np.asarray(summed + weights["b"], np.float32)


def train_terms(words: Words, attack: Array, owner: Array, weight: Array) -> dict[str, Array]:
    """Returns weights (1, NUM_PLACES) and an offset, scaled to what they are worth beside the networks.

    Args:
        attack: of each window, whether it may be an attack. In the second round those count that the first took
            for attacks, at least one of each text, as the networks learn it too.
        owner: of each window, the number of its text.
        weight: of each window.
    """
    positive = attack
    for _ in range(ROUNDS):
        found = _fit(words, positive, np.flatnonzero(positive | ~attack), weight)
        odds = words.odds(found)
        best = np.full(int(owner.max()) + 1, -np.inf)
        np.maximum.at(best, owner[attack], odds[attack])
        positive = attack & ((odds >= 0) | (odds == best[owner]))
    return {name: np.asarray(SCALE * value, np.float32) for name, value in found.items()}


def _fit(words: Words, positive: Array, counted: Array, weight: Array) -> dict[str, Array]:
    """Adam (Kingma and Ba 2015) on the weighted logistic loss; at each step part of the words is left out."""
    generator = np.random.default_rng(SEED)
    w, b = np.zeros(NUM_PLACES, np.float32), 0.0
    first, second, step = np.zeros_like(w), np.zeros_like(w), 0
    batches = len(counted) // BATCH + 1
    for _ in range(EPOCHS):
        for rows in np.array_split(generator.permutation(counted), batches):
            batch, step = words.chosen(rows), step + 1
            kept = batch.values * (generator.random(len(batch.values)) >= DROP) / (1 - DROP)
            score = 1 / (1 + np.exp(-(np.add.reduceat(w[batch.places] * kept, batch.starts) + b)))
            delta = (score - positive[rows]) * weight[rows] / len(rows)
            sizes = np.diff(np.append(batch.starts, len(batch.places)))
            slope = np.bincount(batch.places, kept * np.repeat(delta, sizes), NUM_PLACES) + DECAY * w
            first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
            rate = RATE * (1 - 0.9 * step / (EPOCHS * batches))
            w = w - rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
            b -= 3 * rate * float(delta.sum())
    return {"w": w[None].astype(np.float32), "b": np.float32(b)}

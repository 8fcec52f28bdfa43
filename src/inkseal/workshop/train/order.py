"""Which examples a step sees, and its random numbers: functions of the seed and the step, with nothing to save."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt


@lru_cache(maxsize=2)
def _permutation(seed: int, epoch: int, num_examples: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng([seed, 0, epoch]).permutation(num_examples)


def examples_of(step: int, batch: int, num_examples: int, seed: int) -> npt.NDArray[np.int64]:
    """Returns the `batch` example numbers of a step: each epoch is a new shuffle, and batches run across its end."""
    first = step * batch
    places = np.arange(first, first + batch)
    epochs, offsets = np.divmod(places, num_examples)
    return np.array(
        [_permutation(seed, int(e), num_examples)[o] for e, o in zip(epochs, offsets, strict=True)], dtype=np.int64
    )


def generator_of(step: int, seed: int, process: int = 0) -> np.random.Generator:
    """Returns the step's own generator; independent of the shuffles and of other processes."""
    return np.random.default_rng([seed, 1, step, process])


def torch_seed_of(step: int, seed: int, process: int = 0) -> int:
    """Returns the number that torch's generator is seeded with at a step."""
    state: Any = np.random.SeedSequence([seed, 2, step, process]).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))

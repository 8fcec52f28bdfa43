"""The order of the data and the random numbers follow from seed and step."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inkseal.workshop.train.order import examples_of, generator_of, torch_seed_of


@given(st.integers(1, 40), st.integers(1, 30), st.integers(0, 5))
def test_each_epoch_shows_every_example_once(num_examples: int, batch: int, seed: int) -> None:
    steps = -(-3 * num_examples // batch)
    shown = np.concatenate([examples_of(step, batch, num_examples, seed) for step in range(steps)])
    for epoch in range(3):
        part = shown[epoch * num_examples : (epoch + 1) * num_examples]
        assert sorted(part.tolist()) == list(range(num_examples))


def test_epochs_and_seeds_differ_and_nothing_else_does() -> None:
    first, second, other = (examples_of(s, 50, 50, seed).tolist() for s, seed in ((0, 1), (1, 1), (0, 2)))
    assert first != second
    assert first != other
    assert examples_of(0, 50, 50, 1).tolist() == first


def test_every_step_and_process_has_numbers_of_its_own() -> None:
    draws = {float(generator_of(step, 1, process).random()) for step in range(50) for process in range(3)}
    seeds = {torch_seed_of(step, 1, process) for step in range(50) for process in range(3)}
    assert len(draws) == len(seeds) == 150
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert generator_of(7, 1).random() == generator_of(7, 1).random()

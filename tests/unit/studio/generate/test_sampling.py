"""The sampler against transformers' processors, a plain reading of the definitions, and counted draws."""

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import leave_out
from inkseal.modalities.text.request import Sampling
from inkseal.studio.generate import sampling as module
from inkseal.studio.generate.sampling import Sampler, candidates

fields = st.fixed_dictionaries(
    {
        "temperature": st.sampled_from([0.3, 1.0, 1.7]),
        "top_p": st.sampled_from([0.1, 0.5, 0.9, 0.999, 1.0]),
        "top_k": st.sampled_from([0, 1, 7, 100]),
        "min_p": st.sampled_from([0.0, 0.01, 0.3, 1.0]),
    }
)


def by_definition(logits: np.ndarray, sampling: Sampling) -> dict[int, float]:
    weights = np.exp((logits - logits.max()) / sampling.temperature)
    order = sorted(range(len(logits)), key=lambda token: (-weights[token], token))
    order = order[: sampling.top_k or len(order)]
    mass, kept = sum(weights[order]), []
    for token in order:
        if sampling.top_p < 1 and sum(weights[kept]) >= sampling.top_p * mass:
            break
        kept.append(token)
    kept = [token for token in kept if weights[token] >= sampling.min_p * weights[kept[0]]]
    return {token: weights[token] / sum(weights[kept]) for token in kept}


@settings(deadline=None, max_examples=150)
@given(
    given=fields, seed=st.integers(0, 1000), spread=st.sampled_from([0.1, 2.0, 8.0]), head=st.sampled_from([4, 1024])
)
def test_candidates_are_those_of_the_definitions(given: Any, seed: int, spread: float, head: int) -> None:
    logits = np.random.default_rng(seed).normal(0, spread, 120).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "HEAD", head)
        tokens, probabilities = candidates(logits, Sampling(**given))
    assert dict(zip(tokens.tolist(), probabilities.tolist(), strict=True)) == pytest.approx(
        by_definition(logits.astype(np.float64), Sampling(**given)), rel=1e-6
    )


def test_equally_likely_tokens_go_by_their_number() -> None:
    tokens, _ = candidates(np.zeros(50, np.float32), Sampling(temperature=1, top_k=3, top_p=1))
    assert tokens.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "given",
    [{"top_k": 20}, {"top_p": 0.8}, {"min_p": 0.1}, {"top_k": 30, "top_p": 0.7, "min_p": 0.05, "temperature": 1.3}],
)
def test_candidates_equal_those_of_transformers(given: dict[str, Any]) -> None:
    if find_spec("transformers") is None or find_spec("torch") is None:
        leave_out("transformers", "pip install 'inkseal[torch]'")
    import torch
    import transformers as library

    asked = Sampling(**{"temperature": 0.8, "top_p": 1.0} | given)
    steps = [library.TemperatureLogitsWarper(asked.temperature)]
    steps += [library.TopKLogitsWarper(asked.top_k)] if asked.top_k else []
    steps += [library.TopPLogitsWarper(asked.top_p)] if asked.top_p < 1 else []
    steps += [library.MinPLogitsWarper(asked.min_p)] if asked.min_p else []
    logits = np.random.default_rng(1).normal(0, 2, 300).astype(np.float32)
    scores = torch.tensor(logits)[None].double()
    for step in steps:
        scores = step(torch.zeros(1, 1, dtype=torch.long), scores)
    theirs = torch.softmax(scores, -1)[0].numpy()
    tokens, probabilities = candidates(logits, asked)
    assert set(tokens.tolist()) == set(np.flatnonzero(theirs).tolist())
    assert probabilities == pytest.approx(theirs[tokens], rel=1e-5)


def test_the_repetition_penalty_equals_that_of_transformers() -> None:
    if find_spec("transformers") is None or find_spec("torch") is None:
        leave_out("transformers", "pip install 'inkseal[torch]'")
    import torch
    import transformers as library

    logits = np.random.default_rng(2).normal(0, 2, 60).astype(np.float32)
    prompt, answer = [3, 5, 5, 9], [11, 3]
    theirs = library.RepetitionPenaltyLogitsProcessor(1.4)(torch.tensor([prompt + answer]), torch.tensor(logits)[None])
    sampler = Sampler(Sampling(temperature=0, repetition_penalty=1.4), prompt, 0)
    for token in answer:
        forced = np.full(60, -100, np.float32)
        forced[token] = 1e4
        assert sampler.draw(forced) == token
    ours = logits.copy()
    sampler.draw(ours)
    assert ours == pytest.approx(theirs[0].numpy())


def test_presence_and_frequency_count_the_answer_alone() -> None:
    sampler = Sampler(Sampling(temperature=0, presence_penalty=0.5, frequency_penalty=0.25), [7, 7, 7], 0)
    for _ in range(3):
        forced = np.zeros(20, np.float32)
        forced[4] = 50
        assert sampler.draw(forced) == 4
    changed = np.zeros(20, np.float32)
    sampler.draw(changed)
    assert changed[4] == pytest.approx(-0.5 - 0.75)
    assert changed[7] == 0


def test_a_bias_is_added_and_one_outside_the_vocabulary_does_no_harm() -> None:
    sampler = Sampler(Sampling(temperature=0, logit_bias={2: 5.0, 999: 9.0}), [], 0)
    assert sampler.draw(np.zeros(10, np.float32)) == 2


def test_draws_follow_the_probabilities_and_the_seed() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.2], np.float32))
    sampling = Sampling(temperature=1, top_p=1)
    first, again, other = (Sampler(sampling, [], seed) for seed in (1, 1, 2))
    for sampler in (first, again, other):
        for _ in range(6_000):
            sampler.draw(logits.copy())
    assert np.bincount(first.answer) / 6_000 == pytest.approx([0.5, 0.3, 0.2], abs=0.025)
    assert first.answer == again.answer != other.answer


def test_a_tilt_decides_among_the_candidates_alone() -> None:
    seen = []

    def tilt(answer: Any, tokens: Any, probabilities: Any) -> Any:
        seen.append((list(answer), tokens.tolist()))
        return np.where(tokens == tokens.max(), 1.0, 0.0)

    sampler = Sampler(Sampling(temperature=1, top_k=4, top_p=1), [], 0, tilt)
    logits = np.arange(30, dtype=np.float32)[::-1].copy()
    assert [sampler.draw(logits.copy()) for _ in range(2)] == [3, 3]
    assert seen == [([], [0, 1, 2, 3]), ([3], [0, 1, 2, 3])]


def test_greedy_choice_is_tilted_where_the_mark_can() -> None:
    def tilt(answer: Any, tokens: Any, probabilities: Any) -> Any:
        return np.where(tokens == 5, 1.0, 0.0)

    for greedy_tilt, wanted in ((True, 5), (False, 0)):
        sampler = Sampler(Sampling(temperature=0), [], 0, tilt, greedy_tilt=greedy_tilt)
        assert sampler.draw(-np.arange(20, dtype=np.float32)) == wanted

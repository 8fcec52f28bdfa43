"""The watermarks against independent references: enumeration, scipy, and transformers' own processors."""

import itertools
import math
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from scipy.stats import binom, kstest

from conftest import leave_out
from inkseal.formats.watermarks import key_id
from inkseal.formats.watermarks._keyed import KeyedWords
from inkseal.formats.watermarks.kgw import Kgw, _binomial_tail
from inkseal.formats.watermarks.synthid import Synthid, tournament

KEY = bytes(range(32))
VOCABULARY = 500


@pytest.fixture
def library() -> Any:
    """transformers' generation module."""
    if find_spec("transformers") is None or find_spec("torch") is None:
        leave_out("transformers", "pip install 'inkseal[torch]'")
    import transformers

    return transformers


def test_words_are_those_of_hmac_and_aes_in_counter_mode() -> None:
    import hashlib
    import hmac

    inner = hmac.new(KEY, b"inkseal watermark: synthid", hashlib.sha256).digest()
    context = (7, 70_000, 1)
    packed = b"".join(token.to_bytes(4, "little") for token in context)
    seed = hmac.new(inner, packed, hashlib.sha256).digest()
    tokens = np.array([150_000, 3, 4, 0, 3])
    cipher = Cipher(algorithms.AES(seed[:16]), modes.ECB())
    wanted = []
    for token in tokens.tolist():
        block = (int.from_bytes(seed[16:], "big") + token // 4) % 2**128
        stream = cipher.encryptor().update(block.to_bytes(16, "big"))
        wanted.append(int.from_bytes(stream[token % 4 * 4 :][:4], "little"))
    assert KeyedWords(KEY, "synthid").of(context, tokens).tolist() == wanted
    assert KeyedWords(KEY, "synthid").of(context, tokens[:1]).tolist() == wanted[:1]


def test_texts_of_earlier_versions_are_still_found() -> None:
    ids = [(at * at * 31 + 7 * at) % 977 for at in range(60)]
    assert Kgw(KEY).score(ids).score == 0.375
    assert Kgw(KEY, seeding="left", width=1).score(ids).score == pytest.approx(22 / 59)
    assert Synthid(KEY).score(ids).score == pytest.approx(0.4842028660994178)
    assert key_id(KEY) == "a28936c186e90ece"


def test_words_are_uniform_and_unrelated_to_those_of_other_keys_and_contexts() -> None:
    tokens = np.arange(20_000)
    words = KeyedWords(KEY, "a").of((1, 2), tokens) / 2**32
    assert kstest(words, "uniform").pvalue > 0.001
    for other in (KeyedWords(KEY, "b").of((1, 2), tokens), KeyedWords(KEY, "a").of((2, 1), tokens)):
        assert abs(np.corrcoef(words, other)[0, 1]) < 0.03


@pytest.mark.parametrize(
    ("least", "count", "chance"), [(0, 10, 0.25), (10, 10, 0.25), (60, 150, 0.25), (900, 3000, 0.25)]
)
def test_the_tail_is_the_binomial_distributions(least: int, count: int, chance: float) -> None:
    assert _binomial_tail(least, count, chance) == pytest.approx(float(binom.sf(least - 1, count, chance)), rel=1e-6)


def played(probabilities: list[float], bits: np.ndarray) -> list[float]:
    """Plays every tournament of 2^depth candidates out, as the paper's algorithm 2 describes it."""
    depth = bits.shape[1]
    if depth == 0:
        return probabilities
    before = played(probabilities, bits[:, :-1])
    after = [0.0] * len(before)
    for first, second in itertools.product(range(len(before)), repeat=2):
        chance = before[first] * before[second]
        won, lost = bits[first, -1], bits[second, -1]
        after[first] += chance * (1 if won > lost else 0.5 if won == lost else 0)
        after[second] += chance * (1 if lost > won else 0.5 if won == lost else 0)
    return after


def test_the_closed_form_equals_the_tournament_played_out() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        probabilities = rng.dirichlet(np.ones(6))
        bits = rng.integers(0, 2, (6, 5))
        assert tournament(probabilities, bits) == pytest.approx(played(list(probabilities), bits), abs=1e-12)


def test_the_closed_form_equals_the_librarys(library: Any) -> None:
    import torch

    processor = library.SynthIDTextWatermarkLogitsProcessor(5, [1] * 30, 64, 0, 16, torch.device("cpu"))
    rng = np.random.default_rng(2)
    logits, bits = rng.normal(0, 3, 200), rng.integers(0, 2, (200, 30))
    theirs = processor.update_scores(torch.tensor(logits)[None], torch.tensor(bits)[None])[0].exp().numpy()
    plain = np.exp(logits - logits.max())
    assert tournament(plain / plain.sum(), bits) == pytest.approx(theirs / theirs.sum(), abs=1e-9)


def test_tournaments_keep_every_tokens_probability_on_average() -> None:
    mark, probabilities = Synthid(KEY), np.array([0.5, 0.3, 0.15, 0.05])
    tokens, rng = np.array([4, 9, 11, 300]), np.random.default_rng(3)
    tilted = [mark.begin()(rng.integers(0, 50_000, 4).tolist(), tokens, probabilities) for _ in range(4_000)]
    assert np.mean(tilted, axis=0) == pytest.approx(probabilities, abs=0.025)
    assert np.std(tilted, axis=0).max() > 0.3, "each single one is decided"


def test_a_context_steers_once_in_an_answer() -> None:
    tilt, probabilities = Synthid(KEY).begin(), np.full(50, 0.02)
    first = tilt([1, 2, 3, 4], np.arange(50), probabilities)
    assert not np.allclose(first, probabilities)
    assert np.allclose(tilt([9, 9, 1, 2, 3, 4], np.arange(50), probabilities), probabilities)


def left_library(library: Any, mark: Kgw) -> Any:
    """The library's processor with our colours."""

    class Ours(library.WatermarkLogitsProcessor):  # type: ignore[misc, name-defined]
        def _get_greenlist_ids(self, input_seq: Any) -> Any:
            import torch

            green = mark._green([int(input_seq[-1])], np.arange(VOCABULARY))
            return torch.from_numpy(np.flatnonzero(green))

    return Ours(VOCABULARY, "cpu", greenlist_ratio=0.25, bias=2.0, seeding_scheme="lefthash", context_width=1)


def test_the_tilt_equals_the_librarys(library: Any) -> None:
    import torch

    mark = Kgw(KEY, seeding="left", width=1)
    logits = np.random.default_rng(4).normal(0, 2, VOCABULARY)
    theirs = left_library(library, mark)(torch.tensor([[3, 77]]), torch.tensor(logits)[None])[0]
    plain = np.exp(logits - logits.max())
    ours = mark.begin()([3, 77], np.arange(VOCABULARY), plain / plain.sum())
    assert ours == pytest.approx(torch.softmax(theirs, -1).numpy(), abs=1e-9)


def test_the_score_equals_that_of_the_librarys_detector(library: Any) -> None:
    import torch

    mark = Kgw(KEY, seeding="left", width=1)
    config = library.LlamaConfig(vocab_size=VOCABULARY, bos_token_id=VOCABULARY)
    detector = library.WatermarkDetector(config, "cpu", {"greenlist_ratio": 0.25}, ignore_repeated_ngrams=True)
    detector.processor = left_library(library, mark)
    rng = np.random.default_rng(5)
    for spread in (VOCABULARY, 12):
        ids = rng.integers(0, spread, 150).tolist()
        theirs = detector(torch.tensor([ids]), return_dict=True)
        ours = mark.score(ids)
        assert ours.num_tokens == theirs.num_tokens_scored[0] <= 149
        assert ours.score == pytest.approx(theirs.green_fraction[0])
        assert ours.z == pytest.approx(theirs.z_score[0])


Make = Callable[[bytes], Any]
KINDS: list[Make] = [Kgw, lambda key: Kgw(key, seeding="left", width=1), Synthid]


def drawn(mark: Any, length: int, seed: int, spread: float = 2.0) -> list[int]:
    """A text of random logits, drawn with the mark."""
    rng, answer, tilt = np.random.default_rng(seed), list[int](), mark.begin()
    for _ in range(length):
        weights = np.exp(rng.normal(0, spread, VOCABULARY))
        probabilities = tilt(answer, np.arange(VOCABULARY), weights / weights.sum())
        answer.append(int(rng.choice(VOCABULARY, p=probabilities)))
    return answer


@pytest.mark.parametrize("make", KINDS)
def test_it_is_found_by_its_key_alone_and_after_light_changes(make: Make) -> None:
    text = drawn(make(KEY), 200, 6)
    assert make(KEY).score(text).p_value < 1e-6
    assert make(b"x" * 32).score(text).p_value > 1e-3
    rng = np.random.default_rng(7)
    changed = [token if rng.random() > 0.1 else int(rng.integers(VOCABULARY)) for token in text if rng.random() > 0.05]
    assert make(KEY).score(changed).p_value < 1e-4
    assert make(KEY).score(text[60:140]).p_value < 1e-4


def test_an_anchor_in_the_window_outlives_changes_better_than_the_whole_window() -> None:
    rng = np.random.default_rng(8)
    scores = {}
    for seeding in ("self", "left"):
        mark = Kgw(KEY, seeding=seeding, width=4)  # type: ignore[arg-type]
        text = drawn(mark, 300, 9)
        changed = [token if rng.random() > 0.25 else int(rng.integers(VOCABULARY)) for token in text]
        scores[seeding] = mark.score(changed).z
    assert scores["self"] > scores["left"] + 2


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("spread", [VOCABULARY, 6])
def test_foreign_texts_are_taken_for_ours_as_seldom_as_promised(make: Make, spread: int) -> None:
    """With few different tokens, too: repetition must not mislead."""
    rng = np.random.default_rng(10)
    values = [make(rng.bytes(32)).score(rng.integers(0, spread, 50).tolist()).p_value for _ in range(600)]
    for level in (0.2, 0.05, 0.01):
        hits = sum(value <= level for value in values)
        assert hits <= binom.ppf(0.9995, len(values), level), f"{hits} at {level}"


@pytest.mark.parametrize("make", KINDS)
def test_nothing_to_score_is_no_finding(make: Make) -> None:
    for ids in ([], [5], [5, 5, 5]):
        found = make(KEY).score(ids)
        assert found.p_value >= 0.2
        assert math.isfinite(found.z)
